// SPDX-License-Identifier: BSD-3-Clause
// Messages in: receives posted, envelopes taken apart, matching, and the stash of messages that
// came too early. A sender stops when too much of what it sent is in the stash.
#include <cstring>
#include <new>

#include "na/base/log.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"

namespace cinnabar::ofi {

namespace {

std::uint32_t cost_of(std::size_t size) noexcept {
    return static_cast<std::uint32_t>(size) + options::message_cost;
}

}  // namespace

Status Context::recv_unexpected(Op& op, const na_recv& recv) {
    op.kind = OpKind::receive_unexpected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.address = nullptr;
    return post(op);
}

Status Context::recv_expected(Op& op, const na_recv& recv) {
    op.kind = OpKind::receive_expected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.tag = recv.tag;
    op.address = static_cast<Address*>(recv.source);
    op.remote_id = recv.source_id;
    return post(op);
}

void Context::start_receive(Op& op) {
    if (op.kind == OpKind::receive_unexpected) {
        if (!stash_.empty()) {
            unstash(op);
            return;
        }
        op.state = OpState::receiving;
        unexpected_.post(op);
        return;
    }
    Peer& peer = *peer_of(*op.address, op.remote_id);
    name(op, peer);
    if (peer.phase == Phase::idle && !op.address->connectable()) {
        finish(op, NA_HOSTUNREACH);
        return;
    }
    op.source = &peer;
    op.source_id = op.remote_id;
    op.state = OpState::receiving;
    expected_.post(op);
}

void Context::take_envelope(std::span<const std::byte> bytes) noexcept {
    Envelope envelope;
    if (!decode_envelope(bytes, envelope)) {
        log_warning(log_name, "{}: a message of {} bytes is not of this transport",
                    cls_.self_name(), bytes.size());
        return;
    }
    bytes = bytes.subspan(envelope_header_size);
    if (envelope.kind != Kind::data && envelope.kind != Kind::bye) {
        take_greeting(envelope, bytes);
        return;
    }
    Peer* peer = peer_at(envelope.index, envelope.nonce);
    if (peer == nullptr) {
        log_debug(log_name, "{}: a message of a link that is no more", cls_.self_name());
        return;
    }
    if (peer->phase != Phase::up || envelope.sequence != peer->next_in) {
        fail(*peer, NA_HOSTUNREACH, "messages of it were lost");
        return;
    }
    ++peer->next_in;
    if (envelope.received - peer->cost_received > peer->cost_sent - peer->cost_received) {
        fail(*peer, NA_PROTOCOL_ERROR, "it says to have received what was not sent");
        return;
    }
    if (envelope.received != peer->cost_received) {
        peer->cost_received = envelope.received;
        if (!peer->messages.empty()) mark_dirty(*peer);
    }
    if (envelope.kind == Kind::bye) {
        fail(*peer, NA_HOSTUNREACH, "it has closed");
        return;
    }
    try {
        take_frames(*peer, bytes);
    } catch (const std::bad_alloc&) {
        fail(*peer, NA_NOMEM, "no memory to keep a message nobody waits for yet");
    }
}

void Context::take_frames(Peer& peer, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        Frame frame;
        std::span<const std::byte> part;
        const char* wrong = take_frame(bytes, frame, part) ? take_frame_of(peer, frame, part)
                                                           : "a frame is malformed";
        if (wrong != nullptr) {
            fail(peer, NA_PROTOCOL_ERROR, wrong);
            return;
        }
    }
    if (peer.cost_taken - peer.cost_told >= peer.window / 2) mark_dirty(peer);
}

// nullptr: all is well.
const char* Context::take_frame_of(Peer& peer, const Frame& frame,
                                   std::span<const std::byte> part) {
    Partial& partial = peer.partial;
    if (frame.type == FrameType::more) {
        if (!partial.active || frame.total != partial.total ||
            frame.size > partial.total - partial.bytes.size())
            return "a part belongs to no message";
        partial.bytes.insert(partial.bytes.end(), part.begin(), part.end());
        if (partial.bytes.size() < partial.total) return nullptr;
        partial.active = false;
        deliver(peer, partial.type, partial.tag, partial.bytes);
        return nullptr;
    }
    const bool unexpected = frame.type == FrameType::unexpected;
    if (partial.active) return "a message begins inside another one";
    if (frame.total > (unexpected ? peer.max_unexpected : peer.max_expected))
        return "a message is larger than agreed";
    if (unexpected) {
        if (peer.cost_begun - peer.cost_taken >= peer.window && peer.cost_begun != peer.cost_taken)
            return "it sends more than it may";
        peer.cost_begun += cost_of(frame.total);
    }
    if (frame.size == frame.total) {
        deliver(peer, frame.type, frame.tag, part);
        return nullptr;
    }
    partial.type = frame.type;
    partial.tag = frame.tag;
    partial.total = frame.total;
    partial.bytes.reserve(frame.total);
    partial.bytes.assign(part.begin(), part.end());
    partial.active = true;
    return nullptr;
}

void Context::deliver(Peer& peer, FrameType type, na_tag_t tag, std::span<const std::byte> bytes) {
    if (type == FrameType::unexpected) {
        auto* op = static_cast<Op*>(unexpected_.take());
        if (op == nullptr) {
            stash(peer, tag, bytes);
            return;
        }
        taken(peer, bytes.size());
        place(*op, tag, *peer.address, bytes);
        return;
    }
    auto* op = static_cast<Op*>(expected_.take(&peer, peer.id, tag));
    if (op == nullptr) {
        log_debug(log_name, "{} context {}: nobody waits for the message with tag {}",
                  peer.address->name, peer.id, tag);
        return;
    }
    if (bytes.size() > op->size) {
        log_warning(log_name, "{} context {}: a message of {} bytes does not fit the receive of {}",
                    peer.address->name, peer.id, bytes.size(), op->size);
        finish(*op, NA_MSGSIZE);
        return;
    }
    if (!bytes.empty()) std::memcpy(op->buf, bytes.data(), bytes.size());
    finish(*op, NA_SUCCESS, bytes.size());
}

// Ends an unexpected receive with a message; takes no reference away from the caller.
void Context::place(Op& op, na_tag_t tag, Address& source, std::span<const std::byte> bytes) {
    if (bytes.size() > op.size) {
        log_warning(log_name, "{}: a message of {} bytes does not fit the receive of {}",
                    source.name, bytes.size(), op.size);
        finish(op, NA_MSGSIZE);
        return;
    }
    if (!bytes.empty()) std::memcpy(op.buf, bytes.data(), bytes.size());
    na::sdk::ref(source);
    finish(op, na_completion{NA_SUCCESS, tag, bytes.size(), &source, nullptr, false});
}

void Context::stash(Peer& peer, na_tag_t tag, std::span<const std::byte> bytes) {
    Stashed stashed{std::make_unique<std::byte[]>(bytes.size()),
                    bytes.size(),
                    tag,
                    peer.address,
                    peer.index,
                    peer.nonce};
    if (!bytes.empty()) std::memcpy(stashed.bytes.get(), bytes.data(), bytes.size());
    stash_.push_back(std::move(stashed));
    na::sdk::ref(*peer.address);
}

void Context::unstash(Op& op) {
    const Stashed stashed = std::move(stash_.front());
    stash_.pop_front();
    // Its link may be gone, or another one.
    if (Peer* peer = peer_at(stashed.index, stashed.nonce)) taken(*peer, stashed.size);
    place(op, stashed.tag, *stashed.source, {stashed.bytes.get(), stashed.size});
    na::sdk::unref(*stashed.source);
}

// The sender may send as much more; it is told when that has become something.
void Context::taken(Peer& peer, std::size_t size) {
    peer.cost_taken += cost_of(size);
    if (peer.cost_taken - peer.cost_told >= peer.window / 2) mark_dirty(peer);
}

}  // namespace cinnabar::ofi
