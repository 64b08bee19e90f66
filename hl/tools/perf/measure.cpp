// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/measure.hpp"

#include <algorithm>
#include <cmath>

namespace cinnabar::perf {
namespace {

// In which a probe that takes seconds is run.
constexpr int slow_rounds = 3;

// A probe with the number of steps that fills a phase.
class Sized {
public:
    Sized(const Probe& probe, double phase_seconds) : probe_(probe), count_(probe.multiple) {
        while (!probe.is_slow) {
            const double seconds = std::max(probe.run(probe.multiple, count_), 1e-9);
            if (seconds >= phase_seconds / 4) {
                count_ = rounded(static_cast<double>(count_) * phase_seconds / seconds);
                return;
            }
            count_ *= 4;
        }
    }

    // Seconds of one step.
    double time() const {
        const std::uint64_t warm = rounded(static_cast<double>(count_) / 10);
        return probe_.run(warm, count_) / static_cast<double>(count_);
    }

    const Probe& probe() const { return probe_; }

private:
    std::uint64_t rounded(double count) const {
        const auto multiple = static_cast<double>(probe_.multiple);
        return probe_.multiple *
               std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::round(count / multiple)));
    }

    const Probe& probe_;
    std::uint64_t count_;
};

struct Samples {
    std::vector<double> seconds;
    std::vector<double> ratios;

    void add(double floor, double value) {
        seconds.push_back(floor);
        ratios.push_back(value / floor);
    }
    bool is_empty() const { return seconds.empty(); }
    Timing timing(const std::string& name) const {
        return {name, spread_of(seconds), spread_of(ratios)};
    }
};

}  // namespace

Spread spread_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double part) {
        const double place = part * static_cast<double>(values.size() - 1);
        const auto below = static_cast<std::size_t>(place);
        const std::size_t above = std::min(below + 1, values.size() - 1);
        const double rest = place - static_cast<double>(below);
        return values[below] * (1 - rest) + values[above] * rest;
    };
    return {at(0.25), at(0.5), at(0.75)};
}

double seconds_of_step(const Probe& probe, double phase_seconds) {
    return Sized(probe, phase_seconds).time();
}

Figure measure(const Case& what, const Limits& limits,
               const std::function<void(double part)>& progress) {
    const Sized floor(what.floor, limits.phase_seconds);
    const Sized probe(what.probe, limits.phase_seconds);
    std::vector<Sized> others;
    for (const Probe& other : what.others)
        others.emplace_back(other, limits.phase_seconds);

    Figure figure;
    std::vector<double> seconds;
    Samples under;
    std::vector<Samples> beside(others.size());
    while (figure.kept < limits.rounds && figure.kept + figure.dropped < limits.attempts) {
        progress(static_cast<double>(figure.kept) / limits.rounds);
        const double before = floor.time();
        const double value = probe.time();
        const double after = floor.time();
        if (std::max(before, after) > limits.tolerance * std::min(before, after)) {
            ++figure.dropped;
            continue;
        }
        ++figure.kept;
        seconds.push_back(value);
        under.add((before + after) / 2, value);
        for (std::size_t i = 0; i < others.size(); ++i) {
            if (others[i].probe().is_slow && figure.kept > slow_rounds) continue;
            if (const double time = others[i].time(); time > 0) beside[i].add(time, value);
        }
    }
    if (figure.kept == 0) return figure;
    figure.seconds = spread_of(seconds);
    figure.floor = under.timing(what.floor.name);
    for (std::size_t i = 0; i < others.size(); ++i)
        if (!beside[i].is_empty()) figure.others.push_back(beside[i].timing(what.others[i].name));
    return figure;
}

}  // namespace cinnabar::perf
