// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/region.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

namespace cinnabar::na::sdk {

namespace {

// Calls copy(address, bytes) for each part of a range that lies in one segment.
template <class Copy>
void for_each_part(const std::vector<Segment>& segments, std::uint64_t offset, std::size_t size,
                   Copy&& copy) noexcept {
    if (size == 0) return;
    std::size_t index = segment_at(segments, offset);
    std::uint64_t skip = offset - segments[index].start;
    for (; size > 0; ++index, skip = 0) {
        const Segment& segment = segments[index];
        const auto part = std::min<std::size_t>(segment.length - skip, size);
        copy(reinterpret_cast<std::byte*>(segment.base + skip), part);
        size -= part;
    }
}

}  // namespace

std::size_t segment_at(const std::vector<Segment>& segments, std::uint64_t offset) noexcept {
    const auto after =
        std::upper_bound(segments.begin(), segments.end(), offset,
                         [](std::uint64_t at, const Segment& part) { return at < part.start; });
    return static_cast<std::size_t>(after - segments.begin() - 1);
}

Region::Region(const na_segment* segments, std::size_t count, std::uint32_t flags) : flags_(flags) {
    segments_.reserve(count);
    for (const na_segment& segment : std::span(segments, count)) {
        if (segment.len == 0) continue;
        segments_.push_back(
            {reinterpret_cast<std::uintptr_t>(segment.base), segment.len, length_, 0});
        length_ += segment.len;
    }
}

std::size_t Region::vectors(std::uint64_t offset, std::size_t size, std::span<iovec> to,
                            std::size_t& used) const noexcept {
    used = 0;
    if (size == 0 || segments_.empty()) return 0;
    std::size_t covered = 0;
    std::size_t index = segment_at(segments_, offset);
    std::uint64_t skip = offset - segments_[index].start;
    for (; index < segments_.size() && covered < size && used < to.size(); ++index, skip = 0) {
        const Segment& segment = segments_[index];
        const auto part = std::min<std::size_t>(segment.length - skip, size - covered);
        to[used++] = {reinterpret_cast<void*>(segment.base + skip), part};
        covered += part;
    }
    return covered;
}

void Region::copy_in(std::uint64_t offset, const std::byte* from, std::size_t size) const noexcept {
    for_each_part(segments_, offset, size, [&](std::byte* at, std::size_t part) {
        std::memcpy(at, from, part);
        from += part;
    });
}

void Region::copy_out(std::uint64_t offset, std::byte* to, std::size_t size) const noexcept {
    for_each_part(segments_, offset, size, [&](const std::byte* at, std::size_t part) {
        std::memcpy(to, at, part);
        to += part;
    });
}

bool Region::pin() noexcept {
    pins_.fetch_add(1, std::memory_order_seq_cst);
    if (!dead_.load(std::memory_order_seq_cst)) return true;
    unpin();
    return false;
}

void Region::retire() noexcept {
    dead_.store(true, std::memory_order_seq_cst);
    while (pins_.load(std::memory_order_seq_cst) != 0)
        std::this_thread::yield();
}

}  // namespace cinnabar::na::sdk
