// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hl/tools/perf/facts.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/sizes.hpp"

namespace cinnabar::perf {
namespace {

using nlohmann::json;

constexpr const char* line = "{:<34} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6}  {}\n";

std::string microseconds(double seconds) {
    const double value = seconds * 1e6;
    return value < 100 ? fmt::format("{:.3f}", value) : fmt::format("{:.0f}", value);
}

std::string title(const Row& row) {
    std::string text = row.mode;
    if (row.bytes > 0) text += " " + size_name(row.bytes);
    if (row.in_flight > 1) text += fmt::format(" x{}", row.in_flight);
    if (!row.memory.empty()) text += " " + row.memory;
    if (row.segments > 1) text += fmt::format(" {} segments", row.segments);
    if (row.clients > 0) text += fmt::format(" {} clients", row.clients);
    if (row.threads > 0) text += fmt::format(" {} threads", row.threads);
    if (!row.note.empty()) text += " " + row.note;
    return text;
}

std::string remarks(const Row& row) {
    std::string text = row.floor;
    for (const auto& [name, value] : row.more)
        text += fmt::format("{}{} {:.6g}", text.empty() ? "" : "; ", name, value);
    return text;
}

json as_json(const Row& row) {
    json made{{"mode", row.mode},
              {"in_flight", row.in_flight},
              {"threads", std::max(1U, row.threads)},
              {"clients", std::max(1U, row.clients)},
              {"count", row.count},
              {"seconds", row.seconds},
              {"us_each", row.each() * 1e6},
              {"us",
               {{"p50", row.times.p50 * 1e6},
                {"p90", row.times.p90 * 1e6},
                {"p99", row.times.p99 * 1e6},
                {"p99.9", row.times.p999 * 1e6},
                {"max", row.times.max * 1e6}}}};
    if (!row.note.empty()) made["note"] = row.note;
    if (row.count > 0) made["per_second"] = 1 / row.each();
    if (row.bytes > 0) made["bytes"] = row.bytes;
    if (row.bytes > 0 && row.count > 0)
        made["MB_per_second"] = static_cast<double>(row.bytes) / row.each() / 1e6;
    if (!row.memory.empty()) {
        made["memory"] = row.memory;
        made["segments"] = row.segments;
    }
    if (!row.floor.empty())
        made["floor"] = {{"name", row.floor},
                         {"us_each", row.floor_seconds * 1e6},
                         {"ratio", row.each() / row.floor_seconds}};
    for (const auto& [name, value] : row.more)
        made["more"][name] = value;
    return made;
}

}  // namespace

Table::Table(const json& about) : document_(host_facts()) {
    document_.update(about);
    document_["rows"] = json::array();
    fmt::print(line, "", "each, us", "1/s", "MB/s", "p50, us", "p90", "p99", "p99.9", "floor, us",
               "ratio", "floor is");
}

void Table::add(const Row& row) {
    const bool has_floor = !row.floor.empty();
    const double each = row.each();
    const auto time = [](double seconds) { return seconds > 0 ? microseconds(seconds) : ""; };
    fmt::print(line, title(row), row.count == 0 ? "" : microseconds(each),
               row.count == 0 ? "" : fmt::format("{:.0f}", 1 / each),
               row.bytes > 0 && each > 0
                   ? fmt::format("{:.1f}", static_cast<double>(row.bytes) / each / 1e6)
                   : "",
               time(row.times.p50), time(row.times.p90), time(row.times.p99), time(row.times.p999),
               has_floor ? microseconds(row.floor_seconds) : "",
               has_floor ? fmt::format("{:.2f}", each / row.floor_seconds) : "", remarks(row));
    std::fflush(stdout);
    document_["rows"].push_back(as_json(row));
    rows_.push_back(row);
}

void Table::write(const std::string& file) const {
    write_facts(document_, file);
}

}  // namespace cinnabar::perf
