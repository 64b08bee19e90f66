// SPDX-License-Identifier: BSD-3-Clause
// cinnabar_perf: what a call and a pull cost between two processes on this machine, and what the
// machine itself costs underneath, measured in the same minutes. docs/performance.md says how to
// read it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>

#include "tests/perf/fail.hpp"
#include "tests/perf/group.hpp"
#include "tests/perf/report.hpp"
#include "tests/perf/server.hpp"

namespace cinnabar::perf {
namespace {

struct Options {
    Limits limits;
    std::string json;
    std::vector<std::string> only;
    std::string server;
    bool quick = false;
    bool no_pin = false;
};

// Runs, in their order, the cases that the options select.
class Run {
public:
    explicit Run(const Options& options)
        : options_(options), peer_(!options.no_pin), report_(options.limits, peer_.is_pinned()) {
        report_.print_header();
    }

    void group(const Group& group) {
        if (!may_match(group)) return;
        Session session(peer_, group.info, group.busy);
        measure_all(call_cases(group, peer_, session));
        for (const Memory memory : {Memory::user, Memory::library}) {
            const std::vector<Case> cases = pull_cases(group, memory, peer_, session);
            if (std::none_of(cases.begin(), cases.end(),
                             [&](const Case& one) { return is_selected(one.name); }))
                continue;
            session.describe(memory);
            measure_all(cases);
        }
    }

    void end() {
        if (!options_.json.empty()) report_.write(options_.json);
    }

private:
    bool is_selected(const std::string& name) const {
        return options_.only.empty() ||
               std::any_of(options_.only.begin(), options_.only.end(),
                           [&](const std::string& start) { return name.rfind(start, 0) == 0; });
    }

    // Whether a selection begins as the names in the group do, or those as the selection does.
    bool may_match(const Group& group) const {
        const std::string start = group.path + "/" + group.mode() + "/";
        return is_selected(start) ||
               std::any_of(options_.only.begin(), options_.only.end(),
                           [&](const std::string& name) { return name.rfind(start, 0) == 0; });
    }

    void measure_all(const std::vector<Case>& cases) {
        for (const Case& one : cases) {
            if (!is_selected(one.name)) continue;
            show_progress("measuring " + one.name);
            const Figure figure = measure(one, options_.limits);
            show_progress("");
            report_.add(one, figure);
        }
    }

    static void show_progress(const std::string& text) {
        if (::isatty(STDERR_FILENO) == 0) return;
        fmt::print(stderr, "\r{:<60}\r", text);
    }

    const Options& options_;
    Peer peer_;
    Report report_;
};

void declare(CLI::App& app, Options& options) {
    app.add_option("--json", options.json, "write the report to this file, too");
    app.add_option("--only", options.only,
                   "only the cases whose names begin so, for example sm/busy/rpc");
    app.add_option("--rounds", options.limits.rounds, "rounds that count, for each case")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app.add_option("--phase", options.limits.phase_seconds, "seconds of one probe in one round")
        ->check(CLI::Range(1e-5, 60.0))
        ->capture_default_str();
    app.add_option("--tolerance", options.limits.tolerance,
                   "by which factor the two floors of a round may disagree")
        ->check(CLI::Range(1.0, 1e9))
        ->capture_default_str();
    app.add_flag("--no-pin", options.no_pin, "let the system choose the processors");
    app.add_flag("--quick", options.quick, "see that everything works; the figures are worthless");
    app.add_option("--server", options.server)->group("");
}

void adjust(Options& options) {
    if (options.quick) {
        options.limits.rounds = 1;
        options.limits.phase_seconds = 1e-4;
        options.limits.tolerance = 1e9;
    }
    options.limits.attempts = 4 * options.limits.rounds;
}

int run(int argc, char** argv) {
    CLI::App app("What calls and pulls cost, and what the machine costs underneath");
    Options options;
    declare(app, options);
    CLI11_PARSE(app, argc, argv);
    adjust(options);
    if (!options.server.empty()) return run_server(from_text(options.server));
    Run run(options);
    for (const Group& group : groups())
        run.group(group);
    run.end();
    return 0;
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
