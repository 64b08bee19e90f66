// SPDX-License-Identifier: BSD-3-Clause
// One line of what a client prints: what was measured, how often, how fast, and the floor beside
// it. Members that say nothing in a mode are zero or empty.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hl/tools/perf/percentiles.hpp"

namespace cinnabar::perf {

struct Row {
    std::string mode{};
    std::string note{};  // what tells it from other lines of the mode, beyond the numbers below
    std::uint64_t bytes = 0;
    std::uint64_t in_flight = 1;
    std::string memory{};
    std::uint32_t segments = 0;
    unsigned threads = 0;
    unsigned clients = 0;

    std::uint64_t count = 0;
    double seconds = 0;        // all of them took
    Percentiles times{};       // of one, seconds
    std::string floor{};       // its name; empty: there is none
    double floor_seconds = 0;  // of one
    // Further figures by name, for the document and the end of the line.
    std::vector<std::pair<std::string, double>> more{};

    double each() const { return count == 0 ? 0 : seconds / static_cast<double>(count); }
};

}  // namespace cinnabar::perf
