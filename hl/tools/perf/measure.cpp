// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/measure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace cinnabar::perf {
namespace {

// In which a probe that takes seconds is run.
constexpr std::size_t slow_rounds = 3;
// Enough to do without those that were disturbed.
constexpr std::size_t few_rounds = 5;

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

Timing timing_of(const std::string& name, std::vector<double> seconds, std::vector<double> ratios) {
    return {name, spread_of(std::move(seconds)), spread_of(std::move(ratios))};
}

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

double uncertainty_of(std::vector<double> values) {
    // Ranks of a sample that hold the median between them: half its size and about its root apart.
    const auto size = static_cast<double>(values.size());
    const double below = std::floor(size / 2 - 0.98 * std::sqrt(size));
    if (below < 0) return 1;
    std::sort(values.begin(), values.end());
    const auto rank = static_cast<std::size_t>(below);
    const double width = values[values.size() - 1 - rank] - values[rank];
    return width / 2 / values[values.size() / 2];
}

double seconds_of_step(const Probe& probe, double phase_seconds) {
    return Sized(probe, phase_seconds).time();
}

void Series::add_pass(const Case& what, const std::function<void(double part)>& progress) {
    const Sized floor(what.floor, limits_.phase_seconds);
    const Sized probe(what.probe, limits_.phase_seconds);
    std::vector<Sized> others;
    for (const Probe& other : what.others)
        others.emplace_back(other, limits_.phase_seconds);

    ++passes_;
    const auto least = static_cast<std::size_t>(limits_.rounds * passes_ / limits_.passes);
    const auto most = static_cast<std::size_t>(limits_.attempts * passes_ / limits_.passes);
    // A pass adds its share even when those before it were certain enough.
    std::size_t own = 0;
    const auto share = static_cast<std::size_t>(limits_.rounds / limits_.passes);
    while (own < share || (rounds_.size() < most && (kept().size() < least || !is_enough()))) {
        progress(std::min(1.0, static_cast<double>(own++) / static_cast<double>(share)));
        const std::uint64_t before = disturbances_();
        Round round{passes_, floor.time(), probe.time(), floor.time()};
        round.others.resize(others.size());
        const auto take = [&](bool slow) {
            for (std::size_t i = 0; i < others.size(); ++i)
                if (others[i].probe().is_slow == slow) round.others[i] = others[i].time();
        };
        take(false);
        round.disturbed = disturbances_() != before;
        // Other programs, which the system starts and ends.
        if (rounds_.size() < slow_rounds) take(true);
        rounds_.push_back(std::move(round));
    }
}

std::vector<const Series::Round*> Series::kept() const {
    std::vector<const Round*> kept;
    double best = std::numeric_limits<double>::max();
    for (const Round& round : rounds_) {
        if (std::max(round.before, round.after) >
            limits_.tolerance * std::min(round.before, round.after))
            continue;
        kept.push_back(&round);
        best = std::min(best, round.floor());
    }
    std::erase_if(kept,
                  [&](const Round* round) { return round->floor() > limits_.tolerance * best; });
    return kept;
}

bool Series::is_enough() const {
    std::vector<double> ratios;
    for (const Round* round : kept())
        ratios.push_back(round->ratio());
    return uncertainty_of(std::move(ratios)) <= limits_.precision;
}

Figure Series::figure(const Case& what) const {
    const std::vector<const Round*> kept = this->kept();
    Figure figure;
    figure.kept = static_cast<int>(kept.size());
    figure.dropped = static_cast<int>(rounds_.size() - kept.size());
    if (kept.empty()) return figure;
    std::vector<double> seconds, floors, ratios;
    std::map<int, std::vector<double>> by_pass;
    for (const Round* round : kept) {
        seconds.push_back(round->value);
        floors.push_back(round->floor());
        ratios.push_back(round->ratio());
        by_pass[round->pass].push_back(round->ratio());
    }
    figure.seconds = spread_of(seconds);
    figure.floor = timing_of(what.floor.name, floors, ratios);
    figure.uncertainty = uncertainty_of(ratios);
    std::vector<double> medians;
    for (const auto& [pass, values] : by_pass)
        medians.push_back(spread_of(values).median);
    const auto [least, most] = std::minmax_element(medians.begin(), medians.end());
    figure.between_passes = *most / *least - 1;
    for (std::size_t i = 0; i < what.others.size(); ++i) {
        std::vector<double> times, over;
        for (const Round* round : kept) {
            if (round->others[i] <= 0) continue;
            times.push_back(round->others[i]);
            over.push_back(round->value / round->others[i]);
        }
        if (!times.empty()) figure.others.push_back(timing_of(what.others[i].name, times, over));
    }
    return figure;
}

}  // namespace cinnabar::perf
