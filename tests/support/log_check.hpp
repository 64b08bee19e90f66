// SPDX-License-Identifier: BSD-3-Clause
// Watches the log of the library: an error or warning line that the running test has not announced
// fails it, and so does an announced one that never came. Any thread may log; announcements are
// made by the test (or a role in a child process) and hold until the test case ends.
#pragma once

#include <string>
#include <vector>

namespace cinnabar::test {

// Announces that a line with this text must come, once or more.
void expect_log(std::string text);
// Announces that a line with this text may come.
void allow_log(std::string text);

// For the main program: takes the log over.
void install_log_check();
// Begins a test case: forgets announcements and findings.
void begin_log_check();
// Ends it: what is wrong with the log, empty if nothing.
std::vector<std::string> end_log_check();

}  // namespace cinnabar::test
