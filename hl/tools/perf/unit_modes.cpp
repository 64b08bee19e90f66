// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/unit_modes.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hl/tools/perf/cpu.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/unit_peers.hpp"

namespace cinnabar::perf {
namespace {

struct Options {
    std::string info = "na+sm";
    std::string json;
    int rounds = 5;
    double seconds = 0.3;
    std::vector<std::size_t> in_flight{1, 16};
    bool no_pin = false;
};

constexpr std::array kinds{UnitKind::bare, UnitKind::bare_threads, UnitKind::typed_shared,
                           UnitKind::typed_own};

const char* name_of(UnitKind kind) {
    switch (kind) {
        case UnitKind::bare:
            return "HG_Forward, one thread";
        case UnitKind::bare_threads:
            return "HG_Forward, in a process that has had another thread";
        case UnitKind::typed_shared:
            return "typed, unit to unit, Progress::shared";
        case UnitKind::typed_own:
            return "typed, unit to unit, Progress::own_stream";
    }
    return "";
}

// This program again, with its input and its output.
class Child {
public:
    explicit Child(const std::vector<std::string>& arguments) {
        std::array<int, 2> in{}, out{};
        check_system(::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0,
                     "pipe2");
        pid_ = ::fork();
        check_system(pid_ >= 0, "fork");
        if (pid_ == 0) {
            ::dup2(in[0], STDIN_FILENO);
            ::dup2(out[1], STDOUT_FILENO);
            std::vector<char*> words;
            for (const std::string& argument : arguments)
                words.push_back(const_cast<char*>(argument.c_str()));
            words.push_back(nullptr);
            ::execv("/proc/self/exe", words.data());
            ::_exit(1);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        output_ = out[0];
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::close(input_);
        ::close(output_);
        if (pid_ > 0 && !ended_) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }
    std::string line() const {
        std::string text;
        char byte = 0;
        while (::read(output_, &byte, 1) == 1 && byte != '\n')
            text += byte;
        if (text.empty()) fail("a process of \"units\" has failed");
        return text;
    }
    void end() {
        ::close(std::exchange(input_, -1));
        int status = 0;
        check_system(::waitpid(pid_, &status, 0) == pid_, "waitpid");
        ended_ = true;
        if (status != 0) fail("a process of \"units\" has failed");
    }

private:
    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    bool ended_ = false;
};

double call_cost(const Options& options, UnitKind kind, std::size_t in_flight) {
    const std::vector<int> cpus = allowed_cpus();
    // With progress on a stream of its own, each side wants two.
    const bool pin = !options.no_pin && cpus.size() > 1 && kind != UnitKind::typed_own;
    const auto arguments = [&](const char* role, std::size_t which) {
        return std::vector<std::string>{"cinnabar-perf", role,
                                        std::to_string(static_cast<int>(kind)), options.info,
                                        std::to_string(pin ? cpus[which] : -1)};
    };
    Child server(arguments("unit-server", 0));
    std::vector<std::string> of_client = arguments("unit-client", 1);
    for (const std::string& more :
         {server.line(), std::to_string(in_flight), std::to_string(options.seconds)})
        of_client.push_back(more);
    Child client(of_client);
    const double cost = std::stod(client.line());
    client.end();
    return cost;  // and the server goes
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

nlohmann::json measure_calls(const Options& options, std::size_t in_flight) {
    std::map<UnitKind, std::vector<double>> costs, ratios, threaded;
    for (int round = 0; round < options.rounds; ++round) {
        for (const UnitKind kind : kinds)
            costs[kind].push_back(call_cost(options, kind, in_flight));
        for (const UnitKind kind : kinds) {
            const double cost = costs[kind].back();
            ratios[kind].push_back(cost / costs[UnitKind::bare].back());
            threaded[kind].push_back(cost / costs[UnitKind::bare_threads].back());
        }
    }
    nlohmann::json rows = nlohmann::json::array();
    for (const UnitKind kind : kinds) {
        const double cost = median(costs[kind]), ratio = median(ratios[kind]);
        const double to_threaded = median(threaded[kind]);
        fmt::print("| {}, {} in flight | {:.0f} | {:.2f} | {:.2f} |\n", name_of(kind), in_flight,
                   cost, ratio, to_threaded);
        std::fflush(stdout);
        rows.push_back({{"what", name_of(kind)},
                        {"in_flight", in_flight},
                        {"ns", cost},
                        {"of_bare", ratio},
                        {"of_bare_with_threads", to_threaded}});
    }
    return rows;
}

int run_units(const Options& options) {
    nlohmann::json report;
    std::map<std::string, std::vector<double>> costs;
    for (int round = 0; round < options.rounds; ++round) {
        const UnitCosts one = measure_units();
        costs["switch to another unit"].push_back(one.switch_ns);
        costs["create, run, finish"].push_back(one.create_ns);
        costs["wake a unit of another stream that runs"].push_back(one.wake_awake_ns);
        costs["wake a unit of another stream that sleeps"].push_back(one.wake_asleep_ns);
    }
    fmt::print("| units | ns |\n|---|---|\n");
    for (const auto& [what, values] : costs) {
        fmt::print("| {} | {:.0f} |\n", what, median(values));
        report["units"].push_back({{"what", what}, {"ns", median(values)}});
    }
    fmt::print(
        "\n| a call over {} | ns | times bare | times bare with threads |\n"
        "|---|---|---|---|\n",
        options.info);
    for (const std::size_t in_flight : options.in_flight)
        for (const auto& row : measure_calls(options, in_flight))
            report["calls"].push_back(row);
    if (!options.json.empty()) {
        std::ofstream file(options.json);
        file << report.dump(2) << '\n';
        if (!file) fail("cannot write " + options.json);
    }
    return 0;
}

void declare_peer(CLI::App& app, const char* name, std::function<int()>& chosen, bool client) {
    auto run = std::make_shared<UnitRun>();
    auto* command = app.add_subcommand(name)->group("");
    command->add_option("kind", run->kind)->required();
    command->add_option("info", run->info)->required();
    command->add_option("cpu", run->cpu)->required();
    if (client) {
        command->add_option("server", run->server)->required();
        command->add_option("in_flight", run->in_flight)->required();
        command->add_option("seconds", run->seconds)->required();
    }
    command->callback([run, client, &chosen] {
        chosen = [run, client] { return client ? run_unit_client(*run) : run_unit_server(*run); };
    });
}

}  // namespace

void declare_units(CLI::App& app, std::function<int()>& chosen) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "units", "What user-level threads cost, and typed calls beside HG_Forward");
    command->add_option("info", options->info, "The net of the calls")->capture_default_str();
    command->add_option("--rounds", options->rounds, "In which the kinds take turns")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_option("--seconds", options->seconds, "Of each figure of a call in each round")
        ->check(CLI::Range(1e-4, 60.0))
        ->capture_default_str();
    command->add_option("--in-flight", options->in_flight, "Calls at a time")
        ->delimiter(',')
        ->check(CLI::Range(1, 4096));
    command->add_option("--json", options->json, "Write the figures to this file, too");
    command->add_flag("--no-pin", options->no_pin, "Let the system choose the processors");
    command->callback([options, &chosen] { chosen = [options] { return run_units(*options); }; });
    declare_peer(app, "unit-server", chosen, false);
    declare_peer(app, "unit-client", chosen, true);
}

}  // namespace cinnabar::perf
