// SPDX-License-Identifier: BSD-3-Clause
// cinnabar-perf: what calls and transfers cost over a network, and what the machine underneath
// costs, measured in the same minutes. Each subcommand is a file; docs/performance.md says how to
// read what they print.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "hl/tools/perf/count.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/floor_process.hpp"
#include "hl/tools/perf/neighbour.hpp"
#include "hl/tools/perf/roles.hpp"
#include "hl/tools/perf/rounds.hpp"
#include "hl/tools/perf/server.hpp"
#include "hl/tools/perf/unit_modes.hpp"

namespace cinnabar::perf {
namespace {

int run(int argc, char** argv) {
    CLI::App app("What calls and transfers cost, and what the machine costs underneath");
    unsigned major = 0, minor = 0, patch = 0;
    check(HG_Version_get(&major, &minor, &patch), "HG_Version_get");
    app.set_version_flag("-V,--version", fmt::format("{}.{}.{}", major, minor, patch));
    app.require_subcommand(1);
    std::function<int()> chosen;
    declare_server(app, chosen);
    declare_clients(app, chosen);
    declare_rounds(app, chosen);
    declare_count(app, chosen);
    declare_floor(app, chosen);
    declare_neighbour(app, chosen);
#if defined(CINNABAR_HAS_UNITS)
    declare_units(app, chosen);
#endif
    // The other process of "run", started by it.
    std::string inheritance;
    auto* peer = app.add_subcommand("peer")->group("");
    peer->add_option("inheritance", inheritance)->required();
    peer->callback([&] { chosen = [&] { return run_server(from_text(inheritance)); }; });
    // The process of a server's that measures floors.
    std::string host;
    auto* floors = app.add_subcommand("floors")->group("");
    floors->add_option("host", host)->required();
    floors->callback([&] { chosen = [&] { return run_floor_process(host); }; });
    CLI11_PARSE(app, argc, argv);
    return chosen();
}

}  // namespace
}  // namespace cinnabar::perf

int main(int argc, char** argv) {
    try {
        return cinnabar::perf::run(argc, argv);
    } catch (const std::exception& error) {
        cinnabar::perf::fail(error.what());
    }
}
