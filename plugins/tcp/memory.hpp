// SPDX-License-Identifier: BSD-3-Clause
// Registered memory: what a handle describes, and the table in which an owner finds it by the
// random key that peers present. A region may be deregistered while a peer's transfer is under way:
// users of its bytes pin it for the length of one system call, and deregistration waits for pins,
// so that afterwards nothing touches the memory.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "na/base/local_atomic.hpp"
#include "na/base/result.hpp"
#include "na/sdk/key_table.hpp"
#include "na_plugin.h"

namespace cinnabar::tcp {

class Class;

class Region {
public:
    Region(const na_segment* segments, std::size_t count, unsigned long flags);

    std::uint64_t length() const noexcept { return length_; }
    unsigned long flags() const noexcept { return flags_; }
    bool in_range(std::uint64_t offset, std::uint64_t size) const noexcept {
        return offset <= length_ && size <= length_ - offset;
    }
    // Fills iovecs with up to `size` bytes from `offset` (in range); returns the bytes covered.
    std::size_t vectors(std::uint64_t offset, std::size_t size, std::span<iovec> to,
                        std::size_t& used) const noexcept;
    void copy_in(std::uint64_t offset, const std::byte* from, std::size_t size) const noexcept;

    // False when the region is not registered any more. Any thread.
    bool pin() noexcept;
    void unpin() noexcept { pins_.fetch_sub(1, std::memory_order_release); }
    void revive() noexcept { dead_.store(false, std::memory_order_relaxed); }
    // Refuses pins from now on and waits for those taken: one non-blocking system call at most.
    void retire() noexcept;

private:
    std::vector<na_segment> segments_;
    std::vector<std::uint64_t> starts_;  // offset at which each segment begins
    std::uint64_t length_ = 0;
    unsigned long flags_;
    LocalAtomic<int> pins_{0};
    std::atomic<bool> dead_{true};
};

// Where an owner finds what a peer names.
using RegionTable = na::sdk::KeyTable<Region>;

// A memory handle, local (region set) or remote.
struct Memory {
    static constexpr std::size_t serialized_size = 32;

    std::shared_ptr<Region> region;
    RegionTable* table = nullptr;  // while registered
    std::uint64_t key = 0;
    std::uint64_t length = 0;
    std::uint32_t flags = 0;

    Memory() = default;
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    Status create(Class& cls, const na_segment* segments, std::size_t count,
                  unsigned long flags_in);
    Status register_memory(Class& cls, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class& cls);
    std::size_t serialize_size(Class&) const noexcept { return serialized_size; }
    Status serialize(Class& cls, void* buf, std::size_t size) const;
    Status deserialize(Class& cls, const void* buf, std::size_t size);
};

}  // namespace cinnabar::tcp
