// SPDX-License-Identifier: BSD-3-Clause
#include "bulk/plan.hpp"

#include <algorithm>

namespace cinnabar::bulk {

Plan::Plan(std::span<const std::uint64_t> local, std::uint64_t local_offset,
           std::span<const std::uint64_t> remote, std::uint64_t remote_offset,
           std::uint64_t size) noexcept
    : local_{local, 0, local_offset}, remote_{remote, 0, remote_offset}, left_(size) {}

void Plan::Cursor::normalise() noexcept {
    while (piece < lengths.size() && offset >= lengths[piece]) {
        offset -= lengths[piece];
        ++piece;
    }
}

bool Plan::next(Step& step) noexcept {
    if (left_ == 0) return false;
    local_.normalise();
    remote_.normalise();
    if (local_.piece >= local_.lengths.size() || remote_.piece >= remote_.lengths.size())
        return false;
    const std::uint64_t size = std::min({left_, local_.lengths[local_.piece] - local_.offset,
                                         remote_.lengths[remote_.piece] - remote_.offset});
    step = {local_.piece, local_.offset, remote_.piece, remote_.offset, size};
    local_.offset += size;
    remote_.offset += size;
    left_ -= size;
    return true;
}

}  // namespace cinnabar::bulk
