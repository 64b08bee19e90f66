// SPDX-License-Identifier: BSD-3-Clause
// The floors between this client and a server that somebody else has started. The server starts a
// process for them where it runs, and does nothing else until these floors are closed. One thread.
#pragma once

#include <memory>

#include "hl/tools/perf/caller.hpp"
#include "hl/tools/perf/floors.hpp"

namespace cinnabar::perf {

class RemoteFloors : public Floors {
public:
    // Null where that process cannot be reached: a line on standard error says why.
    static std::unique_ptr<RemoteFloors> open(Caller& caller, const Endpoint& endpoint);
    ~RemoteFloors();

private:
    RemoteFloors() = default;
    // Shares the area of a process that is on this host and shows its memory.
    void try_to_share(const FloorPlace& place);

    int control_socket_ = -1;
    SharedArea* mapped_ = nullptr;
};

}  // namespace cinnabar::perf
