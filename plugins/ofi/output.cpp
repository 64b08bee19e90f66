// SPDX-License-Identifier: BSD-3-Clause
// Envelopes out: messages are copied into the envelope that is open for their peer, and are done
// then. The first one of a quiet link leaves at once; those posted behind it before the next poll,
// or in passes of bursts, leave together.
#include <algorithm>
#include <cstring>
#include <utility>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"
#include "plugins/ofi/error_code.hpp"

namespace cinnabar::ofi {

namespace {

// A part of a message smaller than this is not worth a frame of its own.
constexpr std::size_t least_part = 512;

void describe_send(Op& op, OpKind kind, const na_send& send) {
    op.kind = kind;
    op.buf = const_cast<void*>(send.buf);
    op.size = send.size;
    op.tag = send.tag;
    op.address = static_cast<Address*>(send.dest);
    op.remote_id = send.dest_id;
}

}  // namespace

Status Context::send_unexpected(Op& op, const na_send& send) {
    describe_send(op, OpKind::send_unexpected, send);
    return post(op);
}

Status Context::send_expected(Op& op, const na_send& send) {
    describe_send(op, OpKind::send_expected, send);
    return post(op);
}

void Context::start_send(Op& op) {
    Peer& peer = *peer_of(*op.address, op.remote_id);
    name(op, peer);
    if (peer.phase == Phase::idle && !op.address->connectable()) {
        log_warning(log_name, "{}: the peer is gone and cannot be connected to", op.address->name);
        finish(op, NA_HOSTUNREACH);
        return;
    }
    if (peer.phase == Phase::up && peer.messages.empty()) {
        switch (fill_from(peer, op)) {
            case Filled::all:
                flush_or_gather(peer);
                finish(op, peer.phase == Phase::up ? NA_SUCCESS : NA_HOSTUNREACH);
                return;
            case Filled::too_large:
                finish(op, NA_MSGSIZE);
                return;
            case Filled::part:
                break;
        }
    }
    if (op.done == 0) op.state = OpState::waiting;
    peer.messages.push(op);
    if (peer.phase == Phase::idle)
        connect(peer);
    else if (peer.phase == Phase::up)
        mark_dirty(peer);
}

bool Context::check_size(const Peer& peer, const Op& op) noexcept {
    const bool unexpected = op.kind == OpKind::send_unexpected;
    if (op.size <= (unexpected ? peer.max_unexpected : peer.max_expected)) return true;
    log_warning(log_name, "{} context {}: a message of {} bytes is larger than the peer takes",
                peer.address->name, peer.id, op.size);
    return false;
}

// Puts a message, or what remains of it, into envelopes as far as there are any.
Context::Filled Context::fill_from(Peer& peer, Op& op) {
    const bool unexpected = op.kind == OpKind::send_unexpected;
    if (op.state != OpState::started) {
        if (!check_size(peer, op)) return Filled::too_large;
        if (unexpected && !peer.window_open()) return Filled::part;
    }
    for (;;) {
        Slot* slot = open_envelope(peer);
        if (slot == nullptr) return Filled::part;
        const std::size_t remaining = op.size - op.done;
        const std::size_t room = options::envelope_size - slot->used;
        const std::size_t whole = frame_header_size + remaining;
        const bool fits_fresh = whole <= options::envelope_size - envelope_header_size;
        if (room < whole && (fits_fresh || room < frame_header_size + least_part)) {
            seal(peer);
            write_out(peer);
            if (peer.phase != Phase::up) return Filled::part;
            continue;
        }
        const std::size_t size = std::min(remaining, room - frame_header_size);
        Frame frame;
        frame.type = op.state == OpState::started ? FrameType::more
                     : unexpected                 ? FrameType::unexpected
                                                  : FrameType::expected;
        frame.size = static_cast<std::uint16_t>(size);
        frame.total = static_cast<std::uint32_t>(op.size);
        frame.tag = op.tag;
        encode_frame(frame, slot->bytes + slot->used);
        if (size > 0)
            std::memcpy(slot->bytes + slot->used + frame_header_size,
                        static_cast<const std::byte*>(op.buf) + op.done, size);
        slot->used += frame_header_size + size;
        if (unexpected && op.state != OpState::started)
            peer.cost_sent += static_cast<std::uint32_t>(op.size) + options::message_cost;
        op.state = OpState::started;
        op.done += size;
        if (op.done == op.size) return Filled::all;
    }
}

// The envelope being filled; nullptr when nothing more can go for now.
Slot* Context::open_envelope(Peer& peer) {
    if (peer.open != nullptr) return peer.open;
    if (peer.sealed.size() >= options::sealed_limit) return nullptr;
    peer.open = new_slot();
    if (peer.open == nullptr) {
        peer.refused = true;
        return nullptr;
    }
    peer.open->used = envelope_header_size;
    return peer.open;
}

Slot* Context::new_slot() noexcept {
    Slot* slot = sends_.take();
    if (slot != nullptr || sends_.size() >= options::send_buffers) return slot;
    try {
        if (!sends_.grow(cls_.fabric(), SlotKind::send, 16, options::envelope_size).ok())
            return nullptr;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    return sends_.take();
}

void Context::seal(Peer& peer) noexcept {
    Slot* slot = std::exchange(peer.open, nullptr);
    if (slot == nullptr) return;
    Envelope envelope;
    envelope.kind = Kind::data;
    envelope.index = peer.remote_index;
    envelope.nonce = peer.remote_nonce;
    envelope.sequence = peer.next_out++;
    envelope.received = peer.cost_told = peer.cost_taken;
    encode_envelope(envelope, slot->bytes);
    peer.sealed.push(*slot);
}

// Gives sealed envelopes to the library until it refuses.
void Context::write_out(Peer& peer) noexcept {
    while (Slot* slot = peer.sealed.front()) {
        Channel* channel = peer.out();
        if (channel == nullptr || !channel->up) return;
        const long ret = endpoint_.post_send(*channel, *slot);
        if (is_again(ret)) {
            if (!peer.refused) peer.refused_ms = coarse_now_ms();
            peer.refused = true;
            mark_dirty(peer);
            return;
        }
        if (ret != 0) {
            fail(peer, loss_of_fi(static_cast<int>(ret)), fi_strerror(static_cast<int>(-ret)));
            return;
        }
        peer.sealed.pop();
        slot->in_library = true;
        slot->channel = channel;
        ++channel->in_library;
        peer.refused = false;
        peer.sent_ms = coarse_now_ms();
        nudge_ = cls_.fabric().provider().own_threads && !cls_.blocking();
    }
}

// Moves what waits into envelopes, as far as it may go.
void Context::fill(Peer& peer) {
    while (peer.phase == Phase::up && !peer.messages.empty()) {
        Op& op = *peer.messages.front();
        const Filled filled = fill_from(peer, op);
        if (filled == Filled::part) return;
        if (peer.phase != Phase::up) return;
        peer.messages.remove(op);
        finish(op, filled == Filled::all ? NA_SUCCESS : NA_MSGSIZE);
    }
}

void Context::pump(Peer& peer) noexcept {
    write_out(peer);
    if (peer.phase != Phase::up) return;
    fill(peer);
    if (peer.phase != Phase::up) return;
    // Nothing to say, but the peer waits to hear what was taken.
    if (peer.open == nullptr && peer.cost_taken - peer.cost_told >= peer.window / 2)
        (void)open_envelope(peer);
    seal(peer);
    write_out(peer);
    if (peer.phase != Phase::up) return;
    const Channel* channel = peer.out();
    if (channel == nullptr || !channel->up) return;
    if (!peer.messages.empty() && (peer.window_open() || peer.messages.front()->done > 0))
        mark_dirty(peer);
    if (!peer.transfers.empty()) start_pieces(peer);
}

void Context::mark_dirty(Peer& peer) {
    if (peer.dirty) return;
    peer.dirty = true;
    dirty_.push_back(&peer);
}

// Called after each message that went into an envelope. A burst, two messages in one pass, is
// remembered for some passes: then the first message waits too, for the poll that a user in full
// swing is about to make.
void Context::flush_or_gather(Peer& peer) {
    if (peer.count_pass != pass_) {
        peer.count_pass = pass_;
        peer.count = 0;
    }
    if (++peer.count == 2) peer.burst_until = pass_ + options::burst_memory;
    const bool first = peer.flushed_pass != pass_ && peer.burst_until < pass_;
    if (armed_ || first) {
        peer.flushed_pass = pass_;
        seal(peer);
        write_out(peer);
    } else {
        mark_dirty(peer);
    }
}

void Context::flush_dirty() noexcept {
    if (dirty_.empty()) return;
    work_.swap(dirty_);
    for (std::size_t i = 0; i < work_.size(); ++i) {
        Peer* peer = work_[i];
        if (peer == nullptr) continue;
        peer->dirty = false;
        if (peer->phase == Phase::up)
            pump(*peer);
        else if (peer->phase == Phase::greeting)
            write_out(*peer);
    }
    work_.clear();
}

}  // namespace cinnabar::ofi
