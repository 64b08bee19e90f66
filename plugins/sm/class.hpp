// SPDX-License-Identifier: BSD-3-Clause
// An opened shared-memory net: its name and what its contexts share, which are addresses,
// registered memory and memory that was allocated to be mapped by peers. Any thread; the mutexes
// guard set-up paths only and are leaves: nothing else is locked, and no operation completed, while
// one is held.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "na/base/file_descriptor.hpp"
#include "na/base/mutex.hpp"
#include "na/base/result.hpp"
#include "na_plugin.h"
#include "plugins/sm/address.hpp"
#include "plugins/sm/memory.hpp"
#include "plugins/sm/options.hpp"
#include "plugins/sm/region.hpp"

namespace cinnabar::sm {

class Context;

class Class {
public:
    Class() = default;
    ~Class() = default;
    Class(const Class&) = delete;
    Class& operator=(const Class&) = delete;

    Status open(const na_plugin_open& info);
    void get_limits(na_limits& limits) const noexcept;

    Status lookup(const char* text, Address*& found);
    Status self(Address*& found);
    Status set_remove(Address& address);
    bool equal(const Address& a, const Address& b) const noexcept { return &a == &b; }
    bool is_self(const Address& address) const noexcept { return address.self(); }
    Status to_string(const Address& address, char* buf, std::size_t& size) const;
    std::size_t serialize_size(const Address& address) const noexcept;
    Status serialize(const Address& address, void* buf, std::size_t size) const noexcept;
    Status deserialize(const void* buf, std::size_t size, Address*& made);

    // Memory in a region of its own, that peers can map.
    void* mem_alloc(std::size_t size);
    void mem_free(void* buf, std::size_t size) noexcept;
    // Fills places for segments that lie in such memory; leaves it empty if none does.
    Status shared_places(const std::vector<Segment>& segments, std::vector<SharedPlace>& places);

    const Options& options() const noexcept { return options_; }
    const std::string& name() const noexcept { return name_; }
    bool listening() const noexcept { return listening_; }
    bool fences() const noexcept { return fences_; }
    std::uint64_t incarnation() const noexcept { return incarnation_; }
    // A word that holds the incarnation, for peers to try whether they can read this process.
    const std::uint64_t* probe() const noexcept { return &incarnation_; }
    MemoryTable& memories() noexcept { return memories_; }
    // The interned address of a peer, with one reference more.
    Address* intern(std::string_view name);

    // The contexts. add() returns how many of this id were there.
    std::size_t add(Context& context);
    void remove(Context& context) noexcept;
    // Hands one end of a socket pair to the local context of this id, as if it had accepted it.
    Status hand_over(std::uint8_t context_id, FileDescriptor socket);

private:
    Status choose_name(std::string_view wanted);

    struct Allocation {
        Region region;
        FileDescriptor fd;
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
    };

    Options options_;
    std::string name_;
    bool listening_ = false;
    bool fences_ = false;
    std::uint64_t incarnation_ = 0;
    FileDescriptor name_holder_;
    AddressTable addresses_;
    MemoryTable memories_;
    Mutex contexts_mutex_;
    std::vector<Context*> contexts_;
    Mutex allocations_mutex_;
    std::map<std::uintptr_t, Allocation> allocations_;  // by first address
    std::atomic<bool> has_allocations_{false};
};

}  // namespace cinnabar::sm
