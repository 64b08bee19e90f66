// SPDX-License-Identifier: BSD-3-Clause
// A net open in both processes, and what is measured over it: calls of "sum", and pulls of the
// server's memory. The probes borrow the session. A second one may be open beside it, to compare
// with. One thread.
#pragma once

#include <string>

#include "hl/tools/perf/net.hpp"
#include "hl/tools/perf/peer.hpp"

namespace cinnabar::perf {

enum class Memory { user, library };

class Session {
public:
    // Opens `info` for listening at the server, as its net of that number, for calling here.
    Session(Peer& peer, const std::string& info, bool busy, std::uint32_t number = 0);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    // `window` calls in flight.
    Probe calls(std::uint64_t window);
    // Pulls of `size` bytes, one in flight, between the memory last described.
    Probe pulls(std::size_t size);

    // A floor that needs nothing of the server, measured while it serves: two processors may share
    // the units of one core, and then what the one does slows the other.
    Probe beside_service(const Probe& floor);

    // Describes `largest_pull` bytes at each end, in place of what was described before.
    void describe(Memory memory);
    // Where in the server's process it is; changes with describe().
    const std::uint64_t& remote_address() const { return remote_address_; }

private:
    void serve();
    void stop();
    double time_pulls(std::uint64_t warm, std::uint64_t count, std::size_t size);
    void pull(std::size_t size);
    void drop_regions();
    std::byte* local_memory();

    Peer& peer_;
    std::uint32_t number_;
    std::string server_address_;
    Net net_;
    hg_addr_t server_ = HG_ADDR_NULL;
    hg_bulk_t remote_ = HG_BULK_NULL;
    hg_bulk_t local_ = HG_BULK_NULL;
    std::uint64_t remote_address_ = 0;
};

}  // namespace cinnabar::perf
