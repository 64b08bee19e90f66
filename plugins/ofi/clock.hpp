// SPDX-License-Identifier: BSD-3-Clause
// Milliseconds of a clock that only goes forward. Any thread; no system call.
#pragma once

#include <cstdint>
#include <ctime>

namespace cinnabar::ofi {

inline std::int64_t now_ms() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace cinnabar::ofi
