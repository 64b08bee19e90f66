// SPDX-License-Identifier: BSD-3-Clause
// Put and get: cut into pieces, each a read or write of the library over as many segments of both
// sides as it takes at once. An operation ends when the library has ended its pieces, so that the
// memory is free then; of a lost link nothing more comes.
#include <algorithm>
#include <array>
#include <utility>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"
#include "plugins/ofi/error_code.hpp"

namespace cinnabar::ofi {

Status Context::put(Op& op, const na_rma& rma) {
    return post_rma(op, OpKind::put, rma);
}

Status Context::get(Op& op, const na_rma& rma) {
    return post_rma(op, OpKind::get, rma);
}

Status Context::post_rma(Op& op, OpKind kind, const na_rma& rma) {
    const Memory& local = *static_cast<const Memory*>(rma.local_mem);
    const Memory& remote = *static_cast<const Memory*>(rma.remote_mem);
    const char* verb = kind == OpKind::put ? "put" : "get";
    const std::string& peer = static_cast<const Address*>(rma.remote)->name;
    if (!local.local)
        return log_error(NA_INVALID_ARG, log_name, "{}: {}: the local handle is not local", peer,
                         verb);
    if (!local.region->in_range(rma.local_offset, rma.size))
        return log_error(NA_INVALID_ARG, log_name,
                         "{}: {}: {} bytes at {} leave the local handle of {} bytes", peer, verb,
                         rma.size, rma.local_offset, local.region->length);
    if (!remote.region->in_range(rma.remote_offset, rma.size))
        return log_error(NA_INVALID_ARG, log_name,
                         "{}: {}: {} bytes at {} leave the remote handle of {} bytes", peer, verb,
                         rma.size, rma.remote_offset, remote.region->length);
    const unsigned wanted = kind == OpKind::put ? NA_MEM_WRITE_ONLY : NA_MEM_READ_ONLY;
    if ((remote.region->flags & wanted) == 0)
        return log_error(NA_PERMISSION, log_name, "{}: {}: the remote handle forbids it", peer,
                         verb);
    op.kind = kind;
    op.address = static_cast<Address*>(rma.remote);
    op.remote_id = rma.remote_id;
    op.local = local.region;
    op.remote = remote.region;
    op.local_offset = rma.local_offset;
    op.remote_offset = rma.remote_offset;
    op.size = rma.size;
    op.pieces = 0;
    return post(op);
}

void Context::start_rma(Op& op) {
    if (op.size == 0) {
        finish(op, NA_SUCCESS);
        return;
    }
    Peer& peer = *peer_of(*op.address, op.remote_id);
    name(op, peer);
    if (peer.phase == Phase::idle && !op.address->connectable()) {
        log_warning(log_name, "{}: the peer is gone and cannot be connected to", op.address->name);
        finish(op, NA_HOSTUNREACH);
        return;
    }
    op.state = OpState::waiting;
    peer.transfers.push(op);
    if (peer.phase == Phase::idle)
        connect(peer);
    else if (peer.phase == Phase::up)
        start_pieces(peer);
}

void Context::start_pieces(Peer& peer) noexcept {
    const bool connected = cls_.fabric().connected_kind();
    if (!peer.transfers.empty() && peer.transfers_out(connected) == nullptr) connect_bulk(peer);
    while (!peer.transfers.empty() && peer.pieces < options::pieces_of_peer) {
        const Channel* channel = peer.transfers_out(connected);
        if (channel == nullptr || !channel->up) return;
        Op& op = *peer.transfers.front();
        // One at a time while a bad one is among them, see bulk_lost().
        if (peer.suspects > 0 && peer.pieces > op.pieces) return;
        if (!start_piece(peer, op)) {
            peer.refused = true;
            mark_dirty(peer);
            return;
        }
    }
}

namespace {

// Segments for the library from an offset on, at most `most` of them and `size` bytes; returns the
// bytes. `each(extent, skip, part)` takes one.
template <class Each>
std::size_t walk(const Region& region, std::uint64_t offset, std::size_t size, std::size_t most,
                 Each&& each) {
    std::size_t index = region.at(offset);
    std::uint64_t skip = offset - region.starts[index];
    std::size_t covered = 0;
    for (std::size_t used = 0; used < most && covered < size && index < region.extents.size();
         ++used, ++index) {
        const Extent& extent = region.extents[index];
        const std::size_t part = std::min<std::size_t>(extent.size - skip, size - covered);
        each(extent, skip, part);
        covered += part;
        skip = 0;
    }
    return covered;
}

}  // namespace

// Gives the next piece of an operation, the first one of the queue, to the library. False: it
// refuses for now.
bool Context::start_piece(Peer& peer, Op& op) noexcept {
    const Fabric& fabric = cls_.fabric();
    std::array<iovec, options::max_iovecs> local;
    std::array<void*, options::max_iovecs> descriptors;
    std::array<fi_rma_iov, options::max_iovecs> remote;
    std::size_t locals = 0, remotes = 0;
    const std::uint64_t from = op.local_offset + op.done, to = op.remote_offset + op.done;
    const std::size_t wanted = std::min<std::uint64_t>(op.size - op.done, options::piece_size);
    const std::size_t reach = walk(*op.remote, to, wanted, fabric.remote_iovecs(),
                                   [](const Extent&, std::uint64_t, std::size_t) {});
    const std::size_t size =
        walk(*op.local, from, reach, fabric.local_iovecs(),
             [&](const Extent& extent, std::uint64_t skip, std::size_t part) {
                 local[locals] = {reinterpret_cast<void*>(extent.address + skip), part};
                 descriptors[locals++] = extent.descriptor;
             });
    walk(*op.remote, to, size, fabric.remote_iovecs(),
         [&](const Extent& extent, std::uint64_t skip, std::size_t part) {
             remote[remotes++] = {extent.address + skip, part, extent.key};
         });
    Slot* slot = pieces_.take();
    if (slot == nullptr) return false;
    Channel& channel = *peer.transfers_out(fabric.connected_kind());
    fi_msg_rma message{};
    message.msg_iov = local.data();
    message.desc = descriptors.data();
    message.iov_count = locals;
    message.addr = channel.address;
    message.rma_iov = remote.data();
    message.rma_iov_count = remotes;
    message.context = &slot->room;
    const bool put = op.kind == OpKind::put;
    const std::uint64_t flags =
        FI_COMPLETION |
        (put && fabric.provider().delivery_flag ? FI_DELIVERY_COMPLETE : std::uint64_t{0});
    const long ret =
        put ? fi_writemsg(channel.ep, &message, flags) : fi_readmsg(channel.ep, &message, flags);
    if (ret != 0) {
        pieces_.give(*slot);
        if (is_again(ret)) return false;
        log_warning(log_name, "{} context {}: a transfer is refused: {}", peer.address->name,
                    peer.id, fi_strerror(static_cast<int>(-ret)));
        peer.transfers.remove(op);
        end_rma(op, code_of_fi(static_cast<int>(ret)));
        return true;
    }
    transfers_ += op.done == 0 ? 1 : 0;
    ++operations_;
    slot->in_library = true;
    slot->op = &op;
    slot->offset = op.done;
    slot->channel = &channel;
    ++channel.in_library;
    ++peer.pieces;
    ++op.pieces;
    op.done += size;
    op.state = OpState::started;
    peer.refused = false;
    peer.sent_ms = coarse_now_ms();
    if (op.done == op.size) {
        peer.transfers.remove(op);
        op.state = OpState::in_flight;
    }
    return true;
}

void Context::piece_ended(Slot& slot, na_return_t code) noexcept {
    Op* op = slot.op;
    if (op == nullptr) return;
    slot.op = nullptr;
    --op->pieces;
    if (op->state == OpState::ending) {
        if (op->pieces > 0) return;
        std::erase(ending_, op);
        finish(*op, op->end_code);
        return;
    }
    Peer& peer = *op->peer;
    --peer.pieces;
    if (!peer.transfers.empty()) mark_dirty(peer);
    if (code != NA_SUCCESS) {
        if (op->state == OpState::started) peer.transfers.remove(*op);
        end_rma(*op, code);
    } else if (op->state == OpState::in_flight && op->pieces == 0) {
        finish(*op, NA_SUCCESS);
    }
}

// Ends an operation that is in no queue any more, once the library is through with its memory.
void Context::end_rma(Op& op, na_return_t code) noexcept {
    op.peer->pieces -= op.pieces;
    if (op.pieces > 0 && cls_.fabric().connected_kind() && op.peer->transfers_out(true) == nullptr)
        forget_pieces(op);
    if (op.pieces == 0) {
        finish(op, code);
        return;
    }
    op.state = OpState::ending;
    op.end_code = code;
    op.ending_ms = coarse_now_ms();
    op.link = op.peer->nonce;
    ending_.push_back(&op);
}

// The library keeps pieces of operations that have been given up: the peer may be stopped. The
// connection that carries them is closed, which frees their memory. Not with puts among the others:
// the old connection's bytes could come last.
void Context::cut_off_ending(Peer& peer) noexcept {
    bool puts = false;
    pieces_.for_each([&](Slot& slot) {
        if (slot.op != nullptr && slot.op->peer == &peer && slot.op->kind == OpKind::put)
            puts = true;
    });
    if (!puts && peer.bulk != nullptr) renew_bulk(peer);
}

// The connection for transfers is gone while that for messages stands: a transfer was refused, for
// which the library breaks the connection and does not say which one it was. Alone in the library,
// it was that one; of several each is tried once more, one at a time, so that only the bad one
// ends. Puts are not tried again, for the reason above.
void Context::bulk_lost(Peer& peer, na_return_t code) noexcept {
    const Op* only = nullptr;
    bool several = false;
    pieces_.for_each([&](const Slot& slot) {
        if (slot.op == nullptr || slot.op->peer != &peer) return;
        several = several || (only != nullptr && only != slot.op);
        only = slot.op;
    });
    log_debug(log_name, "{} context {}: its connection for transfers is lost", peer.address->name,
              peer.id);
    pieces_.for_each([&](const Slot& slot) {
        Op* op = slot.op;
        if (op == nullptr || op->peer != &peer || op->state == OpState::ending) return;
        if (several && op->kind == OpKind::get) {
            if (!std::exchange(op->suspect, true)) ++peer.suspects;
            return;
        }
        if (op->state == OpState::started) peer.transfers.remove(*op);
        log_warning(log_name, "{} context {}: a transfer was refused, or its connection was lost",
                    peer.address->name, peer.id);
        peer.pieces -= op->pieces;
        op->state = OpState::ending;
        op->end_code = code;
    });
    renew_bulk(peer);
}

// Closes the connection for transfers. What has been given up ends; the rest is begun again where
// it was lost, on a new connection.
void Context::renew_bulk(Peer& peer) noexcept {
    drop(*peer.bulk);
    peer.pieces = 0;
    pieces_.for_each([&](Slot& slot) {
        Op* op = slot.op;
        if (op == nullptr || op->peer != &peer) return;
        slot.op = nullptr;
        --op->pieces;
        if (op->state == OpState::ending) {
            if (op->pieces > 0) return;
            std::erase(ending_, op);
            finish(*op, op->end_code);
            return;
        }
        if (op->state == OpState::in_flight) peer.transfers.push(*op);
        op->state = OpState::started;
        op->done = std::min(op->done, slot.offset);
    });
    start_pieces(peer);
}

// What the library has of an operation goes to nobody: its endpoint is closed.
void Context::forget_pieces(Op& op) noexcept {
    pieces_.for_each([&](Slot& slot) {
        if (slot.op == &op) slot.op = nullptr;
    });
    op.pieces = 0;
}

}  // namespace cinnabar::ofi
