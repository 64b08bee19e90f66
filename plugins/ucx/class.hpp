// SPDX-License-Identifier: BSD-3-Clause
// An opened net: UCX's context, its own name, its listening socket, the addresses that all its
// contexts share, and the list of its contexts. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "na/base/file_descriptor.hpp"
#include "plugins/ucx/address.hpp"
#include "plugins/ucx/context.hpp"
#include "plugins/ucx/library.hpp"
#include "plugins/ucx/memory.hpp"

namespace cinnabar::ucx {

class Class {
public:
    Status open(const na_plugin_open& info);
    void get_limits(na_limits& limits) const noexcept;

    Status lookup(const char* name, Address*& found);
    Status self(Address*& found);
    Status set_remove(Address& address);
    bool equal(const Address& a, const Address& b) const noexcept { return &a == &b; }
    bool is_self(const Address& address) const noexcept { return address.self; }
    Status to_string(const Address& address, char* buf, std::size_t& size) const;
    std::size_t serialize_size(const Address& address) const noexcept;
    Status serialize(const Address& address, void* buf, std::size_t size) const;
    Status deserialize(const void* buf, std::size_t size, Address*& found);

    // For contexts.
    AddressTable& addresses() noexcept { return addresses_; }
    ucp_context_h library() const noexcept { return library_.get(); }
    // Whether the net has one-sided operations of its own.
    bool one_sided() const noexcept { return library_.one_sided(); }
    RegionTable& regions() noexcept { return regions_; }
    // "tcp://" and the like: what stands in front of every address.
    const std::string& prefix() const noexcept { return prefix_; }
    std::uint64_t host_number() const noexcept { return host_number_; }
    // Tells the contexts that a peer's memory is not used any more.
    void drop_keys(const Remote& remote);
    const std::string& self_name() const noexcept { return addresses_.self_name(); }
    std::uint64_t incarnation() const noexcept { return incarnation_; }
    // A random number, where it is, by which a peer on this host sees that it reads this process.
    const std::uint64_t& proof() const noexcept { return proof_; }
    bool listening() const noexcept { return static_cast<bool>(listener_); }
    int listener() const noexcept { return listener_.get(); }
    bool blocking() const noexcept { return blocking_; }
    std::uint32_t max_unexpected() const noexcept { return max_unexpected_; }
    std::uint32_t max_expected() const noexcept { return max_expected_; }
    // Whether an address is one of this machine.
    bool is_of_host(const na::sdk::IpAddress& ip) const;
    // A connection, or an empty descriptor when there is none to take.
    FileDescriptor accept(na::sdk::IpAddress& from);
    Status add(Context& context);
    void remove(Context& context);
    // False when there is no context with this id; the arrival is untouched then.
    bool hand_over(std::uint8_t id, Arrival& arrival);

private:
    Status bind(const na_plugin_open& info);
    bool is_own(const na::sdk::IpAddress& ip, std::uint16_t port) const;
    void refuse_for_want_of_descriptors();

    AddressTable addresses_;
    RegionTable regions_;
    Library library_;
    std::string prefix_;
    std::uint64_t host_number_ = 0;
    std::uint64_t incarnation_ = 0;
    std::uint64_t proof_ = 0;
    na::sdk::IpAddress bound_;
    na::sdk::IpAddress published_;
    std::uint16_t port_ = 0;  // 0: not listening
    na_addr_format format_ = NA_ADDR_UNSPEC;
    bool blocking_ = true;
    std::uint32_t max_unexpected_ = 0;
    std::uint32_t max_expected_ = 0;
    FileDescriptor listener_;
    Mutex mutex_;
    std::array<Context*, 256> contexts_{};
    FileDescriptor reserve_;  // given up for a moment to refuse a connection when none are left
    std::int64_t last_warning_s_ = 0;
};

}  // namespace cinnabar::ucx
