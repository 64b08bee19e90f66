// SPDX-License-Identifier: BSD-3-Clause
// A peer by name, one object for each name of a class, found through the SDK's table. Pointers
// compare as identities. Immutable.
#pragma once

#include <string>
#include <utility>

#include "na/sdk/address_table.hpp"
#include "na/sdk/ip.hpp"

namespace cinnabar::tcp {

struct Address;
using AddressTable = na::sdk::AddressTable<Address>;

struct Address {
    AddressTable& table;
    std::string
        name;  // "tcp://1.2.3.4:5", or "tcp://1.2.3.4:0#incarnation" of a peer that does not listen
    bool self;
    na::sdk::IpAddress ip;
    std::uint16_t port;  // 0: cannot be connected to

    Address(AddressTable& owner, std::string&& text, bool is_self, const na::sdk::IpAddress& host,
            std::uint16_t host_port) noexcept
        : table(owner), name(std::move(text)), self(is_self), ip(host), port(host_port) {}
    ~Address() { table.forget(*this); }
    Address(const Address&) = delete;
    Address& operator=(const Address&) = delete;

    bool connectable() const noexcept { return port != 0 || self; }
};

}  // namespace cinnabar::tcp
