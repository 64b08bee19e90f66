// SPDX-License-Identifier: BSD-3-Clause
// The modes that make calls one after the other or many at a time.
#include "hl/tools/perf/bench.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/operations.hpp"

namespace cinnabar::perf {
namespace {

void note(Row& row, const Outcome& outcome) {
    row.count = outcome.count;
    row.seconds = outcome.seconds;
    row.times = outcome.times;
}

void measure_sums(Bench& bench, const char* mode, std::uint64_t in_flight) {
    Row row{.mode = mode, .in_flight = in_flight};
    bench.measure(row, bench.call_floor(in_flight), [&](Row& filled) {
        SumCall call(bench.caller(), in_flight);
        note(filled, Pipeline(bench.caller().net(), call, in_flight).run(bench.options().seconds));
    });
}

void measure_transfer(Bench& bench, const Row& row, hg_bulk_op_t op) {
    bench.measure(row, bench.transfer_floor(row), [&](Row& filled) {
        Transfer transfer(bench.caller(),
                          {{row.bytes, row.segments, row.memory == "library"}, row.in_flight, op});
        note(filled,
             Pipeline(bench.caller().net(), transfer, row.in_flight).run(bench.options().seconds));
        if (op == HG_BULK_PULL) transfer.check_bytes();
    });
}

void measure_transfers(Bench& bench, const char* mode, hg_bulk_op_t op) {
    for (const std::string& memory : bench.options().memory)
        for (const std::uint32_t segments : bench.options().segments)
            for (const std::uint64_t in_flight : bench.options().in_flight)
                for (const std::uint64_t bytes : bench.options().transfers) {
                    const Row row{.mode = mode,
                                  .bytes = bytes,
                                  .in_flight = in_flight,
                                  .memory = memory,
                                  .segments = segments};
                    // Memory of the library is in one piece.
                    if (memory == "library" && segments > 1) continue;
                    measure_transfer(bench, row, op);
                }
}

}  // namespace

void measure_latency(Bench& bench) {
    measure_sums(bench, "latency", 1);
    for (const std::uint64_t bytes : bench.options().sizes) {
        if (bytes > largest_echo) fail("a call carries up to 1 MiB");
        Row row{.mode = "latency", .bytes = bytes};
        bench.measure(row, {}, [&](Row& filled) {
            EchoCall call(bench.caller(), 1, static_cast<std::uint32_t>(bytes));
            note(filled, Pipeline(bench.caller().net(), call, 1).run(bench.options().seconds));
        });
    }
}

void measure_rate(Bench& bench) {
    for (const std::uint64_t in_flight : bench.options().in_flight)
        measure_sums(bench, "rate", in_flight);
}

void measure_pull(Bench& bench) {
    measure_transfers(bench, "pull", HG_BULK_PULL);
}

void measure_push(Bench& bench) {
    measure_transfers(bench, "push", HG_BULK_PUSH);
}

void measure_first_call(Bench& bench) {
    for (const bool counts_open : {false, true}) {
        Row row{.mode = "first-call", .note = counts_open ? "with open and close" : ""};
        bench.measure(row, {}, [&](Row& filled) {
            std::vector<float> times;
            for (unsigned i = 0; i < bench.options().repeats; ++i) {
                double start = now();
                auto caller = std::make_unique<Caller>(bench.options().endpoint);
                if (!counts_open) start = now();
                (void)caller->usage();
                const double answered = now();
                caller.reset();
                const double end = counts_open ? now() : answered;
                times.push_back(static_cast<float>(end - start));
                filled.seconds += end - start;
            }
            filled.count = times.size();
            filled.times = percentiles_of(times);
        });
    }
}

}  // namespace cinnabar::perf
