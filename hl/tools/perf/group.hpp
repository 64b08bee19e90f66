// SPDX-License-Identifier: BSD-3-Clause
// What is measured, as a list: a group is a network in one mode, opened once for all of its cases.
// To add a network, add a line to the table in group.cpp; its floors are those of its kind.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hl/tools/perf/peer.hpp"
#include "hl/tools/perf/probe.hpp"
#include "hl/tools/perf/session.hpp"

namespace cinnabar::perf {

enum class Kind { shared_memory, sockets };

// Of an info string or an address: what lies beneath its net on one host.
Kind kind_of(const std::string& info);

struct Group {
    std::string path;  // the name of the network in the report
    std::string info;  // what opens it
    Kind kind = Kind::sockets;
    bool busy = true;
    std::string mode() const { return busy ? "busy" : "blocking"; }
};

// All there are.
std::vector<Group> groups();

// The calls of a group, beside those of a busy session of the same network, unless it is null. The
// cases borrow all.
std::vector<Case> call_cases(const Group& group, Peer& peer, Session& session, Session* busy);

// Its pulls between memory of one kind, which Session::describe() prepares; none in blocking mode.
std::vector<Case> pull_cases(const Group& group, Memory memory, Peer& peer, Session& session);

}  // namespace cinnabar::perf
