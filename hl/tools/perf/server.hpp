// SPDX-License-Identifier: BSD-3-Clause
// The server process: does what the client's commands ask for, one after the other, in one thread.
#pragma once

#include "hl/tools/perf/control.hpp"

namespace cinnabar::perf {

// Works until it is told to quit, and returns the exit code.
int run_server(const Inheritance& inheritance);

}  // namespace cinnabar::perf
