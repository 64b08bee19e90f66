// SPDX-License-Identifier: BSD-3-Clause
// Counts the system calls that a role makes between two marks, with strace: for tests that say "a
// poll makes no system call". Needs strace and the right to trace.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/support/process.hpp"

namespace cinnabar::test {

// Whether strace can be run here; it is among the packages that the tests install.
bool can_count_system_calls();

// In the role: sets the mark "begin" or "end".
void mark_system_calls(std::string_view mark);

// A role under strace; talk to `process`, wait() for it, then ask counts().
class TracedProcess {
public:
    explicit TracedProcess(std::string_view role, const Arguments& arguments = {});
    TracedProcess(const TracedProcess&) = delete;
    TracedProcess& operator=(const TracedProcess&) = delete;
    ~TracedProcess();

    // How often the thread that set the marks made each call between them. After process.wait().
    std::map<std::string, unsigned> counts() const;

private:
    std::string file_;

public:
    Process process;
};

}  // namespace cinnabar::test
