// SPDX-License-Identifier: BSD-3-Clause
// How a producer tells a consumer that a ring has something, at no cost while the consumer is awake
// and looking. Each context owns one shared page: a sleep epoch (odd: asleep, ring my eventfd) and
// a bitmap of connections that have news, in two levels so that a poll reads one word however many
// peers there are. Ordering is asymmetric: a producer only stores the slot and loads the flags; a
// consumer that stops looking pays membarrier(2), which is a fence in every registered process, and
// looks once more. Where either process lacks it, producers fence.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "plugins/sm/options.hpp"

namespace cinnabar::sm {

struct DoorbellPage {
    alignas(64) std::atomic<std::uint32_t> sleep_epoch;
    alignas(64) std::atomic<std::uint64_t> summary;  // bit i: words[i] is not 0
    alignas(64) std::atomic<std::uint64_t> words[bell_bits / 64];
};
inline constexpr std::size_t doorbell_size = 4096;
static_assert(sizeof(DoorbellPage) <= doorbell_size && bell_bits == 64 * 64);

// Producer: marks one connection in a consumer's page.
inline void mark(DoorbellPage& page, std::uint32_t bit) noexcept {
    bit %= bell_bits;
    page.words[bit / 64].fetch_or(std::uint64_t{1} << bit % 64, std::memory_order_seq_cst);
    page.summary.fetch_or(std::uint64_t{1} << bit / 64, std::memory_order_seq_cst);
}

// Consumer: takes all marks and calls visit(bit) for each.
template <class Visit>
void take_marks(DoorbellPage& page, Visit&& visit) noexcept {
    if (page.summary.load(std::memory_order_acquire) == 0) return;
    std::uint64_t groups = page.summary.exchange(0, std::memory_order_seq_cst);
    for (; groups != 0; groups &= groups - 1) {
        const auto group = static_cast<std::uint32_t>(std::countr_zero(groups));
        std::uint64_t bits = page.words[group].exchange(0, std::memory_order_seq_cst);
        for (; bits != 0; bits &= bits - 1)
            visit(group * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
}

// Registers the process for heavy_fence() of others; false where the kernel cannot. Any thread.
bool register_fences() noexcept;

// Afterwards every store that this thread made before is visible to whatever a thread of a
// registered process loads later, and the other way round. One system call where supported, else a
// plain fence.
void heavy_fence() noexcept;

}  // namespace cinnabar::sm
