// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/floors.hpp"

#include <fmt/format.h>

#include "hl/tools/perf/socket_floor.hpp"

namespace cinnabar::perf {

void Floors::begin(Task task, std::uint64_t count, std::uint64_t size, bool flag) {
    control_.ask({task, flag, count, size, {}});
}

Probe Floors::cache_line() {
    return {"one cache line there and back", [this](auto warm, auto count) {
                begin(Task::bounce_line, warm + count);
                return bounce_line(*area_, warm, count);
            }};
}

Probe Floors::ring(std::uint64_t window) {
    return {fmt::format("bare ring of 128-byte slots, {} in flight", window),
            [this, window](auto warm, auto count) {
                begin(Task::echo_ring, warm + count);
                return ring_->call(warm, count, window);
            }};
}

Probe Floors::event() {
    return {"eventfd there and back", [this](auto warm, auto count) {
                begin(Task::echo_event, warm + count);
                return call_event(event_to_server_, event_to_client_, warm, count);
            }};
}

Probe Floors::socket_call(std::uint64_t batch, bool blocking) {
    return {fmt::format("bare {} sockets, {} x 64 bytes in one write",
                        blocking ? "blocking" : "non-blocking", batch),
            [this, batch, blocking](auto warm, auto count) {
                begin(Task::echo_socket, warm + count, batch, blocking);
                return call_socket(socket_, warm, count, batch, blocking);
            },
            batch};
}

Probe Floors::socket_stream(std::size_t size) {
    return {"bare TCP stream, one write each", [this, size](auto warm, auto count) {
                begin(Task::stream_socket, warm + count, size);
                return read_stream(socket_, warm, count, size, buffer());
            }};
}

Probe Floors::socket_answer(std::size_t size) {
    return {"bare sockets, 64 bytes there, all back", [this, size](auto warm, auto count) {
                begin(Task::answer_socket, warm + count, size);
                return ask_socket(socket_, warm, count, size, buffer());
            }};
}

Probe Floors::process_read(std::size_t size, const std::uint64_t& address) {
    return {"process_vm_readv", [this, size, &address](auto warm, auto count) {
                read_process(server_, address, size, buffer(), warm);
                return read_process(server_, address, size, buffer(), count);
            }};
}

Probe Floors::copy(std::size_t size) {
    return {"memcpy", [this, size](auto warm, auto count) {
                copy_memory(*area_, size, buffer(), warm);
                return copy_memory(*area_, size, buffer(), count);
            }};
}

Probe Floors::process_read(std::size_t size) {
    own_memory_ = control_.ask({Task::own_memory, 0, 0, 0, {}}).value;
    return process_read(size, own_memory_);
}

void Floors::share(SharedArea& area) {
    area_ = &area;
    ring_ = std::make_unique<RingFloor>(area);
}

}  // namespace cinnabar::perf
