// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/cpu.hpp"

#include <sched.h>

#include <thread>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {

std::vector<int> allowed_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    check_system(::sched_getaffinity(0, sizeof set, &set) == 0, "sched_getaffinity");
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
    return cpus;
}

void pin_to_any(int except) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        CPU_SET(cpu, &set);
    if (except >= 0 && std::thread::hardware_concurrency() > 1)
        CPU_CLR(static_cast<std::size_t>(except), &set);
    check_system(::sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

void pin_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    check_system(::sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

}  // namespace cinnabar::perf
