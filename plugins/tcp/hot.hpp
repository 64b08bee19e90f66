// SPDX-License-Identifier: BSD-3-Clause
// What each message passes on its way through a context, inline; what happens now and then is
// elsewhere. For the files that implement Context.
#pragma once

#include <cstring>
#include <exception>
#include <utility>

#include "plugins/tcp/class.hpp"
#include "plugins/tcp/context.hpp"

namespace cinnabar::tcp {

inline void Context::finish(Op& op, const na_completion& completion) noexcept {
    op.state = OpState::idle;
    if (Peer* peer = op.peer; peer != nullptr) {
        op.peer = nullptr;
        if (--peer->users == 0 && peer->connection == nullptr) loosen(*peer);
    }
    if (op.is_rma()) {
        op.connection = nullptr;
        op.local.reset();
    }
    ++completions_;
    na::sdk::complete(op, completion);
}

inline void Context::finish(Op& op, na_return_t ret, std::size_t size) noexcept {
    finish(op, na_completion{ret, 0, size, nullptr, nullptr, false});
}

// Frees what was lost meanwhile, once nobody looks at it any more.
inline void Context::settle() noexcept {
    if (graveyard_ != nullptr || loose_peers_ != nullptr) bury();
}

// Only what comes before an operation is queued anywhere allocates.
template <class Begin>
void Context::start(Op& op, Begin&& begin) noexcept {
    ++started_;
    if (op.cancel.asked()) {
        finish(op, NA_CANCELED);
        return;
    }
    try {
        begin(op);
    } catch (const std::exception& error) {
        refuse_start(op, error.what());
    }
}

// Begins an operation: at once, or by whoever is inside.
template <class Begin>
Status Context::post(Op& op, Begin&& begin) noexcept {
    op.cancel.arm();
    op.state = OpState::submitted;
    serial_.run(
        this, op.submit,
        [&]() noexcept {
            start(op, begin);
            settle();
        },
        [&]() noexcept { leave_to_inside(op); });
    return NA_SUCCESS;
}

inline Peer& Context::peer_of(Address& address, std::uint8_t id) {
    Peer* last = last_peer_;
    if (last != nullptr && last->address == &address && last->id == id) return *last;
    return find_peer(address, id);
}

// nullptr: nothing has been posted to it yet.
inline Peer* Context::known_peer(Address& address, std::uint8_t id) noexcept {
    Peer* last = last_peer_;
    if (last != nullptr && last->address == &address && last->id == id) return last;
    const auto found = peers_.find({&address, id});
    return found == peers_.end() ? nullptr : last_peer_ = found->second.get();
}

inline void Context::name(Op& op, Peer& peer) noexcept {
    op.peer = &peer;
    ++peer.users;
}

// Ends an unexpected receive with a message; takes no reference away from the caller.
inline void Context::place(Op& op, na_tag_t tag, Address& source, const std::byte* bytes,
                           std::size_t size) {
    if (size > op.size) {
        refuse_place(op, source, size);
        return;
    }
    if (size > 0) std::memcpy(op.buf, bytes, size);
    na::sdk::ref(source);
    finish(op, na_completion{NA_SUCCESS, tag, size, &source, nullptr, false});
}

// A message has come, all of it.
inline void Context::deliver(Connection& connection, const Frame& frame, const std::byte* bytes) {
    Peer* peer = connection.peer;
    if (frame.type == FrameType::unexpected) {
        if (auto* op = static_cast<Op*>(unexpected_.take()))
            place(*op, frame.tag, *peer->address, bytes, frame.payload_size);
        else
            keep(connection, frame, bytes);
        return;
    }
    auto* op = static_cast<Op*>(expected_.take(peer, peer->id, frame.tag));
    if (op == nullptr || frame.payload_size > op->size) {
        refuse_message(connection, frame, op);
        return;
    }
    if (frame.payload_size > 0) std::memcpy(op->buf, bytes, frame.payload_size);
    finish(*op, NA_SUCCESS, frame.payload_size);
}

// Called after each frame posted by the user. A burst, two frames in one pass, is remembered for
// some passes: then the first frame waits too, for the poll that a user in full swing is about to
// make. Half of what was in flight when the peer's last bytes came leaves without waiting for the
// other half: the peer works on the one while we prepare the other, and from then on each side has
// something to do.
inline void Context::flush_or_gather(Connection& connection) {
    if (connection.count_pass != pass_) {
        connection.count_pass = pass_;
        connection.count = 0;
    }
    const unsigned count = ++connection.count;
    if (count == 2) connection.burst_until = pass_ + options::burst_memory;
    const bool first = connection.burst_until < pass_ && connection.flushed_pass != pass_;
    if (armed_ || first || count == connection.half || connection.out.has_payload() ||
        connection.out.buffered() >= options::flush_threshold) {
        connection.flushed_pass = pass_;
        pump(connection);
    } else if (!connection.in_dirty) {
        mark_dirty(connection);
    }
}

}  // namespace cinnabar::tcp
