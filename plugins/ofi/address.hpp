// SPDX-License-Identifier: BSD-3-Clause
// Peers by name. One Address object for each name of a class, found through a weak table: the entry
// goes with the last reference. Pointers compare as identities. Addresses are immutable; the table
// locks and is used on set-up paths only.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "na/base/mutex.hpp"
#include "na/base/result.hpp"
#include "na/sdk/host.hpp"
#include "plugins/ofi/address_form.hpp"

namespace cinnabar::ofi {

class AddressTable;

struct Address {
    AddressTable* table = nullptr;
    std::string name;  // "tcp://1.2.3.4:5", or "tcp://#incarnation" of a peer that does not listen
    Raw raw;           // empty: cannot be connected to
    bool self = false;

    Address(AddressTable& owner, std::string&& text, Raw&& bytes, bool is_self) noexcept
        : table(&owner), name(std::move(text)), raw(std::move(bytes)), self(is_self) {}
    ~Address();
    Address(const Address&) = delete;
    Address& operator=(const Address&) = delete;

    bool connectable() const noexcept { return !raw.empty(); }
};

class AddressTable {
public:
    // cls is the plugin's part of the class, for libna. Afterwards `self_name` gives addresses that
    // are self.
    void open(void* cls, std::string self_name) {
        cls_ = cls;
        self_name_ = std::move(self_name);
    }

    // The address of a name, with one reference for the caller. nullptr: out of memory.
    Address* intern(std::string_view name, const Raw& raw);
    // The same if it exists; nullptr otherwise.
    Address* find(const std::string& name);
    // A later intern() of the name makes a new object.
    void forget(Address& address) noexcept;
    const std::string& self_name() const noexcept { return self_name_; }

private:
    void* cls_ = nullptr;
    std::string self_name_;
    Mutex mutex_;
    std::unordered_map<std::string, Address*> entries_;
};

}  // namespace cinnabar::ofi
