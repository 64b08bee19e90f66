// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/pipeline.hpp"

namespace cinnabar::perf {
namespace {

// Beyond, times are not kept; reserved before anything is timed.
constexpr std::size_t most_times = std::size_t{1} << 22;
// Looking at the clock costs a tenth of a short call: with few in flight every one is timed.
constexpr std::size_t few = 4;
constexpr std::uint64_t one_of_many = 16;

}  // namespace

void Place::end() {
    pipeline->end(*this);
}

Pipeline::Pipeline(Net& net, Operation& operation, std::size_t in_flight)
    : net_(net),
      operation_(operation),
      slots_(in_flight),
      timed_each_(in_flight <= few ? 1 : one_of_many) {
    for (std::size_t i = 0; i < in_flight; ++i)
        slots_[i] = {this, i, 0};
    times_.reserve(most_times);
}

Outcome Pipeline::run(double seconds) {
    run_until(now() + seconds / 10);
    times_.clear();
    const double start = now();
    run_until(start + seconds);
    return {ended_, now() - start, percentiles_of(times_)};
}

void Pipeline::run_until(double end) {
    started_ = ended_ = 0;
    deadline_ = end;
    over_ = false;
    for (Place& slot : slots_)
        start(slot);
    while (ended_ < started_)
        net_.poll();
}

void Pipeline::start(Place& slot) {
    slot.start = started_++ % timed_each_ == 0 ? now() : 0;
    operation_.start(slot);
}

void Pipeline::end(Place& slot) {
    ++ended_;
    if (slot.start != 0) {
        const double time = now();
        if (times_.size() < most_times) times_.push_back(static_cast<float>(time - slot.start));
        over_ = over_ || time >= deadline_;
    }
    if (!over_) start(slot);
}

}  // namespace cinnabar::perf
