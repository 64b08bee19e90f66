// SPDX-License-Identifier: BSD-3-Clause
// Described memory of this process, and the table in which an owner finds it by the random key that
// peers present. A region may be deregistered while a peer's transfer is under way: whoever copies
// its bytes pins it for the length of one copy, and deregistration waits for pins, so that
// afterwards nothing touches the memory. Any thread.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "na/base/local_atomic.hpp"
#include "na/sdk/key_table.hpp"
#include "na_types.h"

namespace cinnabar::na::sdk {

// The pieces that a linear range of bytes lies in.
struct Segment {
    std::uint64_t base = 0;
    std::uint64_t length = 0;
    std::uint64_t start = 0;  // offset at which it begins
    std::uint32_t key = 0;    // what the transport keeps with it
};

// The segment that an offset lies in; the offset is inside.
std::size_t segment_at(const std::vector<Segment>& segments, std::uint64_t offset) noexcept;

// Whether a range lies within so many bytes.
constexpr bool inside(std::uint64_t offset, std::uint64_t size, std::uint64_t length) noexcept {
    return offset <= length && size <= length - offset;
}

class Region {
public:
    // Empty segments are left out. The lengths do not wrap around.
    Region(const na_segment* segments, std::size_t count, std::uint32_t flags);

    const std::vector<Segment>& segments() const noexcept { return segments_; }
    std::uint64_t length() const noexcept { return length_; }
    std::uint32_t flags() const noexcept { return flags_; }
    bool in_range(std::uint64_t offset, std::uint64_t size) const noexcept {
        return inside(offset, size, length_);
    }
    // Describes up to `size` bytes from `offset`, which are inside, as `used` vectors; returns the
    // bytes that these cover.
    std::size_t vectors(std::uint64_t offset, std::size_t size, std::span<iovec> to,
                        std::size_t& used) const noexcept;
    // Copy a range, which is inside, between the region and plain bytes.
    void copy_in(std::uint64_t offset, const std::byte* from, std::size_t size) const noexcept;
    void copy_out(std::uint64_t offset, std::byte* to, std::size_t size) const noexcept;

    // False when the region is not registered any more.
    bool pin() noexcept;
    void unpin() noexcept { pins_.fetch_sub(1, std::memory_order_release); }
    void revive() noexcept { dead_.store(false, std::memory_order_relaxed); }
    // Refuses pins from now on and waits for those taken: one copy at most.
    void retire() noexcept;

private:
    std::vector<Segment> segments_;
    std::uint64_t length_ = 0;
    std::uint32_t flags_;
    LocalAtomic<int> pins_{0};
    std::atomic<bool> dead_{true};
};

// Where an owner finds what a peer names.
using RegionTable = KeyTable<Region>;

}  // namespace cinnabar::na::sdk
