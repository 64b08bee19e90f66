// SPDX-License-Identifier: BSD-3-Clause
// Busy waiting, and the clock. A spinner gives up the processor now and then: for a machine with
// one processor, or with other work on its processors, where the peer would otherwise have to wait
// for the end of our time slice. It does not pause in between, which would make a floor slower than
// it is. Where more threads poll than there are processors, each gives way after a few looks, or
// the time slices of those who have nothing to do would be what is measured.
#pragma once

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace cinnabar::perf {

// Seconds since some moment, for differences.
inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

class Spinner {
public:
    explicit Spinner(bool crowded = false)
        : spins_per_yield_(crowded ? crowded_spins_per_yield : spins_per_yield) {}
    // One more look was in vain.
    void again() {
        if (++spins_ % spins_per_yield_ == 0) ::sched_yield();
    }

private:
    static constexpr std::uint32_t spins_per_yield = 20000;
    static constexpr std::uint32_t crowded_spins_per_yield = 4;
    std::uint32_t spins_per_yield_;
    std::uint32_t spins_ = 0;
};

// Spins until the word has the value.
inline void spin_until(const std::atomic<std::uint64_t>& word, std::uint64_t value) {
    Spinner spinner;
    while (word.load(std::memory_order_acquire) != value)
        spinner.again();
}

}  // namespace cinnabar::perf
