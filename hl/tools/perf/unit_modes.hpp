// SPDX-License-Identifier: BSD-3-Clause
// The subcommand "units": what user-level threads cost, and a typed blocking call between units
// beside the bare HG_Forward, in rounds in which the kinds take turns. Each kind has two fresh
// processes, since a process that has had a second thread is slower ever after.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace cinnabar::perf {

// Adds it to the program, and the hidden subcommands that it starts itself with.
void declare_units(CLI::App& app, std::function<int()>& chosen);

}  // namespace cinnabar::perf
