// SPDX-License-Identifier: BSD-3-Clause
// Memory that peers may read or write: segments with flags and, once registered, a random key under
// which the owner finds it again. The serialised form lists addresses and lengths, and for segments
// that lie in memory allocated here, where a peer finds the pages. A handle belongs to its user;
// the table of keys to the net.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "na/base/mutex.hpp"
#include "na/base/result.hpp"
#include "na_plugin.h"

namespace cinnabar::sm {

class Class;

// Where the pages of a segment are, for a peer that maps them.
struct SharedPlace {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;    // of the whole allocation
    std::uint64_t offset = 0;  // of the segment in it
    std::int32_t fd = -1;      // in the owner; -1: not in shared memory
    std::uint32_t reserved = 0;
};

struct Segment {
    std::uint64_t base = 0;
    std::uint64_t length = 0;
};

class Memory {
public:
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    Status create(Class& cls, const na_segment* segments, std::size_t count, unsigned long flags);
    Status register_memory(Class& cls, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class& cls);
    std::size_t serialize_size(const Class& cls) const noexcept;
    Status serialize(const Class& cls, void* buf, std::size_t size) const noexcept;
    // NA_OVERFLOW if buf is too short, NA_PROTOCOL_ERROR if it is not a handle.
    Status deserialize(Class& cls, const void* buf, std::size_t size);

    bool contains(std::uint64_t offset, std::uint64_t size) const noexcept {
        return offset <= total_ && size <= total_ - offset;
    }
    bool may_read() const noexcept { return (flags_ & NA_MEM_READ_ONLY) != 0; }
    bool may_write() const noexcept { return (flags_ & NA_MEM_WRITE_ONLY) != 0; }
    std::uint64_t key() const noexcept { return key_; }
    std::uint64_t total() const noexcept { return total_; }
    const std::vector<Segment>& segments() const noexcept { return segments_; }
    // Parallel to segments(), or empty if none of them is in shared memory.
    const std::vector<SharedPlace>& places() const noexcept { return places_; }

private:
    std::vector<Segment> segments_;
    std::vector<SharedPlace> places_;
    std::uint64_t total_ = 0;
    std::uint64_t key_ = 0;  // 0: not registered
    std::uint32_t flags_ = 0;
};

// Copies size bytes between a range of segments of this process and a plain buffer. The range is
// inside.
void copy_out(const Memory& memory, std::uint64_t offset, void* to, std::size_t size) noexcept;
void copy_in(const Memory& memory, std::uint64_t offset, const void* from,
             std::size_t size) noexcept;

// The registered memory of a net, by key. Any thread.
class MemoryTable {
public:
    Result<std::uint64_t> add(const Memory& memory);
    void remove(std::uint64_t key) noexcept;
    // Serves a peer: copies a range out of (or into) the memory of this key. The mutex is held
    // while it copies, so that memory is never touched after it was deregistered. NA_ADDRNOTAVAIL:
    // no such key; NA_PERMISSION, NA_INVALID_ARG (range).
    Status read(std::uint64_t key, std::uint64_t offset, void* to, std::size_t size) noexcept;
    Status write(std::uint64_t key, std::uint64_t offset, const void* from,
                 std::size_t size) noexcept;

private:
    Mutex mutex_;
    std::unordered_map<std::uint64_t, const Memory*> entries_;
};

}  // namespace cinnabar::sm
