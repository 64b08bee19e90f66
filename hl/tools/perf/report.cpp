// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/report.hpp"

#include <fmt/format.h>

#include "hl/tools/perf/facts.hpp"
#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

using nlohmann::json;

constexpr const char* row = "{:<28} {:>11} {:>11} {:>8} {:>13} {:>6} {:>7} {:>8}  {}\n";

bool is_call(const Case& what) {
    return what.bytes == 0;
}

// Microseconds a call, or megabytes (10^6) a second.
double shown(const Case& what, double seconds) {
    return is_call(what) ? seconds * 1e6 : static_cast<double>(what.bytes) / seconds / 1e6;
}

json as_json(const Case& what, const Spread& seconds) {
    // A short time is a high rate.
    const bool flip = !is_call(what);
    return {{"low", shown(what, flip ? seconds.high : seconds.low)},
            {"median", shown(what, seconds.median)},
            {"high", shown(what, flip ? seconds.low : seconds.high)}};
}

// Of calls the time over the floor's, of pulls the rate over the floor's.
Spread ratio(const Case& what, const Timing& timing) {
    const Spread& times = timing.times_the_floor;
    if (is_call(what)) return times;
    return {1 / times.high, 1 / times.median, 1 / times.low};
}

json as_json(const Case& what, const Timing& timing) {
    const Spread over = ratio(what, timing);
    return {{"name", timing.name},
            {"value", as_json(what, timing.seconds)},
            {"ratio", {{"low", over.low}, {"median", over.median}, {"high", over.high}}}};
}

std::string number(double value) {
    return value < 100 ? fmt::format("{:.3f}", value) : fmt::format("{:.0f}", value);
}

}  // namespace

Report::Report(const Limits& limits, bool pinned) : document_(host_facts()) {
    document_["options"] = {{"rounds", limits.rounds},
                            {"attempts", limits.attempts},
                            {"phase_seconds", limits.phase_seconds},
                            {"tolerance", limits.tolerance},
                            {"passes", limits.passes},
                            {"precision", limits.precision},
                            {"pinned", pinned}};
    document_["results"] = json::array();
}

void Report::print_header() const {
    fmt::print(row, "case", "value", "floor", "ratio", "middle half", "+-", "passes", "rounds",
               "floor is");
}

void Report::add(const Case& what, const Figure& figure) {
    json entry{{"name", what.name},       {"path", what.path},
               {"mode", what.mode},       {"in_flight", what.in_flight},
               {"rounds", figure.kept},   {"rounds_dropped", figure.dropped},
               {"others", json::array()}, {"unit", is_call(what) ? "us/call" : "MB/s"}};
    if (!is_call(what)) {
        entry["bytes"] = what.bytes;
        entry["memory"] = what.memory;
    }
    if (figure.kept == 0) {
        fmt::print(row, what.name, "-", "-", "-", "-", "-", "-",
                   fmt::format("0/{}", figure.dropped),
                   what.floor.name + ", which was never steady");
        document_["results"].push_back(entry);
        return;
    }
    const Spread over = ratio(what, figure.floor);
    entry["ratio_uncertainty"] = figure.uncertainty;
    entry["ratio_between_passes"] = figure.between_passes;
    entry["value"] = as_json(what, figure.seconds);
    if (is_call(what)) entry["calls_per_second"] = 1 / figure.seconds.median;
    entry["floor"] = as_json(what, figure.floor);
    fmt::print(row, what.name, number(shown(what, figure.seconds.median)),
               number(shown(what, figure.floor.seconds.median)), fmt::format("{:.2f}", over.median),
               fmt::format("{:.2f}..{:.2f}", over.low, over.high),
               fmt::format("{:.0f}%", figure.uncertainty * 100),
               fmt::format("{:.0f}%", figure.between_passes * 100),
               fmt::format("{}/{}", figure.kept, figure.kept + figure.dropped), figure.floor.name);
    for (const Timing& other : figure.others) {
        entry["others"].push_back(as_json(what, other));
        const Spread beside = ratio(what, other);
        fmt::print(row, "", "", number(shown(what, other.seconds.median)),
                   fmt::format("{:.2f}", beside.median),
                   fmt::format("{:.2f}..{:.2f}", beside.low, beside.high), "", "", "", other.name);
    }
    document_["results"].push_back(entry);
    std::fflush(stdout);
}

void Report::write(const std::string& file) const {
    write_facts(document_, file);
}

}  // namespace cinnabar::perf
