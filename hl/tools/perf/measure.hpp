// SPDX-License-Identifier: BSD-3-Clause
// How a figure is taken: in rounds of floor, probe, floor, so that the machine is the same for what
// is compared. A round whose two floors disagree saw it change, and is dropped and repeated.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hl/tools/perf/probe.hpp"

namespace cinnabar::perf {

struct Limits {
    int rounds = 15;              // that count
    int attempts = 60;            // rounds in all, at most
    double phase_seconds = 0.01;  // how long one probe of one round should take
    double tolerance = 1.25;      // by which two floors may disagree
};

// The middle half of some values.
struct Spread {
    double low = 0;
    double median = 0;
    double high = 0;
};

// Of what is not empty.
Spread spread_of(std::vector<double> values);

struct Timing {
    std::string name;
    Spread seconds;          // of one step
    Spread times_the_floor;  // round by round: the probe's time over this floor's
};

struct Figure {
    Spread seconds;  // of one step
    Timing floor;
    std::vector<Timing> others;
    int kept = 0;  // rounds; if 0, there is no figure
    int dropped = 0;
};

// Seconds of one step, from as many as take about that long.
double seconds_of_step(const Probe& probe, double phase_seconds);

// Takes as long as the limits say; tells `progress` between rounds which part is done.
Figure measure(const Case& what, const Limits& limits,
               const std::function<void(double part)>& progress);

}  // namespace cinnabar::perf
