// SPDX-License-Identifier: BSD-3-Clause
// The two processes of one figure of "units": who answers, until its input ends, and who calls and
// prints nanoseconds a call. And the figures that need no network.
#pragma once

#include <cstddef>
#include <string>

namespace cinnabar::perf {

// Who makes calls, and how: HG_Forward in a process of one thread, in one that has another, which
// sleeps; a unit calls a unit, the network on their stream, or on a stream of its own.
enum class UnitKind { bare, bare_threads, typed_shared, typed_own };

struct UnitRun {
    UnitKind kind = UnitKind::bare;
    std::string info;
    std::string server;  // its address, for who calls
    std::size_t in_flight = 1;
    double seconds = 0.3;
    int cpu = -1;  // to stay on
};

int run_unit_server(const UnitRun& run);
int run_unit_client(const UnitRun& run);

// Nanoseconds each.
struct UnitCosts {
    double switch_ns;       // from a unit to another of the same stream, by yield()
    double create_ns;       // to create, run and end an empty one
    double wake_awake_ns;   // from one stream to another that is running units
    double wake_asleep_ns;  // from one stream to another that sleeps
};
UnitCosts measure_units();

}  // namespace cinnabar::perf
