// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "hl/tools/perf/bench.hpp"
#include "hl/tools/perf/descriptors.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/plot.hpp"
#include "hl/tools/perf/roles.hpp"

namespace cinnabar::perf {
namespace {

const std::vector<std::pair<std::string, void (*)(Bench&)>> modes = {
    {"latency", measure_latency},
    {"rate", measure_rate},
    {"pull", measure_pull},
    {"push", measure_push},
    {"first-call", measure_first_call},
    {"storm", measure_storm},
    {"clients", measure_clients},
    {"neighbours", measure_neighbours},
    {"threads", measure_threads},
    {"rest", measure_rest},
};

struct ClientOptions {
    BenchOptions bench;
    std::string server;  // an address, or what a server of its own listens at
    std::string info;
    std::string json;
    std::string plots;
    bool blocking = false;
    bool no_pin = false;
    bool stop_server = false;
    bool quick = false;
};

void set_defaults(BenchOptions& bench, bool quick) {
    const auto fill = [&](auto& list, std::initializer_list<std::uint64_t> usual,
                          std::initializer_list<std::uint64_t> few) {
        if (!list.empty()) return;
        for (const std::uint64_t value : quick ? few : usual)
            list.push_back(static_cast<typename std::decay_t<decltype(list)>::value_type>(value));
    };
    constexpr std::uint64_t kib = 1024;
    constexpr std::uint64_t mib = kib * kib;
    fill(bench.sizes,
         {8, 64, 256, 512, kib, 2 * kib, 4 * kib, 8 * kib, 16 * kib, 32 * kib, 64 * kib},
         {8, 4 * kib, 64 * kib});
    fill(bench.transfers,
         {4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib, 16 * mib, 64 * mib},
         {4 * kib, mib});
    fill(bench.in_flight, {1, 2, 4, 8, 16, 32, 64, 128, 256}, {1, 16});
    fill(bench.segments, {1, 64}, {1, 3});
    fill(bench.clients, {1, 16, 256, 1000}, {3, 17});
    fill(bench.threads, {1, 2, 4}, {1, 2});
    if (bench.memory.empty()) bench.memory = {"user", "library"};
    if (bench.modes.empty()) bench.modes = {"latency", "rate"};
    if (std::find(bench.modes.begin(), bench.modes.end(), "all") != bench.modes.end()) {
        bench.modes.clear();
        for (const auto& mode : modes)
            bench.modes.push_back(mode.first);
    }
    if (quick) {
        bench.seconds = std::min(bench.seconds, 0.002);
        bench.repeats = 2;
    }
}

int run_client(ClientOptions& options, bool local) {
    BenchOptions& bench_options = options.bench;
    set_defaults(bench_options, options.quick);
    allow_most_descriptors();
    bench_options.endpoint.busy = !options.blocking;
    std::unique_ptr<Peer> peer;
    if (local) {
        peer = std::make_unique<Peer>(!options.no_pin);
        bench_options.endpoint.address = peer->open_net(options.server, !options.blocking);
    } else {
        bench_options.endpoint.address = options.server;
    }
    bench_options.endpoint.info =
        options.info.empty() ? client_info(bench_options.endpoint.address) : options.info;
    Table table({{"server", bench_options.endpoint.address},
                 {"info", bench_options.endpoint.info},
                 {"wait", options.blocking ? "blocking" : "busy"},
                 {"local", local}});
    {
        Bench bench(bench_options, table, peer.get());
        for (const std::string& name : bench_options.modes)
            std::find_if(modes.begin(), modes.end(), [&](const auto& mode) {
                return mode.first == name;
            })->second(bench);
        if (options.stop_server && !local) bench.caller().stop_server();
    }
    if (peer) peer->close_net();
    peer.reset();
    if (!options.json.empty()) table.write(options.json);
    if (!options.plots.empty()) plot(table.rows(), options.plots, options.server);
    return 0;
}

void declare_lists(CLI::App& command, BenchOptions& bench) {
    std::vector<std::string> names{"all"};
    for (const auto& mode : modes)
        names.push_back(mode.first);
    command.add_option("--mode", bench.modes, "What to measure; default: latency and rate")
        ->delimiter(',')
        ->check(CLI::IsMember(names));
    command.add_option("--seconds", bench.seconds, "Of each line")
        ->check(CLI::Range(1e-4, 3600.0))
        ->capture_default_str();
    command.add_option("--sizes", bench.sizes, "Bytes that calls carry there and back")
        ->delimiter(',')
        ->transform(CLI::AsSizeValue(false));
    command.add_option("--transfers", bench.transfers, "Bytes of a pull or push, up to 64 MiB")
        ->delimiter(',')
        ->transform(CLI::AsSizeValue(false))
        ->check(CLI::Range(std::uint64_t{1}, largest_area));
    command.add_option("--in-flight", bench.in_flight, "Calls or transfers at a time")
        ->delimiter(',')
        ->check(CLI::Range(1, 4096));
    command.add_option("--memory", bench.memory, "Whose memory transfers use")
        ->delimiter(',')
        ->check(CLI::IsMember({"user", "library"}));
    command.add_option("--segments", bench.segments, "Of the memory of one transfer")
        ->delimiter(',')
        ->check(CLI::Range(1U, most_segments));
    command.add_option("--clients", bench.clients, "Of modes storm and clients")
        ->delimiter(',')
        ->check(CLI::Range(1, 100000));
    command.add_option("--threads", bench.threads, "Of mode threads")
        ->delimiter(',')
        ->check(CLI::Range(1, 64));
    command.add_option("--repeats", bench.repeats, "Of mode first-call")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
}

void declare_client(CLI::App& app, bool local, std::function<int()>& chosen) {
    auto options = std::make_shared<ClientOptions>();
    auto* command =
        local ? app.add_subcommand("local", "Measures against a server of its own, beside floors")
              : app.add_subcommand("client", "Measures against a server that runs somewhere");
    if (local) {
        command->add_option("info", options->server, "What to measure, for example na+sm")
            ->required();
        command->add_option("--server-threads", options->bench.server_threads, "That serve")
            ->check(CLI::Range(1, 64));
        command->add_flag("--no-pin", options->no_pin, "Let the system choose the processors");
    } else {
        command->add_option("address", options->server, "What the server printed")->required();
        command->add_flag("--stop-server", options->stop_server, "In the end");
    }
    command->add_option("--info", options->info,
                        "What the client opens, unless the address says it");
    command->add_flag("--blocking", options->blocking, "Sleep while nothing happens");
    command->add_option("--json", options->json, "Write all figures to this file, too");
    command->add_option("--plots", options->plots, "Draw SVG files into this folder");
    command->add_flag("--quick", options->quick,
                      "See that everything works; the figures are worthless");
    declare_lists(*command, options->bench);
    command->callback([options, local, &chosen] {
        chosen = [options, local] { return run_client(*options, local); };
    });
}

}  // namespace

void declare_clients(CLI::App& app, std::function<int()>& chosen) {
    declare_client(app, true, chosen);
    declare_client(app, false, chosen);
}

}  // namespace cinnabar::perf
