// SPDX-License-Identifier: BSD-3-Clause
// The hidden subcommand "floor": one floor as the others measure it, to be compared with a program
// that measures the same without any code of this one (tests/perf/floors.py). The best of short
// phases, as there.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/measure.hpp"
#include "hl/tools/perf/peer.hpp"
#include "hl/tools/perf/roles.hpp"

namespace cinnabar::perf {
namespace {

constexpr int phases = 50;
constexpr double phase_seconds = 0.001;
constexpr std::size_t block = 65536;

Probe probe_of(const std::string& name, Floors& floors) {
    if (name == "line") return floors.cache_line();
    if (name == "socket") return floors.socket_call(1, false);
    if (name == "read") return floors.process_read(block);
    return floors.copy(block);
}

int run_floor(const std::string& name) {
    Peer peer(true);
    const Probe probe = probe_of(name, peer);
    double best = std::numeric_limits<double>::max();
    for (int i = 0; i < phases; ++i)
        best = std::min(best, seconds_of_step(probe, phase_seconds));
    fmt::print("{:.4f}\n", best * 1e6);
    return 0;
}

}  // namespace

void declare_floor(CLI::App& app, std::function<int()>& chosen) {
    auto* command = app.add_subcommand("floor")->group("");
    auto name = std::make_shared<std::string>();
    command->add_option("name", *name)
        ->required()
        ->check(CLI::IsMember({"line", "socket", "read", "copy"}));
    command->callback([name, &chosen] { chosen = [name] { return run_floor(*name); }; });
}

}  // namespace cinnabar::perf
