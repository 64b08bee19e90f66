// SPDX-License-Identifier: BSD-3-Clause
// Ranges over lists of segments. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "na_types.h"

namespace cinnabar::bulk {

// Whether [offset, offset + size) lies in [0, length); cannot wrap.
constexpr bool in_range(std::uint64_t offset, std::uint64_t size, std::uint64_t length) noexcept {
    return offset <= length && size <= length - offset;
}

// Calls visit(base, length) for each non-empty piece of [offset, offset + size) until it returns
// false.
template <class Visit>
void visit_range(std::span<const na_segment> segments, std::uint64_t offset, std::uint64_t size,
                 Visit&& visit) {
    for (const na_segment& segment : segments) {
        if (size == 0) return;
        if (offset >= segment.len) {
            offset -= segment.len;
            continue;
        }
        const std::uint64_t length = std::min<std::uint64_t>(segment.len - offset, size);
        if (!visit(static_cast<char*>(segment.base) + offset, length)) return;
        size -= length;
        offset = 0;
    }
}

}  // namespace cinnabar::bulk
