// SPDX-License-Identifier: BSD-3-Clause
// A peer: its name, shared by everything that talks to it. Addresses are interned per net: one
// name, one object, as long as somebody holds it, so that addresses compare by pointer. The table
// does not own what it lists. Any thread; the mutex is taken on set-up paths only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "na/base/mutex.hpp"
#include "na/base/result.hpp"

namespace cinnabar::sm {

class AddressTable;
class Class;

class Address {
public:
    // Does not throw: the memory it is made in could not be given back.
    Address(AddressTable& table, std::string&& name, bool self) noexcept
        : table_(table), name_(std::move(name)), self_(self) {}
    ~Address();
    Address(const Address&) = delete;
    Address& operator=(const Address&) = delete;

    // What stands behind "sm://".
    const std::string& name() const noexcept { return name_; }
    bool self() const noexcept { return self_; }
    // Stands for one context of the peer in tables of receives.
    const void* key(std::uint8_t context_id) const noexcept { return &keys_[context_id]; }

private:
    AddressTable& table_;
    std::string name_;
    bool self_;
    char keys_[256] = {};
};

class AddressTable {
public:
    // The address of this name, with one reference more; nullptr when out of memory.
    Address* intern(Class& cls, std::string_view name, bool self);

private:
    friend class Address;
    void forget(Address& address) noexcept;

    Mutex mutex_;
    std::unordered_map<std::string, Address*> entries_;
};

// Address strings, "sm://name". Malformed: NA_INVALID_ARG, another protocol: NA_PROTONOSUPPORT,
// after one log line.
Result<std::string> parse_address(std::string_view text);
std::string print_address(std::string_view name);

}  // namespace cinnabar::sm
