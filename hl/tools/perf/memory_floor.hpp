// SPDX-License-Identifier: BSD-3-Clause
// The floors of shared memory: what two processors of this machine do for one another at best. Each
// function of the client has its counterpart at the server, where one is needed; both are given the
// same numbers. One thread each.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "hl/tools/perf/shared_area.hpp"

namespace cinnabar::perf {

// One cache line there and back. The clock starts after `warm` times, here and below; seconds.
double bounce_line(SharedArea& area, std::uint64_t warm, std::uint64_t count);
void bounce_line_back(SharedArea& area, std::uint64_t count);

// Messages through bare rings there and back, `window` of them under way.
class RingFloor {
public:
    explicit RingFloor(SharedArea& area) : area_(area) {}
    double call(std::uint64_t warm, std::uint64_t count, std::uint64_t window);
    void echo(std::uint64_t count);

private:
    SharedArea& area_;
    std::uint64_t done_ = 0;  // messages of all runs so far, the same in both processes
};

// One event there and back over eventfds, on which both sleep.
double call_event(int to_server, int to_client, std::uint64_t warm, std::uint64_t count);
void echo_event(int to_server, int to_client, std::uint64_t count);

// `size` bytes out of another process, one system call each, and out of the shared area.
double read_process(pid_t process, std::uint64_t address, std::size_t size, std::byte* buffer,
                    std::uint64_t count);
double copy_memory(const SharedArea& area, std::size_t size, std::byte* buffer,
                   std::uint64_t count);

}  // namespace cinnabar::perf
