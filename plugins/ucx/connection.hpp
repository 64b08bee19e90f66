// SPDX-License-Identifier: BSD-3-Clause
// What joins two endpoints: a control socket, over which both have greeted and whose end says that
// the other is gone, and UCX's endpoint, over which everything else goes. And the peer it serves:
// who outlives connections, because operations name him. Both belong to one context and are used
// inside its serial only; context.hpp says who does what with them.
#pragma once

#include <ucp/api/ucp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "na/base/file_descriptor.hpp"
#include "plugins/ucx/address.hpp"
#include "plugins/ucx/greeting.hpp"
#include "plugins/ucx/op.hpp"
#include "plugins/ucx/transfers.hpp"

namespace cinnabar::ucx {

struct Connection;
class Context;

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
    OpQueue unexpected;              // sends not yet begun
    OpQueue expected;
    OpQueue transfers;  // put and get not yet begun, or begun and not yet all with UCX
    bool queued() const noexcept {
        return !unexpected.empty() || !expected.empty() || !transfers.empty();
    }
};

// Something that UCX works on: a message, or a piece of a transfer. UCX holds a pointer to it until
// it is done, which may be never if the peer is gone (1.13, lanes over memory): then the flight
// outlives its operation. So of messages UCX holds nothing else: it has a copy, or asks us for the
// bytes as it sends them.
struct Flight {
    Flight* next = nullptr;
    Flight* previous = nullptr;
    Connection* connection = nullptr;
    Op* op = nullptr;  // nullptr: nobody waits for it
    std::array<std::byte, transfer_header_size> header{};
    // Where the bytes are that UCX asks for; in neither if they are not to be read any more.
    const std::byte* bytes = nullptr;
    std::shared_ptr<Region> region;
    bool pins = false;         // region is the peer's to read as long as it is registered
    std::uint64_t offset = 0;  // in the region
    std::size_t size = 0;
    std::array<std::byte, options::copy_limit> copy;
    std::unique_ptr<std::byte[]> batch;  // kept for the next one
};

enum class Phase : std::uint8_t {
    connecting,  // ours: the greeting is not answered yet
    arriving,    // theirs: the greeting has not come yet
    parked,      // theirs: greeted, waits for the outcome of ours
    established,
    leaving,  // the control socket has ended; what was sent before is still read
    dead
};

struct Connection {
    Context* context = nullptr;  // once it has an endpoint
    FileDescriptor fd;           // none: to the own context
    Phase phase = Phase::connecting;
    bool tcp = true;       // else a socket pair within this process
    bool dialing = false;  // connect() has not finished
    bool in_dirty = false;
    bool in_failed = false;
    bool said_goodbye = false;
    bool used = false;       // something was sent on it
    bool ep_failed = false;  // UCX has given the endpoint up
    bool closing = false;    // UCX has not finished closing the endpoint
    ucs_status_t ep_status = UCS_OK;
    std::uint32_t slot = 0;            // in the context's table
    std::uint32_t generation = 0;      // of the slot
    std::uint32_t max_unexpected = 0;  // what both sides take
    std::uint32_t max_expected = 0;
    Peer* peer = nullptr;
    na::sdk::IpAddress remote_ip;
    std::uint64_t attempt = 0;              // of a greeting that came
    std::int64_t left_ms = 0;               // when it began to leave
    const char* breach = nullptr;           // what the peer did wrong, found inside UCX's progress
    na_return_t end_code = NA_HOSTUNREACH;  // dead: how what UCX gives back ends

    // The other side, from its greeting.
    std::vector<std::byte> in;   // bytes of its greeting so far
    std::vector<std::byte> out;  // of ours that the socket has not taken
    Token remote_token;
    std::uint32_t process = 0;
    std::uint64_t host = 0;
    std::uint64_t proof_at = 0;
    std::uint64_t proof = 0;
    std::vector<std::byte> worker;

    ucp_ep_h ep = nullptr;
    bool itself = false;     // the other end is this context
    bool memory = false;     // see Endpoint
    bool one_sided = false;  // likewise
    Flight* flights = nullptr;
    std::unique_ptr<Transfers> transfers;
    bool reads_peer = false;         // the peer's memory can be read from here
    bool peer_reads = false;         // and the other way round, as far as is known
    OpQueue reading;                 // gets that read
    std::uint32_t sending = 0;       // messages with UCX
    Flight* gathering = nullptr;     // a batch that is not sent yet
    std::uint64_t sent_in_poll = 0;  // when a message was last sent at once
    std::uint32_t pieces = 0;        // of transfers with UCX
    std::int64_t credit = options::credit_window;
    std::int64_t owed = 0;     // consumed, not yet told
    std::int64_t stashed = 0;  // of the peer's unexpected messages, not yet consumed
    // Unpacked keys by the remote memory's id.
    std::unordered_map<std::uint64_t, std::vector<ucp_rkey_h>> keys;

    // See Greeters.
    bool greeter = false;
    std::int64_t accepted_ms = 0;
    Connection* next_greeter = nullptr;
    Connection* previous_greeter = nullptr;

    std::unique_ptr<Connection> next_dead;

    bool usable() const noexcept { return phase == Phase::established && !ep_failed; }
};

}  // namespace cinnabar::ucx
