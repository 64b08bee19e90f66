// SPDX-License-Identifier: BSD-3-Clause
// This program, started once more with other arguments, and what it says on standard output. Any
// thread.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace cinnabar::perf {

struct SelfProcess {
    pid_t process = -1;         // -1: it could not be started; otherwise the caller reaps it
    std::FILE* said = nullptr;  // for the caller to close; null if there is no process
};

// The arguments without the program's name. Other descriptors than the standard ones are closed on
// the way where they say so themselves.
SelfProcess start_self(std::vector<std::string> arguments);

}  // namespace cinnabar::perf
