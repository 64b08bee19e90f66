// SPDX-License-Identifier: BSD-3-Clause
// The server process: does what the client's commands ask for, one after the other, in one thread.
#pragma once

#include "hl/tools/perf/control.hpp"

namespace cinnabar::perf {

// Works until it is told to quit, and returns the exit code. With `floors_only` nothing else is
// done, for clients that somebody else has started, and it ends when they say nothing for a minute.
int run_server(const Inheritance& inheritance, bool floors_only = false);

}  // namespace cinnabar::perf
