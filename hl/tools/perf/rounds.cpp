// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
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

// Runs, in their order, the cases that the options select, as often as there are passes.
class Run {
public:
    explicit Run(const Options& options)
        : options_(options), peer_(!options.no_pin), report_(options.limits, peer_.is_pinned()) {
        report_.print_header();
    }

    void pass(int number) {
        pass_ = number;
        for (const Group& each : groups())
            group(each);
    }

    void end() {
        if (!options_.json.empty()) report_.write(options_.json);
    }

private:
    void group(const Group& group) {
        if (!may_match(group)) return;
        Session session(peer_, group.info, group.busy);
        {
            std::optional<Session> busy;
            if (!group.busy) busy.emplace(peer_, group.info, true, 1);
            measure_all(call_cases(group, peer_, session, busy ? &*busy : nullptr));
        }
        for (const Memory memory : {Memory::user, Memory::library}) {
            const std::vector<Case> cases = pull_cases(group, memory, peer_, session);
            if (std::none_of(cases.begin(), cases.end(),
                             [&](const Case& one) { return is_selected(one.name); }))
                continue;
            session.describe(memory);
            measure_all(cases);
        }
    }

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
            const int passes = options_.limits.passes;
            ProgressBar bar(fmt::format("{} of {}: {}", pass_, passes, one.name));
            const auto disturbances = [this] { return peer_.disturbances(); };
            Series& series =
                all_.try_emplace(one.name, options_.limits, disturbances).first->second;
            series.add_pass(one, [&](double part) { bar.show(part); });
            bar.clear();
            if (pass_ == passes) report_.add(one, series.figure(one));
        }
    }

    const Options& options_;
    Peer peer_;
    Report report_;
    std::map<std::string, Series> all_;  // by name of the case
    int pass_ = 0;
};

void adjust(Options& options) {
    if (options.quick) {
        options.limits.rounds = 1;
        options.limits.passes = 1;
        options.limits.precision = 1;
        options.limits.phase_seconds = 1e-4;
        options.limits.tolerance = 1e9;
    }
    options.limits.passes = std::min(options.limits.passes, options.limits.rounds);
    options.limits.attempts = 4 * options.limits.rounds;
}

int run_rounds(Options& options) {
    adjust(options);
    Run run(options);
    for (int i = 1; i <= options.limits.passes; ++i)
        run.pass(i);
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
    command
        ->add_option("--rounds", options->limits.rounds,
                     "Rounds that count, for each case, at least")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command
        ->add_option("--passes", options->limits.passes,
                     "Times that all cases are gone through, each with its part of the rounds")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command
        ->add_option("--precision", options->limits.precision,
                     "Where the ratio's median is less certain, four times as many rounds are made")
        ->check(CLI::Range(1e-6, 1.0))
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
