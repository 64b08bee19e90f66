// SPDX-License-Identifier: BSD-3-Clause
// Peers by name: one immutable Address for each name of a class, from the table of the SDK.
// Pointers compare as identities.
#pragma once

#include <string>

#include "na/sdk/address_table.hpp"
#include "plugins/ofi/address_form.hpp"

namespace cinnabar::ofi {

struct Address;
using AddressTable = na::sdk::AddressTable<Address>;

struct Address {
    AddressTable& table;
    std::string name;  // "tcp://1.2.3.4:5", or "tcp://#incarnation" of a peer that does not listen
    bool self;
    Raw raw;  // empty: cannot be connected to

    Address(AddressTable& owner, std::string&& text, bool is_self, Raw&& bytes) noexcept
        : table(owner), name(std::move(text)), self(is_self), raw(std::move(bytes)) {}
    ~Address() { table.forget(*this); }
    Address(const Address&) = delete;
    Address& operator=(const Address&) = delete;

    bool connectable() const noexcept { return !raw.empty(); }
};

}  // namespace cinnabar::ofi
