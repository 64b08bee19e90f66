// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/facts.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include <perf_commit.hpp>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

std::string cpu_model() {
    std::ifstream stream("/proc/cpuinfo");
    for (std::string line; std::getline(stream, line);)
        if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
    return "unknown";
}

std::string time_now() {
    const std::time_t now = std::time(nullptr);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now))};
}

// Of the last minute: how many threads wanted a processor.
double load_average() {
    double load = 0;
    return ::getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace

nlohmann::json host_facts() {
    utsname system{};
    ::uname(&system);
    return {{"program", "cinnabar-perf"},
            {"commit", CINNABAR_COMMIT},
            {"build_type", CINNABAR_BUILD_TYPE},
            {"compiler", CINNABAR_COMPILER},
            {"started", time_now()},
            {"host",
             {{"cpu", cpu_model()},
              {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
              {"kernel", std::string(system.sysname) + " " + system.release},
              {"machine", system.machine},
              {"load_before", load_average()}}}};
}

void write_facts(nlohmann::json document, const std::string& file) {
    document["host"]["load_after"] = load_average();
    std::ofstream stream(file);
    stream << document.dump(2) << '\n';
    stream.close();
    if (!stream) fail("cannot write " + file);
}

}  // namespace cinnabar::perf
