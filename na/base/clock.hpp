// SPDX-License-Identifier: BSD-3-Clause
// The time that housekeeping goes by: cheap and coarse (some milliseconds), never backwards.
#pragma once

#include <time.h>

#include <cstdint>

namespace cinnabar {

inline std::int64_t coarse_now_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

inline std::int64_t coarse_now_ms() noexcept {
    return coarse_now_ns() / 1'000'000;
}

}  // namespace cinnabar
