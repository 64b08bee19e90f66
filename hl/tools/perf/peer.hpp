// SPDX-License-Identifier: BSD-3-Clause
// The server process that a client has started, and the floors that the two measure together. One
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "hl/tools/perf/floors.hpp"

namespace cinnabar::perf {

class Peer : public Floors {
public:
    // Starts the server; with `pin` each process has its own processor, if there are two.
    explicit Peer(bool pin);
    ~Peer();

    bool is_pinned() const { return pinned_; }
    // Where the server runs, -1 if it is anywhere.
    int server_cpu() const { return server_cpu_; }
    // How often the system has taken a processor away from either process.
    std::uint64_t disturbances() const;
    // Opens the server's net of that number and returns its address; closes it.
    std::string open_net(const std::string& info, bool busy, std::uint32_t net = 0);
    void close_net(std::uint32_t net = 0) { control_.ask({Task::close_net, 0, 0, 0, {}, net}); }

private:
    bool pinned_ = false;
    int server_cpu_ = -1;
};

}  // namespace cinnabar::perf
