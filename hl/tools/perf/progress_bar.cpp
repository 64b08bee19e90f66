// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "hl/tools/perf/spin.hpp"

namespace cinnabar::perf {
namespace {

constexpr int width = 24;
constexpr double seconds_between = 0.1;

}  // namespace

ProgressBar::ProgressBar(std::string title)
    : title_(std::move(title)), is_terminal_(::isatty(STDERR_FILENO) != 0) {
    show(0);
}

void ProgressBar::show(double part) {
    if (!is_terminal_) return;
    const double time = now();
    if (drawn_ && time - last_ < seconds_between) return;
    last_ = time;
    drawn_ = true;
    const double bounded = std::clamp(part, 0.0, 1.0);
    const auto full = static_cast<std::size_t>(bounded * width);
    fmt::print(stderr, "\r[{:<{}}] {:3.0f}% {:<48.48}", std::string(full, '#'), width,
               bounded * 100, title_);
    std::fflush(stderr);
}

void ProgressBar::clear() {
    if (!drawn_) return;
    drawn_ = false;
    fmt::print(stderr, "\r{:<80}\r", "");
    std::fflush(stderr);
}

}  // namespace cinnabar::perf
