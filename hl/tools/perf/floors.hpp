// SPDX-License-Identifier: BSD-3-Clause
// The floors that this process measures together with another one, as probes: what the two do
// without the library. Who makes one fills in the ends that the two share; where an end is missing,
// so are the floors that need it. The probes borrow the floors. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "hl/tools/perf/control.hpp"
#include "hl/tools/perf/memory_floor.hpp"
#include "hl/tools/perf/probe.hpp"

namespace cinnabar::perf {

class Floors {
public:
    Floors(const Floors&) = delete;
    Floors& operator=(const Floors&) = delete;

    Control& control() { return control_; }
    // Whether the other process is on this host, and lets this one read its memory.
    bool shares_memory() const { return area_ != nullptr; }
    // The client's memory: what floors and pulls read into; `largest_transfer` bytes.
    std::byte* buffer() {
        if (buffer_.empty()) buffer_.resize(largest_transfer);
        return buffer_.data();
    }

    Probe socket_call(std::uint64_t batch, bool blocking);
    Probe socket_stream(std::size_t size);
    Probe socket_answer(std::size_t size);
    Probe event();
    // These share memory.
    Probe cache_line();
    Probe ring(std::uint64_t window);
    // `address` tells where the other process' memory is, once it is known.
    Probe process_read(std::size_t size, const std::uint64_t& address);
    // The memory is what the other process has for this.
    Probe process_read(std::size_t size);
    Probe copy(std::size_t size);

protected:
    Floors() : control_(-1) {}
    ~Floors() = default;
    void share(SharedArea& area);

    Control control_;
    int socket_ = -1;  // connected to the other process
    int event_to_server_ = -1;
    int event_to_client_ = -1;
    pid_t server_ = -1;

private:
    // Tells the server to begin its part.
    void begin(Task task, std::uint64_t count, std::uint64_t size = 0, bool flag = false);

    SharedArea* area_ = nullptr;
    std::unique_ptr<RingFloor> ring_;
    std::uint64_t own_memory_ = 0;
    std::vector<std::byte> buffer_;  // made when it is first wanted
};

}  // namespace cinnabar::perf
