// SPDX-License-Identifier: BSD-3-Clause
// The modes of many clients, and of none: what they cost a server, and what it gives back.
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "hl/tools/perf/bench.hpp"
#include "hl/tools/perf/crowd.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/operations.hpp"

namespace cinnabar::perf {
namespace {

// Seconds that a server has for learning that its clients are gone.
constexpr double patience = 30;

double of(std::uint64_t bytes) {
    return static_cast<double>(bytes) / 1024;
}

// What a crowd cost the server while it was there, for each client, and what is left of it.
class Cost {
public:
    explicit Cost(Bench& bench) : bench_(bench), before_(bench.caller().usage()) {}
    void crowd_is_here() { with_ = bench_.caller().usage(); }
    void crowd_is_gone(Row& row) {
        const Usage after = settled();
        row.more.emplace_back(
            "server KiB/client",
            (of(with_.resident_bytes) - of(before_.resident_bytes)) / row.clients);
        row.more.emplace_back("descriptors/client", (static_cast<double>(with_.descriptors) -
                                                     static_cast<double>(before_.descriptors)) /
                                                        row.clients);
        row.more.emplace_back("left KiB", of(after.resident_bytes) - of(before_.resident_bytes));
        row.more.emplace_back("left descriptors", static_cast<double>(after.descriptors) -
                                                      static_cast<double>(before_.descriptors));
    }

private:
    // The server learns one after the other that clients are gone.
    Usage settled() {
        const double start = now();
        Usage usage = bench_.caller().usage();
        while (usage.descriptors > before_.descriptors && now() - start < patience)
            usage = bench_.caller().usage();
        return usage;
    }

    Bench& bench_;
    Usage before_;
    Usage with_;
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
            Cost cost(bench);
            double start = now();
            auto crowd = std::make_unique<Crowd>(bench.options().endpoint, clients);
            filled.more.emplace_back("open s", now() - start);
            start = now();
            std::vector<float> times = crowd->call_once();
            filled.seconds = now() - start;
            filled.count = clients;
            filled.times = percentiles_of(times);
            cost.crowd_is_here();
            crowd.reset();
            cost.crowd_is_gone(filled);
        });
    }
}

void measure_clients(Bench& bench) {
    for (const unsigned clients : bench.options().clients) {
        const Row row{.mode = "clients", .clients = clients};
        bench.measure(row, {}, [&](Row& filled) {
            Crowd crowd(bench.options().endpoint, clients);
            (void)crowd.call_once();
            filled.seconds = bench.options().seconds;
            const std::vector<std::uint64_t> calls = crowd.call_for(filled.seconds);
            filled.count = std::accumulate(calls.begin(), calls.end(), std::uint64_t{0});
            const auto [slowest, fastest] = std::minmax_element(calls.begin(), calls.end());
            filled.more.emplace_back("slowest", static_cast<double>(*slowest));
            filled.more.emplace_back("fastest", static_cast<double>(*fastest));
            filled.more.emplace_back("fastest/slowest",
                                     static_cast<double>(*fastest) / static_cast<double>(*slowest));
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
        filled.more.emplace_back("bytes/handle", bytes_per_handle(bench.caller()));
        filled.more.emplace_back(
            "server CPU %",
            static_cast<double>(after.cpu_nanoseconds - before.cpu_nanoseconds) / passed / 1e7);
    });
}

}  // namespace cinnabar::perf
