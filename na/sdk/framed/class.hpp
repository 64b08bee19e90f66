// SPDX-License-Identifier: BSD-3-Clause
// An opened net of a framed transport as libna sees it: its addresses, its registered memory, its
// limits. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "na/base/result.hpp"
#include "na/sdk/address_table.hpp"
#include "na/sdk/framed/transport.hpp"
#include "na/sdk/region.hpp"

namespace cinnabar::na::sdk::framed {

// A net by its name.
struct Address {
    Address(AddressTable<Address>& owner, std::string&& text, bool is_self) noexcept
        : table(owner), name(std::move(text)), self(is_self) {}
    ~Address() { table.forget(*this); }
    Address(const Address&) = delete;
    Address& operator=(const Address&) = delete;
    AddressTable<Address>& table;
    std::string name;
    bool self;
};

class Class {
public:
    // `subsystem`: for the log; a literal.
    Class(std::unique_ptr<Net> net, const char* subsystem) noexcept
        : net_(std::move(net)), subsystem_(subsystem) {}

    Status open(const na_plugin_open& info);
    void get_limits(na_limits& limits) const;
    Status lookup(std::string_view name, Address*& found);
    Status self(Address*& found);
    Status set_remove(Address&) { return {}; }
    bool equal(const Address& a, const Address& b) const { return &a == &b; }
    bool is_self(const Address& address) const { return address.self; }
    Status to_string(const Address& address, char* buf, std::size_t& size) const;
    std::size_t serialize_size(const Address& address) const { return address.name.size(); }
    Status serialize(const Address& address, void* buf, std::size_t size) const;
    Status deserialize(const void* buf, std::size_t size, Address*& made);

    Net& net() noexcept { return *net_; }
    RegionTable& regions() noexcept { return regions_; }
    bool busy() const noexcept { return busy_; }  // nobody sleeps
    const char* subsystem() const noexcept { return subsystem_; }

private:
    Status find(std::string_view name, Address*& found);

    std::unique_ptr<Net> net_;
    const char* subsystem_;
    std::string scheme_;  // "protocol://"
    bool busy_ = false;
    std::size_t message_limit_ = 0;
    AddressTable<Address> addresses_;
    RegionTable regions_;
};

}  // namespace cinnabar::na::sdk::framed
