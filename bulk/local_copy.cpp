// SPDX-License-Identifier: BSD-3-Clause
#include "bulk/local_copy.hpp"

#include <algorithm>
#include <cstring>

namespace cinnabar::bulk {

void copy(Range to, Range from, std::uint64_t size) noexcept {
    visit_range(from.segments, from.offset, size, [&](const char* source, std::uint64_t length) {
        visit_range(to.segments, to.offset, length, [&](char* target, std::uint64_t part) {
            // The two may be views of the same memory.
            std::memmove(target, source, part);
            source += part;
            return true;
        });
        to.offset += length;
        return true;
    });
}

}  // namespace cinnabar::bulk
