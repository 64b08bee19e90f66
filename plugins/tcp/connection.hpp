// SPDX-License-Identifier: BSD-3-Clause
// One socket and what stands on both sides of it: bytes read but not parsed, frames not yet
// written, streams of bulk data. And the peer it serves: who outlives connections, because
// operations name him. Both belong to one context and are used inside its serial only; context.hpp
// says who does what with them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "na/base/file_descriptor.hpp"
#include "plugins/tcp/address.hpp"
#include "plugins/tcp/frame.hpp"
#include "plugins/tcp/op.hpp"
#include "plugins/tcp/output.hpp"

namespace cinnabar::tcp {

// A remote endpoint: an address and a context there.
struct Peer {
    Address* address = nullptr;  // one reference
    std::uint8_t id = 0;
    bool loose = false;  // in the list of peers that may be dropped
    Peer* next_loose = nullptr;
    Connection* connection = nullptr;  // established, or our attempt
    Connection* parked = nullptr;      // its attempt, held back while ours goes first
    std::uint64_t incarnation = 0;
    std::uint64_t void_attempt = 0;  // attempts of it up to this number are abandoned
    std::size_t users = 0;           // operations that name it
    OpQueue messages;                // sends not yet begun
    OpQueue transfers;               // put and get not yet begun
};

// Bulk data going out: of a put of ours (op set), or asked for by a get of the peer.
struct Stream {
    std::shared_ptr<Region> region;
    std::uint64_t offset = 0;  // in the region
    std::uint64_t remaining = 0;
    std::uint64_t wire_op = 0;
    std::uint64_t wire_offset = 0;  // get: in the operation; put: in the peer's memory
    std::uint64_t key = 0;          // put
    Op* op = nullptr;
};

// Where the payload of the present data frame goes.
struct Incoming {
    std::size_t remaining = 0;
    std::shared_ptr<Region> region;  // nullptr: nowhere
    std::uint64_t offset = 0;
    Op* op = nullptr;           // get of ours
    std::uint64_t peer_op = 0;  // put of the peer
    bool acknowledge = false;   // put: success is reported behind this chunk
    bool pinned = false;        // put: the region is pinned while it is written
};

enum class Phase : std::uint8_t {
    connecting,  // ours: the greeting is not answered yet
    arriving,    // theirs: the greeting has not come yet
    parked,      // theirs: greeted, waits for the outcome of ours
    established,
    dead
};

struct Connection {
    FileDescriptor fd;
    Phase phase = Phase::connecting;
    bool tcp = true;           // else a socket pair within this process
    bool within_host = false;  // established over TCP, and both ends are on this machine
    bool dialing = false;      // connect() has not finished
    bool blocked = false;      // the socket takes no more; EPOLLOUT will come
    bool hang_up = false;      // read until the end: no further event is promised
    bool paused = false;       // the stash is full
    bool in_ready = false;
    bool in_dirty = false;
    bool want_pump = false;
    std::uint32_t slot = 0;            // in the context's table
    std::uint32_t max_unexpected = 0;  // what both sides take
    std::uint32_t max_expected = 0;
    std::uint32_t rma_in_flight = 0;
    std::uint32_t large_gets = 0;  // of them: their data goes past the input buffer
    Peer* peer = nullptr;
    na::sdk::IpAddress remote_ip;
    std::uint64_t attempt = 0;  // parked: its number

    // Input; the buffer is lent by the pool while there are bytes in it.
    std::byte* in = nullptr;
    std::size_t in_begin = 0;
    std::size_t in_end = 0;
    Incoming incoming;
    std::size_t stashed = 0;

    Output out;
    std::vector<Stream> streams;
    std::size_t next_stream = 0;

    // Combining: see Context::flush_or_gather().
    std::uint64_t flushed_pass = 0;
    std::uint64_t count_pass = 0;
    unsigned count = 0;
    unsigned half = 0;  // frames of a pass after which they leave at once; 0: never
    std::uint64_t burst_until = 0;

    // See Greeters.
    bool greeter = false;
    std::int64_t accepted_ms = 0;
    Connection* next_greeter = nullptr;
    Connection* previous_greeter = nullptr;

    std::unique_ptr<Connection> next_dead;

    // Of a message that is sent.
    std::uint32_t largest(OpKind kind) const noexcept {
        return kind == OpKind::send_unexpected ? max_unexpected : max_expected;
    }

    Connection(BufferPool& pool, Lender& lender) : out(pool, lender) {}
};

}  // namespace cinnabar::tcp
