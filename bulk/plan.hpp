// SPDX-License-Identifier: BSD-3-Clause
// How a transfer is cut into operations of the net: each step lies in one memory handle on either
// side. A net whose handles hold many segments thus needs one step; one that registers each segment
// by itself needs one per overlapping pair. Pure; the ranges have been checked by the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cinnabar::bulk {

struct Step {
    std::size_t local_piece = 0;
    std::uint64_t local_offset = 0;  // in that piece
    std::size_t remote_piece = 0;
    std::uint64_t remote_offset = 0;
    std::uint64_t size = 0;
};

class Plan {
public:
    Plan() = default;
    // `local` and `remote` are the lengths of the pieces; borrowed until the last next().
    Plan(std::span<const std::uint64_t> local, std::uint64_t local_offset,
         std::span<const std::uint64_t> remote, std::uint64_t remote_offset,
         std::uint64_t size) noexcept;

    // False when everything has been handed out.
    bool next(Step& step) noexcept;

private:
    struct Cursor {
        std::span<const std::uint64_t> lengths;
        std::size_t piece = 0;
        std::uint64_t offset = 0;
        void normalise() noexcept;  // to a piece in which something is left
    };
    Cursor local_;
    Cursor remote_;
    std::uint64_t left_ = 0;
};

}  // namespace cinnabar::bulk
