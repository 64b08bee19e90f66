// SPDX-License-Identifier: BSD-3-Clause
// How both processes of a measurement give up: one line that says why, and exit code 1. A figure
// that was taken after an error would be worth nothing, so nothing is carried on. Any thread.
#pragma once

#include <fmt/format.h>
#include <mercury.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace cinnabar::perf {

[[noreturn]] inline void fail(std::string_view what) {
    fmt::print(stderr, "cinnabar-perf: {}\n", what);
    std::fflush(nullptr);
    ::_exit(1);
}

// Fails unless an RPC function succeeded.
inline void check(hg_return_t ret, std::string_view what) {
    if (ret != HG_SUCCESS) fail(fmt::format("{}: {}", what, HG_Error_to_string(ret)));
}

// Fails with errno unless `good`.
inline void check_system(bool good, std::string_view what) {
    if (!good) fail(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace cinnabar::perf
