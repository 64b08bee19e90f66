// SPDX-License-Identifier: BSD-3-Clause
// Operations of one kind, a fixed number of them in flight: each is started again from the callback
// that learns of its end. Some are timed one by one. One thread, which also polls.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "hl/tools/perf/net.hpp"
#include "hl/tools/perf/percentiles.hpp"

namespace cinnabar::perf {

class Pipeline;

// One place in flight. What is started for it ends with end().
struct Place {
    Pipeline* pipeline = nullptr;
    std::size_t number = 0;
    double start = 0;  // of the operation under way, 0 if it is not timed
    void end();
};

// What is measured.
class Operation {
public:
    virtual ~Operation() = default;
    // Starts one; an error ends the program.
    virtual void start(Place& slot) = 0;
};

struct Outcome {
    std::uint64_t count = 0;
    double seconds = 0;  // that all of them took
    Percentiles times;   // of those that were timed, each
    double each() const { return seconds / static_cast<double>(count); }
};

class Pipeline {
public:
    // Borrows both.
    Pipeline(Net& net, Operation& operation, std::size_t in_flight);
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    // Runs for a tenth of the time uncounted, then for that time.
    Outcome run(double seconds);

private:
    friend struct Place;
    void run_until(double end);
    void start(Place& slot);
    void end(Place& slot);

    Net& net_;
    Operation& operation_;
    std::vector<Place> slots_;
    std::vector<float> times_;
    std::uint64_t timed_each_;  // one of so many
    std::uint64_t started_ = 0;
    std::uint64_t ended_ = 0;
    double deadline_ = 0;
    bool over_ = false;
};

}  // namespace cinnabar::perf
