// SPDX-License-Identifier: BSD-3-Clause
// The subcommands "server", "client" and "local", which is a client with a server of its own. A
// server prints its address as one line and serves until it is interrupted or a client stops it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace cinnabar::perf {

// Adds them to the program; when the command line names one, `chosen` becomes what runs it.
void declare_server(CLI::App& app, std::function<int()>& chosen);
void declare_clients(CLI::App& app, std::function<int()>& chosen);
// A floor alone; hidden.
void declare_floor(CLI::App& app, std::function<int()>& chosen);

}  // namespace cinnabar::perf
