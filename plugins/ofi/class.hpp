// SPDX-License-Identifier: BSD-3-Clause
// An opened net: the library opened for it, its own name, the endpoint that listens (connected
// kind) or that context 0 takes over (datagram kind), the addresses that all its contexts share,
// and the list of its contexts. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "plugins/ofi/address.hpp"
#include "plugins/ofi/context.hpp"
#include "plugins/ofi/fabric.hpp"
#include "plugins/ofi/memory.hpp"

namespace cinnabar::ofi {

class Class {
public:
    Class() = default;
    ~Class();
    Class(const Class&) = delete;
    Class& operator=(const Class&) = delete;
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
    const Fabric& fabric() const noexcept { return fabric_; }
    AddressTable& addresses() noexcept { return addresses_; }
    const std::string& self_name() const noexcept { return addresses_.self_name(); }
    bool listening() const noexcept { return listening_; }
    bool blocking() const noexcept { return blocking_; }
    std::uint32_t max_unexpected() const noexcept { return max_unexpected_; }
    std::uint32_t max_expected() const noexcept { return max_expected_; }
    // Opens a context's endpoint; context 0's is reached by the class's own address.
    Status open_endpoint(std::uint8_t id, Endpoint& endpoint);
    // What memory is registered for, where the provider demands it: context 0's endpoint, while
    // there is one.
    fid_ep* memory_endpoint() const noexcept {
        return memory_endpoint_.load(std::memory_order_acquire);
    }
    // The address of a peer that says its name. NA_PROTOCOL_ERROR: it is no name.
    Status intern_peer(const Greeting& greeting, Address*& found);
    // The queue of connection requests; nullptr where there are none.
    fid_eq* requests() const noexcept { return request_queue_.get(); }
    // Takes a connection request, and gives the context it is for. False: there is none, or another
    // thread is looking.
    bool next_request(Arrival& arrival, std::uint8_t& target);
    void refuse_request(const Arrival& arrival) noexcept;
    Status add(Context& context);
    void remove(Context& context);
    // False when there is no context with this id; the arrival is untouched then.
    bool hand_over(std::uint8_t id, Arrival& arrival);

private:
    Status listen();
    Status look_up(std::string_view text, bool resolve, Address*& found);
    std::string_view strip_prefix(std::string_view text) const noexcept;

    Fabric fabric_;
    AddressTable addresses_;
    std::uint64_t incarnation_ = 0;
    bool listening_ = false;
    bool blocking_ = true;
    na_addr_format format_ = NA_ADDR_UNSPEC;
    std::uint32_t max_unexpected_ = 0;
    std::uint32_t max_expected_ = 0;
    std::string prefix_;  // "tcp://"
    Raw raw_;             // the own address
    Mutex request_mutex_;
    Fid<fid_eq> request_queue_;
    Fid<fid_pep> listener_;
    Endpoint first_;  // until context 0 takes it
    bool first_taken_ = true;
    std::atomic<fid_ep*> memory_endpoint_{nullptr};
    Mutex mutex_;
    std::array<Context*, 256> contexts_{};
};

}  // namespace cinnabar::ofi
