// SPDX-License-Identifier: BSD-3-Clause
// The client's view of the two processes: what it shares with its server, and the floors that the
// two measure together as probes. The probes borrow the peer. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "hl/tools/perf/control.hpp"
#include "hl/tools/perf/memory_floor.hpp"
#include "hl/tools/perf/probe.hpp"

namespace cinnabar::perf {

class Peer {
public:
    // Starts the server; with `pin` each process has its own processor, if there are two.
    explicit Peer(bool pin);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    Control& control() { return control_; }
    bool is_pinned() const { return pinned_; }
    // Where the server runs, -1 if it is anywhere.
    int server_cpu() const { return server_cpu_; }
    // How often the system has taken a processor away from either process.
    std::uint64_t disturbances() const;
    // The client's memory: what floors and pulls read into; `largest_transfer` bytes.
    std::byte* buffer() { return buffer_.data(); }

    // Opens the server's net of that number and returns its address; closes it.
    std::string open_net(const std::string& info, bool busy, std::uint32_t net = 0);
    void close_net(std::uint32_t net = 0) { control_.ask({Task::close_net, 0, 0, 0, {}, net}); }

    Probe cache_line();
    Probe ring(std::uint64_t window);
    Probe event();
    Probe socket_call(std::uint64_t batch, bool blocking);
    Probe socket_stream(std::size_t size);
    Probe socket_answer(std::size_t size);
    // `address` tells where the server's memory is, once it is known.
    Probe process_read(std::size_t size, const std::uint64_t& address);
    Probe copy(std::size_t size);

private:
    // Tells the server to begin its part.
    void begin(Task task, std::uint64_t count, std::uint64_t size = 0, bool flag = false);

    Inheritance mine_;  // the client's ends of what the server inherits
    SharedArea& area_;
    RingFloor ring_;
    Control control_;
    pid_t server_ = -1;
    bool pinned_ = false;
    int server_cpu_ = -1;
    std::vector<std::byte> buffer_;
};

}  // namespace cinnabar::perf
