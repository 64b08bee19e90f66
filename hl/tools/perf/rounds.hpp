// SPDX-License-Identifier: BSD-3-Clause
// The subcommand "run": every case of every network of this machine, in rounds that its floor
// brackets (measure.hpp). It starts its own server. One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace cinnabar::perf {

// Adds it to the program; when the command line names it, `chosen` becomes what runs it.
void declare_rounds(CLI::App& app, std::function<int()>& chosen);

}  // namespace cinnabar::perf
