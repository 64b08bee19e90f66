// SPDX-License-Identifier: BSD-3-Clause
// The process that a server starts for the floors of a client that asks for them: it listens on a
// port of its own, does its part of one client's floors, and ends when the client leaves, or is
// silent for a minute. What the client sends is checked; a bad command ends the process. One
// thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace cinnabar::perf {

// How a client reaches it.
struct FloorPlace {
    std::uint64_t port = 0;     // 0: there is none
    std::uint64_t process = 0;  // its number, and that of its descriptor of a shared area, which
    std::uint64_t area = 0;     // help a client on the same host,
    std::uint64_t cookie = 0;   // as the area begins
};

// The host in an address of a net; that of this host where the address names none.
std::string host_of(const std::string& address);

// Starts the process on a port of that host. It dies with this one. Port 0 if it cannot be started.
FloorPlace start_floor_process(const std::string& host);

// Of that process: all it does, and its exit code.
int run_floor_process(const std::string& host);

}  // namespace cinnabar::perf
