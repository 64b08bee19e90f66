// SPDX-License-Identifier: BSD-3-Clause
// One life of a context elsewhere (or of this one): from the connection to it until that is lost.
// All that depends on it ends with it. The context that it belongs to serialises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "na/sdk/framed/class.hpp"
#include "na/sdk/framed/op.hpp"
#include "na/sdk/framed/transport.hpp"

namespace cinnabar::na::sdk::framed {

struct Peer;

// A link and what has been said on it. `calling`: made here, and no welcome has come. `strange`:
// accepted here, and no greeting has come. `held`: one has come, but there is another connection
// with its peer.
struct Connection {
    enum class State { calling, strange, held, open };
    Connection(std::unique_ptr<Link> with, State first) : link(std::move(with)), state(first) {}
    Connection(const Connection&) = delete;
    ~Connection() {
        if (caller != nullptr) unref(*caller);
    }
    std::unique_ptr<Link> link;
    State state;
    Peer* peer = nullptr;       // calling, open
    Address* caller = nullptr;  // who has connected; of contexts:
    std::uint8_t caller_id = 0;
    bool owes_hello = false;  // a greeting or a welcome is to be sent
    bool full = false;        // waits for room
    bool paused = false;      // not read, since nobody takes the messages
    bool over = false;        // the other end sends nothing more
    std::size_t kept = 0;     // messages of it that wait for a receive
};

// Pieces of transfers with a peer without an answer. An honest one never asks for more, so what
// waits for room is bounded, and reading never waits for sending.
inline constexpr std::size_t most_pieces = 16;

// A part of a transfer for which there is no answer. Answers come in the order of what they answer.
struct Piece {
    Op* op;    // nullptr: it has ended without it
    bool get;  // the answer brings bytes
    std::size_t offset;
    std::size_t size;
};

// What a put or get of the peer is to be answered.
struct Answer {
    na_return_t code;
    std::shared_ptr<Region> region;  // of a get that is granted
    std::uint64_t offset;
    std::size_t size;
};

struct Peer {
    Peer(Address& whose, std::uint8_t which, Connection& by)
        : address(whose), id(which), connection(&by) {
        ref(address);
    }
    Peer(const Peer&) = delete;
    ~Peer() { unref(address); }
    Address& address;
    std::uint8_t id;
    Connection* connection;  // that we send on
    OpList messages{};       // that wait for room, or for a welcome
    OpList transfers{};
    std::deque<Piece> pieces{};
    std::deque<Answer> answers{};
    unsigned int turn = 0;  // of the three kinds of frames, when all have something to send
};

}  // namespace cinnabar::na::sdk::framed
