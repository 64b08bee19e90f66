// SPDX-License-Identifier: BSD-3-Clause
// A bar on standard error that says how far a measurement is; nothing where that is no terminal.
// It is drawn between what is timed, at most ten times a second. One thread.
#pragma once

#include <string>

namespace cinnabar::perf {

class ProgressBar {
public:
    explicit ProgressBar(std::string title);
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ~ProgressBar() { clear(); }

    // `part` of the whole, 0 to 1.
    void show(double part);
    // Leaves the line as it was.
    void clear();

private:
    std::string title_;
    bool is_terminal_;
    bool drawn_ = false;
    double last_ = 0;
};

}  // namespace cinnabar::perf
