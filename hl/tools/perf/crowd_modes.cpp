// SPDX-License-Identifier: BSD-3-Clause
// The modes of many clients, of one in trouble, and of none: what they cost a server, and what it
// gives back.
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "hl/tools/perf/bench.hpp"
#include "hl/tools/perf/crowd.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/neighbour.hpp"
#include "hl/tools/perf/operations.hpp"

namespace cinnabar::perf {
namespace {

// Seconds that a server has for learning that its clients are gone.
constexpr double patience = 30;
// A larger crowd is compared with one of so many.
constexpr unsigned few_clients = 16;

double of(std::uint64_t bytes) {
    return static_cast<double>(bytes) / 1024;
}

// The server learns one after the other that clients are gone.
Usage settled(Caller& caller, const Usage& before) {
    const double start = now();
    Usage usage = caller.usage();
    while (usage.descriptors > before.descriptors && now() - start < patience)
        usage = caller.usage();
    return usage;
}

// What a crowd cost the server while it was there, for each client, and what is left of it.
void note_cost(Row& row, const Usage& before, const Usage& with, const Usage& after) {
    const auto descriptors = [&](const Usage& usage) {
        return static_cast<double>(usage.descriptors) - static_cast<double>(before.descriptors);
    };
    row.more.emplace_back("server KiB/client",
                          (of(with.resident_bytes) - of(before.resident_bytes)) / row.clients);
    row.more.emplace_back("descriptors/client", descriptors(with) / row.clients);
    row.more.emplace_back("left KiB", of(after.resident_bytes) - of(before.resident_bytes));
    row.more.emplace_back("left descriptors", descriptors(after));
}

// Calls of a crowd for a while, of which the server has nothing left when it returns.
class CrowdCalls {
public:
    CrowdCalls(Bench& bench, unsigned clients) {
        const Usage before = bench.caller().usage();
        {
            Crowd crowd(bench.options().endpoint, clients);
            (void)crowd.call_once();
            const Usage begin = bench.caller().usage();
            seconds = bench.options().seconds;
            calls = crowd.call_for(seconds);
            server_seconds = static_cast<double>(bench.caller().usage().cpu_nanoseconds -
                                                 begin.cpu_nanoseconds) /
                             1e9;
        }
        (void)settled(bench.caller(), before);
    }
    double count() const { return std::accumulate(calls.begin(), calls.end(), 0.0); }
    double rate() const { return count() / seconds; }

    std::vector<std::uint64_t> calls;
    double seconds = 0;
    double server_seconds = 0;  // of processor time
};

// Of a client's memory, for each handle beyond those that it has.
double bytes_per_handle(Caller& caller) {
    constexpr std::size_t count = 4096;
    const Usage before = usage_of_this_process();
    const Handles handles(caller, caller.net().sum(), count);
    const Usage after = usage_of_this_process();
    return (static_cast<double>(after.resident_bytes) -
            static_cast<double>(before.resident_bytes)) /
           count;
}

}  // namespace

void measure_storm(Bench& bench) {
    for (const unsigned clients : bench.options().clients) {
        const Row row{.mode = "storm", .clients = clients};
        bench.measure(row, {}, [&](Row& filled) {
            const Usage before = bench.caller().usage();
            double start = now();
            auto crowd = std::make_unique<Crowd>(bench.options().endpoint, clients);
            filled.more.emplace_back("open s", now() - start);
            start = now();
            std::vector<float> times = crowd->call_once();
            filled.seconds = now() - start;
            filled.count = clients;
            filled.times = percentiles_of(times);
            const Usage with = bench.caller().usage();
            crowd.reset();
            note_cost(filled, before, with, settled(bench.caller(), before));
        });
    }
}

void measure_clients(Bench& bench) {
    for (const unsigned clients : bench.options().clients) {
        const Row row{.mode = "clients", .clients = clients};
        bench.measure(row, {}, [&](Row& filled) {
            const bool compares = clients > few_clients;
            // Before and after, so that a machine that drifts is not what is compared.
            double few = compares ? CrowdCalls(bench, few_clients).rate() : 0;
            const CrowdCalls crowd(bench, clients);
            few += compares ? CrowdCalls(bench, few_clients).rate() : 0;
            filled.seconds = crowd.seconds;
            filled.count = static_cast<std::uint64_t>(crowd.count());
            const auto [slowest, fastest] =
                std::minmax_element(crowd.calls.begin(), crowd.calls.end());
            filled.more.emplace_back("slowest", static_cast<double>(*slowest));
            filled.more.emplace_back("fastest", static_cast<double>(*fastest));
            filled.more.emplace_back("fastest/slowest",
                                     static_cast<double>(*fastest) / static_cast<double>(*slowest));
            filled.more.emplace_back("server us/call", crowd.server_seconds / crowd.count() * 1e6);
            if (compares)
                filled.more.emplace_back(fmt::format("rate/rate of {}", few_clients),
                                         2 * crowd.rate() / few);
        });
    }
}

void measure_neighbours(Bench& bench) {
    constexpr std::size_t in_flight = 16;
    for (const Trouble trouble : {Trouble::slow, Trouble::stopped}) {
        const Row row{.mode = "neighbours",
                      .note = trouble == Trouble::slow ? "a slow one" : "a stopped one",
                      .in_flight = in_flight};
        bench.measure(row, {}, [&](Row& filled) {
            SumCall call(bench.caller(), in_flight);
            Pipeline pipeline(bench.caller().net(), call, in_flight);
            const auto rate = [&] { return 1 / pipeline.run(bench.options().seconds).each(); };
            double alone = rate();
            {
                const Neighbour neighbour(bench.options().endpoint, trouble);
                const Outcome beside = pipeline.run(bench.options().seconds);
                filled.count = beside.count;
                filled.seconds = beside.seconds;
                filled.times = beside.times;
            }
            alone = (alone + rate()) / 2;
            filled.more.emplace_back("rate/rate alone", 1 / filled.each() / alone);
        });
    }
}

void measure_rest(Bench& bench) {
    bench.measure(Row{.mode = "rest"}, {}, [&](Row& filled) {
        const Usage before = bench.caller().usage();
        const double start = now();
        ::usleep(static_cast<useconds_t>(bench.options().seconds * 1e6));
        const double passed = now() - start;
        const Usage after = bench.caller().usage();
        filled.more.emplace_back("server KiB", of(after.resident_bytes));
        filled.more.emplace_back("above a bare process KiB",
                                 of(after.resident_bytes) - of(after.bare_bytes));
        filled.more.emplace_back("server descriptors", static_cast<double>(after.descriptors));
        // A server that polls does not sleep; one that waits does, as often as it looks whether to
        // end.
        filled.more.emplace_back("server sleeps",
                                 static_cast<double>(after.sleeps - before.sleeps));
        filled.more.emplace_back("bytes/handle", bytes_per_handle(bench.caller()));
        const auto cpu = static_cast<double>(after.cpu_nanoseconds - before.cpu_nanoseconds);
        filled.more.emplace_back("server CPU ms", cpu / 1e6);
        filled.more.emplace_back("server CPU %", cpu / passed / 1e7);
    });
}

}  // namespace cinnabar::perf
