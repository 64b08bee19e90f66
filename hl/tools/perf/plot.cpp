// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/plot.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

struct Plot {
    std::string file;
    std::string x;
    std::string y;
    std::map<std::string, std::string> curves{};  // by name, lines of "x y"

    void add(const std::string& curve, double at, double value) {
        curves[curve] += fmt::format("{} {}\n", at, value);
    }
};

// The title is the user's own text; what would end a string of gnuplot's is left out.
std::string quoted(std::string text) {
    std::erase_if(text, [](char c) { return c == '\'' || c == '\\' || c == '\n'; });
    return "'" + text + "'";
}

void draw(const Plot& plot, const std::string& folder, const std::string& title) {
    if (plot.curves.empty()) return;
    std::string script = fmt::format(
        "set terminal svg size 800,500 background 'white'\nset output {}\nset title {} noenhanced\n"
        "set xlabel {}\nset ylabel {}\nset logscale x 2\nset logscale y\nset grid\n"
        "set key left top noenhanced\nset format x '%.0b%B'\n",
        quoted(folder + "/" + plot.file), quoted(title), quoted(plot.x), quoted(plot.y));
    std::size_t number = 0;
    std::string list;
    for (const auto& [name, points] : plot.curves) {
        script += fmt::format("$data{} << END\n{}END\n", number, points);
        list += fmt::format("{}$data{} using 1:2 with linespoints title {}",
                            list.empty() ? "" : ", ", number++, quoted(name));
    }
    script += "plot " + list + "\n";
    std::FILE* gnuplot = ::popen("gnuplot 2>/dev/null", "w");
    check_system(gnuplot != nullptr, "gnuplot");
    std::fwrite(script.data(), 1, script.size(), gnuplot);
    if (::pclose(gnuplot) != 0) fail("gnuplot could not draw " + plot.file);
}

bool has_gnuplot() {
    return std::system("command -v gnuplot >/dev/null 2>&1") == 0;
}

}  // namespace

void plot(const std::vector<Row>& rows, const std::string& folder, const std::string& title) {
    if (!has_gnuplot()) {
        fmt::print(stderr, "cinnabar-perf: no plots, gnuplot is not installed\n");
        return;
    }
    Plot latency{"latency.svg", "bytes there and back", "microseconds"};
    Plot bandwidth{"bandwidth.svg", "bytes of one transfer", "MB/s"};
    Plot rate{"rate.svg", "calls in flight", "calls a second"};
    Plot clients{"clients.svg", "clients", "calls a second"};
    Plot threads{"threads.svg", "threads", "calls a second"};
    for (const Row& row : rows) {
        const auto bytes = static_cast<double>(row.bytes);
        if (row.mode == "latency" && row.bytes > 0) {
            latency.add("median", bytes, row.times.p50 * 1e6);
            latency.add("p99", bytes, row.times.p99 * 1e6);
        } else if (row.mode == "pull" || row.mode == "push") {
            bandwidth.add(
                fmt::format("{} {} x{}{}", row.mode, row.memory, row.in_flight,
                            row.segments > 1 ? fmt::format(" {} segments", row.segments) : ""),
                bytes, bytes / row.each() / 1e6);
            if (!row.floor.empty())
                bandwidth.add(row.floor, bytes, bytes / row.floor_seconds / 1e6);
        } else if (row.mode == "rate") {
            const auto in_flight = static_cast<double>(row.in_flight);
            rate.add("calls", in_flight, 1 / row.each());
            if (!row.floor.empty()) rate.add("the floor", in_flight, 1 / row.floor_seconds);
        } else if (row.mode == "clients") {
            clients.add("calls", row.clients, 1 / row.each());
        } else if (row.mode == "threads") {
            threads.add(row.note, row.threads, 1 / row.each());
        }
    }
    std::filesystem::create_directories(folder);
    for (const Plot* each : {&latency, &bandwidth, &rate, &clients, &threads})
        draw(*each, folder, title);
}

}  // namespace cinnabar::perf
