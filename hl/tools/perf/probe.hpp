// SPDX-License-Identifier: BSD-3-Clause
// Something that can be timed: a name, and a function that does it so many times, after some that
// do not count, and gives the seconds it took. And what is to be measured: a probe, with the floor
// under it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cinnabar::perf {

struct Probe {
    std::string name;
    std::function<double(std::uint64_t warm, std::uint64_t count)> run;
    std::uint64_t multiple = 1;  // of which both counts must be
    bool is_slow = false;        // takes seconds for any count: a few times are enough
};

// One line of the report. The floor is timed before and after the probe in every round, the others
// once, for comparison.
struct Case {
    std::string name;  // path/mode/what
    std::string path;
    std::string mode;
    std::uint64_t in_flight = 1;
    std::uint64_t bytes = 0;  // that one step moves; 0: it is a call
    std::string memory;       // of a pull: whose
    Probe probe;
    Probe floor;
    std::vector<Probe> others;
};

}  // namespace cinnabar::perf
