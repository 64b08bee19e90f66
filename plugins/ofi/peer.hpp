// SPDX-License-Identifier: BSD-3-Clause
// A remote endpoint, an address and a context there, and the link to it: what both sides know of
// each other between a greeting and a loss. Belongs to one context, used inside its serial.
#pragma once

#include <cstdint>
#include <vector>

#include "na/base/file_descriptor.hpp"
#include "plugins/ofi/address.hpp"
#include "plugins/ofi/endpoint.hpp"
#include "plugins/ofi/op.hpp"

namespace cinnabar::ofi {

enum class Phase : std::uint8_t {
    idle,      // no link
    greeting,  // ours has gone, or will: not answered yet
    up
};

// A message of which not all has come. Its bytes' room is used again.
struct Partial {
    bool active = false;
    FrameType type = FrameType::unexpected;
    std::uint32_t tag = 0;
    std::uint32_t total = 0;
    std::vector<std::byte> bytes;
};

struct Peer {
    Address* address = nullptr;  // one reference
    std::uint8_t id = 0;
    std::uint32_t index = 0;  // in the context's table
    bool loose = false;       // in the list of peers that may be dropped
    Peer* next_loose = nullptr;
    std::size_t users = 0;  // operations that name it
    OpQueue messages;       // sends not gone yet
    OpQueue transfers;      // put and get not gone yet

    // The link.
    Phase phase = Phase::idle;
    bool dirty = false;       // in the context's list of peers with something to go
    bool refused = false;     // the library took something no more at the last try
    unsigned tries = 0;       // greetings that the library failed to send
    std::uint64_t nonce = 0;  // of our side of the link
    std::uint32_t remote_index = 0;
    std::uint64_t remote_nonce = 0;  // 0: not known
    Channel* dialed = nullptr;       // messages go here,
    Channel* accepted = nullptr;     // or, if there is none, here
    // Connected kind: transfers go here, made for the first one; with a peer that does not listen
    // they go where messages go.
    Channel* bulk = nullptr;
    std::uint32_t next_out = 0;  // sequence numbers of envelopes
    std::uint32_t next_in = 0;
    std::uint32_t window = 0;  // what both sides take
    std::uint32_t max_unexpected = 0;
    std::uint32_t max_expected = 0;
    std::uint32_t cost_sent = 0;      // of unexpected messages, modulo 2^32
    std::uint32_t cost_received = 0;  // by the peer, as it says
    std::uint32_t cost_begun = 0;     // of those that came
    std::uint32_t cost_taken = 0;     // of those that a receive took
    std::uint32_t cost_told = 0;      // of that, what the peer knows
    Slot* open = nullptr;             // envelope being filled
    SlotQueue sealed;                 // envelopes that the library has not taken
    Partial partial;
    std::uint32_t pieces = 0;     // RMA in the library
    std::uint32_t suspects = 0;   // RMA that is tried again, see Context::bulk_lost()
    std::int64_t sent_ms = 0;     // when something went last
    std::int64_t refused_ms = 0;  // since when the library refuses
    FileDescriptor probe;         // a connection attempt that tells whether somebody listens
    std::int64_t probe_ms = 0;

    // Combining: see Context::flush_or_gather().
    std::uint64_t flushed_pass = 0;
    std::uint64_t count_pass = 0;
    unsigned count = 0;
    std::uint64_t burst_until = 0;

    Channel* out() const noexcept { return dialed != nullptr ? dialed : accepted; }
    Channel* transfers_out(bool connected_kind) const noexcept {
        return connected_kind && address->connectable() ? bulk : out();
    }
    bool window_open() const noexcept {
        return cost_sent - cost_received < window || cost_sent == cost_received;
    }
};

}  // namespace cinnabar::ofi
