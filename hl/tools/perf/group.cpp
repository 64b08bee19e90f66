// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/group.hpp"

#include <fmt/format.h>

#include <optional>

#include "hl/tools/perf/library_floor.hpp"
#include "hl/tools/perf/sizes.hpp"
#include "hl/tools/protocols.hpp"

namespace cinnabar::perf {
namespace {

// Four times the size each step, from 4 KiB to 16 MiB.
constexpr std::size_t smallest_pull = 4096;
constexpr std::size_t size_step = 4;

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
    if (!group.busy || window > 1) return;
    if (std::optional<Probe> library = library_call(group.path, peer.server_cpu()))
        made.others.push_back(*library);
}

}  // namespace

Kind kind_of(const std::string& info) {
    const std::string net = info.substr(0, info.find("://"));
    for (const char* name : {"sm", "shm", "ucx+all"})
        if (net.size() >= std::string_view(name).size() && net.ends_with(name))
            return Kind::shared_memory;
    return Kind::sockets;
}

std::vector<Group> groups() {
    static const struct {
        const char* path;
        const char* protocol;  // that it needs, or null
        const char* info;
        Kind kind;
    } table[] = {
        {"sm", nullptr, "na+sm", Kind::shared_memory},
        {"tcp", nullptr, "na+tcp://127.0.0.1:0", Kind::sockets},
        {"ofi+tcp", "ofi+tcp", "ofi+tcp://127.0.0.1:0", Kind::sockets},
        {"ucx+tcp", "ucx+tcp", "ucx+tcp://127.0.0.1:0", Kind::sockets},
        {"ucx+all", "ucx+all", "ucx+all://127.0.0.1:0", Kind::shared_memory},
    };
    std::vector<Group> all;
    for (const auto& line : table)
        if (line.protocol == nullptr || !tools::list_protocols(line.protocol).empty())
            for (const bool busy : {true, false})
                all.push_back({line.path, line.info, line.kind, busy});
    return all;
}

std::vector<Case> call_cases(const Group& group, Peer& peer, Session& session, Session* busy) {
    std::vector<Case> cases;
    for (const std::uint64_t window : {1, 16, 64}) {
        Case made;
        made.name = fmt::format("{}/{}/rpc/{}", group.path, group.mode(), window);
        made.path = group.path;
        made.mode = group.mode();
        made.in_flight = window;
        made.probe = session.calls(window);
        add_call_floors(group, window, peer, made);
        if (busy != nullptr) {
            made.others.push_back(busy->calls(window));
            made.others.back().name = "the same calls, busy";
        }
        cases.push_back(made);
    }
    return cases;
}

std::vector<Case> pull_cases(const Group& group, Memory memory, Peer& peer, Session& session) {
    std::vector<Case> cases;
    if (!group.busy) return cases;
    const bool is_library = memory == Memory::library;
    for (std::size_t size = smallest_pull; size <= largest_pull; size *= size_step) {
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
