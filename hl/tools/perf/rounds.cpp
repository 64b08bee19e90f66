// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/rounds.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "hl/tools/perf/group.hpp"
#include "hl/tools/perf/measure.hpp"
#include "hl/tools/perf/progress_bar.hpp"
#include "hl/tools/perf/report.hpp"

namespace cinnabar::perf {
namespace {

struct Options {
    Limits limits;
    std::string json;
    std::vector<std::string> only;
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
            ProgressBar bar(one.name);
            const Figure figure =
                measure(one, options_.limits, [&](double part) { bar.show(part); });
            bar.clear();
            report_.add(one, figure);
        }
    }

    const Options& options_;
    Peer peer_;
    Report report_;
};

void adjust(Options& options) {
    if (options.quick) {
        options.limits.rounds = 1;
        options.limits.phase_seconds = 1e-4;
        options.limits.tolerance = 1e9;
    }
    options.limits.attempts = 4 * options.limits.rounds;
}

int run_rounds(Options& options) {
    adjust(options);
    Run run(options);
    for (const Group& group : groups())
        run.group(group);
    run.end();
    return 0;
}

}  // namespace

void declare_rounds(CLI::App& app, std::function<int()>& chosen) {
    auto* command = app.add_subcommand(
        "run", "Calls and pulls over every network of this machine, between two processes of it");
    auto options = std::make_shared<Options>();
    command->add_option("--json", options->json, "Write the report to this file, too");
    command->add_option("--only", options->only,
                        "Only the cases whose names begin so, for example sm/busy/rpc");
    command->add_option("--rounds", options->limits.rounds, "Rounds that count, for each case")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command
        ->add_option("--phase", options->limits.phase_seconds, "Seconds of one probe in one round")
        ->check(CLI::Range(1e-5, 60.0))
        ->capture_default_str();
    command
        ->add_option("--tolerance", options->limits.tolerance,
                     "By which factor the two floors of a round may disagree")
        ->check(CLI::Range(1.0, 1e9))
        ->capture_default_str();
    command->add_flag("--no-pin", options->no_pin, "Let the system choose the processors");
    command->add_flag("--quick", options->quick,
                      "See that everything works; the figures are worthless");
    command->callback([options, &chosen] { chosen = [options] { return run_rounds(*options); }; });
}

}  // namespace cinnabar::perf
