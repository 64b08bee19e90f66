// SPDX-License-Identifier: BSD-3-Clause
// The hidden subcommand "count": a fixed number of calls or transfers between two nets of one
// process, in one thread, for programs that count what the process does: instructions, system
// calls, allocations. tests/perf/count.py knows how what is counted is told from the rest.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace cinnabar::perf {

// Adds it to the program; when the command line names it, `chosen` becomes what runs it.
void declare_count(CLI::App& app, std::function<int()>& chosen);

}  // namespace cinnabar::perf
