// SPDX-License-Identifier: BSD-3-Clause
// How a figure is taken: in rounds of floor, probe, floor, so that the machine is the same for what
// is compared, and in several passes, minutes apart and each with nets of its own, so that neither
// a moment of the machine nor a place in memory is what is measured. A round whose two floors
// disagree saw the machine change and does not count; nor does one whose floor is far from the best
// one seen: a machine whose processors move apart and back has two costs of everything, and only
// one can be compared from run to run. Rounds in which the system took a processor away count only
// where there are too few others. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "hl/tools/perf/probe.hpp"

namespace cinnabar::perf {

struct Limits {
    int rounds = 45;     // that count, at least, over all passes
    int attempts = 180;  // rounds in all, at most
    int passes = 3;
    // How long one probe of one round should take: less than a time slice, so that on a machine
    // that has other work most rounds are whole.
    double phase_seconds = 0.003;
    double tolerance = 1.25;  // by which two floors may disagree
    double precision = 0.03;  // of the ratio's median; less certain, more rounds are made
};

// The middle half of some values.
struct Spread {
    double low = 0;
    double median = 0;
    double high = 0;
};

// Of what is not empty.
Spread spread_of(std::vector<double> values);

// The half width, in parts of the median, of the interval that holds the true median of what these
// values are taken from, 19 times of 20; 1 if they are too few to tell.
double uncertainty_of(std::vector<double> values);

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
    double uncertainty = 0;     // of the ratio's median, a part of it
    double between_passes = 0;  // the largest over the smallest median ratio of a pass, less 1
};

// Seconds of one step, from as many as take about that long.
double seconds_of_step(const Probe& probe, double phase_seconds);

// The rounds of one case, from all passes.
class Series {
public:
    // `disturbances` counts how often the system took a processor away.
    Series(const Limits& limits, std::function<std::uint64_t()> disturbances)
        : limits_(limits), disturbances_(std::move(disturbances)) {}

    // One more pass. The case is the same each time, though what its probes borrow may be new.
    // Tells `progress` between rounds which part of the pass is done.
    void add_pass(const Case& what, const std::function<void(double part)>& progress);
    // Of all passes so far.
    Figure figure(const Case& what) const;

private:
    struct Round {
        int pass;
        double before;
        double value;
        double after;
        std::vector<double> others{};  // 0: not taken
        bool disturbed = false;
        double floor() const { return (before + after) / 2; }
        double ratio() const { return value / floor(); }
    };

    std::vector<const Round*> kept() const;
    std::vector<const Round*> undisturbed() const;
    bool is_enough() const;

    const Limits& limits_;
    std::function<std::uint64_t()> disturbances_;
    int passes_ = 0;
    std::vector<Round> rounds_;
};

}  // namespace cinnabar::perf
