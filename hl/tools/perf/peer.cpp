// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/peer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "hl/tools/perf/cpu.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/socket_floor.hpp"

namespace cinnabar::perf {

Peer::Peer(bool pin)
    : area_(create_shared_area(mine_.shared_area)),
      ring_(area_),
      control_(-1),
      buffer_(largest_transfer) {
    Inheritance theirs = mine_;
    int ends[2];
    check_system(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "socketpair");
    create_connection(mine_.socket, theirs.socket);
    theirs.control = ends[1];
    theirs.event_to_server = mine_.event_to_server = ::eventfd(0, 0);
    theirs.event_to_client = mine_.event_to_client = ::eventfd(0, 0);
    check_system(mine_.event_to_client >= 0, "eventfd");
    const std::vector<int> cpus = allowed_cpus();
    pinned_ = pin && cpus.size() > 1;
    theirs.cpu = server_cpu_ = pinned_ ? cpus[1] : -1;
    check_system(::fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0, "FD_CLOEXEC");
    server_ = start_server(theirs);
    for (const int descriptor : {ends[1], theirs.socket, mine_.shared_area})
        ::close(descriptor);
    control_ = Control(ends[0]);
    if (pinned_) pin_to(cpus[0]);
}

Peer::~Peer() {
    end_server(control_, server_);
}

std::string Peer::open_net(const std::string& info, bool busy, std::uint32_t net) {
    Command command{Task::open_net, busy, 0, 0, {}, net};
    if (info.size() >= command.text.size()) fail("the net's name is too long: " + info);
    std::copy(info.begin(), info.end(), command.text.begin());
    return control_.ask(command).bytes;
}

void Peer::begin(Task task, std::uint64_t count, std::uint64_t size, bool flag) {
    control_.ask({task, flag, count, size, {}});
}

Probe Peer::cache_line() {
    return {"one cache line there and back", [this](auto warm, auto count) {
                begin(Task::bounce_line, warm + count);
                return bounce_line(area_, warm, count);
            }};
}

Probe Peer::ring(std::uint64_t window) {
    return {fmt::format("bare ring of 128-byte slots, {} in flight", window),
            [this, window](auto warm, auto count) {
                begin(Task::echo_ring, warm + count);
                return ring_.call(warm, count, window);
            }};
}

Probe Peer::event() {
    return {"eventfd there and back", [this](auto warm, auto count) {
                begin(Task::echo_event, warm + count);
                return call_event(mine_.event_to_server, mine_.event_to_client, warm, count);
            }};
}

Probe Peer::socket_call(std::uint64_t batch, bool blocking) {
    return {fmt::format("bare {} sockets, {} x 64 bytes in one write",
                        blocking ? "blocking" : "non-blocking", batch),
            [this, batch, blocking](auto warm, auto count) {
                begin(Task::echo_socket, warm + count, batch, blocking);
                return call_socket(mine_.socket, warm, count, batch, blocking);
            },
            batch};
}

Probe Peer::socket_stream(std::size_t size) {
    return {"bare TCP stream, one write each", [this, size](auto warm, auto count) {
                begin(Task::stream_socket, warm + count, size);
                return read_stream(mine_.socket, warm, count, size, buffer());
            }};
}

Probe Peer::socket_answer(std::size_t size) {
    return {"bare sockets, 64 bytes there, all back", [this, size](auto warm, auto count) {
                begin(Task::answer_socket, warm + count, size);
                return ask_socket(mine_.socket, warm, count, size, buffer());
            }};
}

Probe Peer::process_read(std::size_t size, const std::uint64_t& address) {
    return {"process_vm_readv", [this, size, &address](auto warm, auto count) {
                read_process(server_, address, size, buffer(), warm);
                return read_process(server_, address, size, buffer(), count);
            }};
}

Probe Peer::copy(std::size_t size) {
    return {"memcpy", [this, size](auto warm, auto count) {
                copy_memory(area_, size, buffer(), warm);
                return copy_memory(area_, size, buffer(), count);
            }};
}

std::uint64_t Peer::disturbances() const {
    std::uint64_t count = 0;
    for (const pid_t process : {::getpid(), server_}) {
        std::ifstream stream(fmt::format("/proc/{}/status", process));
        static constexpr std::string_view key = "nonvoluntary_ctxt_switches:";
        for (std::string line; std::getline(stream, line);)
            if (line.rfind(key, 0) == 0) count += std::stoull(line.substr(key.size()));
    }
    return count;
}

}  // namespace cinnabar::perf
