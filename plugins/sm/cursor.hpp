// SPDX-License-Identifier: BSD-3-Clause
// A position in a list of segments that advances piece by piece: how transfers between two lists of
// different shape are cut. Pure.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plugins/sm/memory.hpp"

namespace cinnabar::sm {

class Cursor {
public:
    Cursor() noexcept = default;
    // offset is inside, or at the end.
    Cursor(const std::vector<Segment>& segments, std::uint64_t offset) noexcept
        : segments_(&segments), within_(offset) {
        settle();
    }

    std::size_t index() const noexcept { return index_; }
    std::uint64_t within() const noexcept { return within_; }
    std::byte* address() const noexcept {
        return reinterpret_cast<std::byte*>((*segments_)[index_].base + within_);
    }
    // Bytes up to the end of the segment; 0 only at the end of all.
    std::uint64_t contiguous() const noexcept {
        return index_ < segments_->size() ? (*segments_)[index_].length - within_ : 0;
    }
    void advance(std::uint64_t bytes) noexcept {
        within_ += bytes;
        settle();
    }
    // Fills up to `count` entries with the next `bytes`; returns the entries used and the bytes
    // covered.
    std::size_t fill(iovec* entries, std::size_t count, std::uint64_t& bytes) const noexcept {
        Cursor at = *this;
        std::size_t used = 0;
        std::uint64_t covered = 0;
        while (used < count && covered < bytes) {
            const std::uint64_t piece = std::min(at.contiguous(), bytes - covered);
            if (piece == 0) break;
            entries[used++] = {at.address(), static_cast<std::size_t>(piece)};
            covered += piece;
            at.advance(piece);
        }
        bytes = covered;
        return used;
    }

private:
    void settle() noexcept {
        while (index_ < segments_->size() && within_ >= (*segments_)[index_].length)
            within_ -= (*segments_)[index_++].length;
    }

    const std::vector<Segment>* segments_ = nullptr;
    std::size_t index_ = 0;
    std::uint64_t within_ = 0;
};

}  // namespace cinnabar::sm
