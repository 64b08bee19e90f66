// SPDX-License-Identifier: BSD-3-Clause
// The deadline of a test: when it passes, the stacks of this process and of every process below it
// are printed (if gdb is installed) and the process aborts. Nothing asserts on time otherwise.
// Deadlines are multiplied by CINNABAR_TEST_SLOWDOWN, for sanitizers. The time that threads of
// those processes wait for a processor does not count, up to three times the deadline: a test that
// gets none on a busy machine is slow, and does not hang.
#pragma once

#include <string>

namespace cinnabar::test {

inline constexpr int default_deadline_s = 60;

// Starts (or restarts) the deadline; `what` is named when it passes. Any thread.
void arm_watchdog(int seconds, std::string what);
void disarm_watchdog();

// How many times slower than usual this run may be, at least 1.
int slowdown();

}  // namespace cinnabar::test
