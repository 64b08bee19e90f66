// SPDX-License-Identifier: BSD-3-Clause
// A client beside the one that is measured, in a process of its own: many large calls in flight,
// and slow to read the answers, or stopped altogether in the middle of them. One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "hl/tools/perf/caller.hpp"
#include "hl/tools/perf/self_process.hpp"

namespace cinnabar::perf {

enum class Trouble { slow, stopped };

class Neighbour {
public:
    // Its calls are under way when this returns.
    Neighbour(const Endpoint& endpoint, Trouble trouble);
    Neighbour(const Neighbour&) = delete;
    Neighbour& operator=(const Neighbour&) = delete;
    // The process is killed: its server learns that from the system.
    ~Neighbour();

private:
    SelfProcess self_;
};

// The subcommand of that process.
void declare_neighbour(CLI::App& app, std::function<int()>& chosen);

}  // namespace cinnabar::perf
