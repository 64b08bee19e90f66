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

Peer::Peer(bool pin) {
    Inheritance theirs;
    share(create_shared_area(theirs.shared_area));
    int ends[2];
    check_system(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "socketpair");
    create_connection(socket_, theirs.socket);
    theirs.control = ends[1];
    theirs.event_to_server = event_to_server_ = ::eventfd(0, 0);
    theirs.event_to_client = event_to_client_ = ::eventfd(0, 0);
    check_system(event_to_client_ >= 0, "eventfd");
    const std::vector<int> cpus = allowed_cpus();
    pinned_ = pin && cpus.size() > 1;
    theirs.cpu = server_cpu_ = pinned_ ? cpus[1] : -1;
    check_system(::fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0, "FD_CLOEXEC");
    server_ = start_server(theirs);
    for (const int descriptor : {ends[1], theirs.socket, theirs.shared_area})
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
