// SPDX-License-Identifier: BSD-3-Clause
#include "tests/perf/group.hpp"

#include <fmt/format.h>

namespace cinnabar::perf {
namespace {

// Four times the size each step, from 4 KiB to 16 MiB.
constexpr std::size_t smallest_pull = 4096;
constexpr std::size_t size_step = 4;

std::string size_name(std::size_t bytes) {
    return bytes >= (1 << 20) ? fmt::format("{}MiB", bytes >> 20)
                              : fmt::format("{}KiB", bytes >> 10);
}

void add_call_floors(const Group& group, std::uint64_t window, Peer& peer, Case& made) {
    if (group.kind == Kind::sockets) {
        // A sleeper is woken for each message, so that there is no batch to compare with.
        made.floor = peer.socket_call(group.busy ? window : 1, !group.busy);
    } else if (group.busy) {
        made.floor = peer.cache_line();
        made.others = {peer.ring(window)};
    } else {
        made.floor = peer.event();
    }
}

}  // namespace

std::vector<Group> groups() {
    return {
        {"sm", "na+sm", Kind::shared_memory, true},
        {"sm", "na+sm", Kind::shared_memory, false},
        {"tcp", "na+tcp://127.0.0.1:0", Kind::sockets, true},
        {"tcp", "na+tcp://127.0.0.1:0", Kind::sockets, false},
#ifdef CINNABAR_HAS_OFI
        {"ofi+tcp", "ofi+tcp://127.0.0.1:0", Kind::sockets, true},
        {"ofi+tcp", "ofi+tcp://127.0.0.1:0", Kind::sockets, false},
#endif
#ifdef CINNABAR_HAS_UCX
        {"ucx+tcp", "ucx+tcp://127.0.0.1:0", Kind::sockets, true},
        {"ucx+tcp", "ucx+tcp://127.0.0.1:0", Kind::sockets, false},
        {"ucx+all", "ucx+all://127.0.0.1:0", Kind::shared_memory, true},
        {"ucx+all", "ucx+all://127.0.0.1:0", Kind::shared_memory, false},
#endif
    };
}

std::vector<Case> call_cases(const Group& group, Peer& peer, Session& session) {
    std::vector<Case> cases;
    for (const std::uint64_t window : {1, 16, 64}) {
        Case made;
        made.name = fmt::format("{}/{}/rpc/{}", group.path, group.mode(), window);
        made.path = group.path;
        made.mode = group.mode();
        made.in_flight = window;
        made.probe = session.calls(window);
        add_call_floors(group, window, peer, made);
        cases.push_back(made);
    }
    return cases;
}

std::vector<Case> pull_cases(const Group& group, Memory memory, Peer& peer, Session& session) {
    std::vector<Case> cases;
    if (!group.busy) return cases;
    const bool is_library = memory == Memory::library;
    for (std::size_t size = smallest_pull; size <= largest_transfer; size *= size_step) {
        Case made;
        made.memory = is_library ? "library" : "user";
        made.name =
            fmt::format("{}/{}/pull/{}/{}", group.path, group.mode(), made.memory, size_name(size));
        made.path = group.path;
        made.mode = group.mode();
        made.bytes = size;
        made.probe = session.pulls(size);
        if (group.kind == Kind::sockets) {
            made.floor = peer.socket_stream(size);
            made.others = {peer.socket_answer(size)};
        } else {
            const Probe read =
                session.beside_service(peer.process_read(size, session.remote_address()));
            const Probe copy = session.beside_service(peer.copy(size));
            made.floor = is_library ? copy : read;
            made.others = {is_library ? read : copy};
        }
        cases.push_back(made);
    }
    return cases;
}

}  // namespace cinnabar::perf
