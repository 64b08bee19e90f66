// SPDX-License-Identifier: BSD-3-Clause
// Copying between two lists of segments of this process: transfers to oneself, and data that came
// along with its descriptor. Pure; the ranges have been checked by the caller.
#pragma once

#include <span>

#include "bulk/segment.hpp"

namespace cinnabar::bulk {

struct Range {
    std::span<const na_segment> segments;
    std::uint64_t offset;
};

void copy(Range to, Range from, std::uint64_t size) noexcept;

}  // namespace cinnabar::bulk
