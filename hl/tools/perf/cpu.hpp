// SPDX-License-Identifier: BSD-3-Clause
// Where the two processes run: each on a processor of its own, if there are two, so that no figure
// depends on where the scheduler happened to put them.
#pragma once

#include <vector>

namespace cinnabar::perf {

// The processors that this process may run on.
std::vector<int> allowed_cpus();

// Takes pin_to() back, for this thread and those that it starts, but for one processor if there are
// others.
void pin_to_any(int except = -1);

// From now on this process runs on that one only.
void pin_to(int cpu);

}  // namespace cinnabar::perf
