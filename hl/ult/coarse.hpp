// SPDX-License-Identifier: BSD-3-Clause
// The time of Clock as of the last tick, a few milliseconds ago at most, for a few instructions:
// for what is only looked at by people.
#pragma once

#include <time.h>

#include <cstdint>

namespace cinnabar {
inline namespace v1 {
namespace detail {

// Nanoseconds.
inline std::int64_t coarse_now() noexcept {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
