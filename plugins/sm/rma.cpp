// SPDX-License-Identifier: BSD-3-Clause
// Put and get. Memory of the library's own allocation is mapped and copied; any other memory is
// reached with process_vm_readv and writev; where that is not permitted the peer serves requests
// (remote_rma.cpp). Small transfers happen inside the posting call, large ones go on from poll in
// pieces.
#include <algorithm>
#include <cstring>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "na/sdk/host.hpp"
#include "plugins/sm/context.hpp"
#include "plugins/sm/cross_memory.hpp"

namespace cinnabar::sm {
namespace {

// A connection whose socket was looked at within this time is taken to be alive: the system gives
// process numbers out in a circle, which it cannot get round in so short a time.
constexpr std::int64_t trusted_ns = 10'000'000;
// Copied under the lock of the table of keys, which everybody else needs as well.
constexpr std::uint64_t locked_piece = 256 * 1024;

const char* cause_of(na_return_t code) {
    switch (code) {
        case NA_HOSTUNREACH:
            return "the process is gone";
        case NA_PERMISSION:
            return "it does not permit it";
        case NA_FAULT:
            return "bad address here or there";
        default:
            return "it is not registered so";
    }
}

bool permitted(const na_rma& rma, OpKind kind) noexcept {
    const auto& local = *static_cast<const Memory*>(rma.local_mem);
    const auto& remote = *static_cast<const Memory*>(rma.remote_mem);
    return local.contains(rma.local_offset, rma.size) &&
           remote.contains(rma.remote_offset, rma.size) &&
           (kind == OpKind::get ? remote.may_read() : remote.may_write());
}

// Why a request is refused before anything is done.
[[gnu::cold]] Status refuse_rma(const na_rma& rma, OpKind kind) {
    const auto& local = *static_cast<const Memory*>(rma.local_mem);
    const auto& remote = *static_cast<const Memory*>(rma.remote_mem);
    const auto& peer = *static_cast<const Address*>(rma.remote);
    if (!local.contains(rma.local_offset, rma.size) ||
        !remote.contains(rma.remote_offset, rma.size))
        return log_error(
            NA_INVALID_ARG, log_name,
            "{} bytes at {} here and at {} at sm://{}: outside the memory, which has {} and {}",
            rma.size, rma.local_offset, rma.remote_offset, peer.name(), local.total(),
            remote.total());
    return log_error(NA_PERMISSION, log_name, "memory of sm://{} may not be {}", peer.name(),
                     kind == OpKind::get ? "read" : "written");
}

}  // namespace

Status Context::put(Op& op, const na_rma& rma) {
    return post_rma(op, rma, OpKind::put);
}

Status Context::get(Op& op, const na_rma& rma) {
    return post_rma(op, rma, OpKind::get);
}

Status Context::post_rma(Op& op, const na_rma& rma, OpKind kind) {
    if (!permitted(rma, kind)) return refuse_rma(rma, kind);
    set_up(op, rma, kind);
    return NA_SUCCESS;
}

void Context::set_up(Op& op, const na_rma& rma, OpKind kind) noexcept {
    const auto& local = *static_cast<const Memory*>(rma.local_mem);
    const auto& remote = *static_cast<const Memory*>(rma.remote_mem);
    auto* peer = static_cast<Address*>(rma.remote);
    op.kind = kind;
    op.size = rma.size;
    op.peer = peer;
    op.peer_id = rma.remote_id;
    op.remote_memory = &remote;
    op.remote_offset = rma.remote_offset;
    op.local = Cursor(local.segments(), rma.local_offset);
    op.remote = Cursor(remote.segments(), rma.remote_offset);
    submit(op, peer);
}

// Most transfers: bytes in a row at both ends, not too many, of a peer that is known. They are
// moved here, without an operation that could go on later. NA_AGAIN: nothing has happened.
na_return_t Context::try_move(const na_rma& rma, OpKind kind) noexcept {
    if (rma.size == 0 || rma.size > rma_at_once || !permitted(rma, kind) || !serial_.try_enter())
        return NA_AGAIN;
    const bool moved =
        serial_.idle() && !has_news_.load(std::memory_order_relaxed) && move_run(rma, kind);
    serial_.leave(this);
    return moved ? NA_SUCCESS : NA_AGAIN;
}

bool Context::move_run(const na_rma& rma, OpKind kind) noexcept {
    const auto& local = *static_cast<const Memory*>(rma.local_mem);
    const auto& remote = *static_cast<const Memory*>(rma.remote_mem);
    if (local.segments().size() != 1 || remote.segments().size() != 1 || !remote.places().empty())
        return false;
    Link* link = links_.find(*static_cast<Address*>(rma.remote), rma.remote_id);
    if (link == nullptr || link->state != LinkState::established || !link->cross_memory ||
        !still_there(*link))
        return false;
    const auto at = [&](const Memory& memory, std::uint64_t offset) {
        return iovec{reinterpret_cast<void*>(memory.segments()[0].base + offset), rma.size};
    };
    return cross_copy_run(link->pid, kind == OpKind::get ? Direction::get : Direction::put,
                          at(local, rma.local_offset), at(remote, rma.remote_offset));
}

void Context::start_rma(Op& op) noexcept {
    if (op.size == 0) return finish(op, NA_SUCCESS);
    if (op.peer->self()) return move_first(op);
    Link* link = links_.find(*op.peer, op.peer_id);
    if (link == nullptr) {
        na_return_t code = NA_SUCCESS;
        link = connect(*op.peer, op.peer_id, code);
        if (link == nullptr) return finish(op, code);
    }
    if (link->state == LinkState::established) return run_rma(*link, op);
    enqueue(*link, op);
}

// Whether the process at the other end is still the one of the handshake: its number may be
// another's.
bool Context::still_there(Link& link) noexcept {
    const std::int64_t now = coarse_now_ns();
    if (now - std::max(link.checked_ns, control_time_ns_) < trusted_ns) return true;
    if (hung_up(link.socket.get())) return false;
    link.checked_ns = now;
    return true;
}

void Context::run_rma(Link& link, Op& op) noexcept {
    op.link = &link;
    if (!still_there(link)) {
        on_hang_up(link);
        return finish(op, NA_HOSTUNREACH);
    }
    op.mapped = map_all(link, op);
    if (!op.mapped && !link.cross_memory) return start_remote(link, op);
    move_first(op);
}

// Small transfers end here, the others go on from poll.
void Context::move_first(Op& op) noexcept {
    if (move_piece(op, rma_at_once)) return;
    op.place = OpPlace::moving;
    moving_.push(op);
    if (sleeping_) event_.signal();
}

// Through the table of keys, like a request of a peer: a handle may have come from anywhere.
Result<std::uint64_t> Context::copy_local(Op& op, std::uint64_t limit) noexcept {
    MemoryTable& memories = cls_.memories();
    const std::uint64_t key = op.remote_memory->key();
    std::uint64_t moved = 0;
    while (moved < limit) {
        const auto piece = static_cast<std::size_t>(
            std::min({limit - moved, locked_piece, op.local.contiguous()}));
        const std::uint64_t offset = op.remote_offset + moved;
        CINNABAR_TRY(op.kind == OpKind::get
                         ? memories.read(key, offset, op.local.address(), piece)
                         : memories.write(key, offset, op.local.address(), piece));
        op.local.advance(piece);
        moved += piece;
    }
    return moved;
}

Result<std::uint64_t> Context::copy_piece(Op& op, std::uint64_t limit) noexcept {
    if (op.peer->self()) return copy_local(op, limit);
    if (op.mapped) return copy_mapped(op, limit);
    const Direction direction = op.kind == OpKind::get ? Direction::get : Direction::put;
    return cross_copy(op.link->pid, direction, op.local, op.remote, limit);
}

// Whether every byte of the remote range lies in memory that is mapped here; maps what is not yet.
bool Context::map_all(Link& link, Op& op) noexcept {
    const std::vector<SharedPlace>& places = op.remote_memory->places();
    if (places.empty()) return false;
    Cursor at = op.remote;
    for (std::uint64_t left = op.size; left > 0;) {
        const SharedPlace& place = places[at.index()];
        if (place.fd < 0) return false;
        try {
            if (link.mappings.find(link.pid, place) == nullptr) return false;
        } catch (const std::bad_alloc&) {
            return false;
        }
        const std::uint64_t piece = std::min(left, at.contiguous());
        at.advance(piece);
        left -= piece;
    }
    return true;
}

Result<std::uint64_t> Context::copy_mapped(Op& op, std::uint64_t limit) noexcept {
    std::uint64_t moved = 0;
    while (moved < limit) {
        const SharedPlace& place = op.remote_memory->places()[op.remote.index()];
        std::byte* start = nullptr;
        try {
            start = op.link->mappings.find(op.link->pid, place);
        } catch (const std::bad_alloc&) {
            return NA_NOMEM;
        }
        if (start == nullptr) return NA_FAULT;
        std::byte* there = start + place.offset + op.remote.within();
        const std::uint64_t piece =
            std::min({limit - moved, op.local.contiguous(), op.remote.contiguous()});
        if (op.kind == OpKind::get)
            std::memcpy(op.local.address(), there, piece);
        else
            std::memcpy(there, op.local.address(), piece);
        op.local.advance(piece);
        op.remote.advance(piece);
        moved += piece;
    }
    return moved;
}

bool Context::move_piece(Op& op, std::uint64_t limit) noexcept {
    const std::uint64_t size = std::min<std::uint64_t>(op.size, limit);
    Result<std::uint64_t> moved = copy_piece(op, size);
    if (moved.ok()) {
        op.size -= moved.value();
        op.remote_offset += moved.value();
        if (op.size > 0) return false;
        finish(op, NA_SUCCESS);
        return true;
    }
    const na_return_t code = moved.status().code();
    if (code == NA_PERMISSION && !op.mapped && !op.peer->self()) {
        // Permission may go while connected: the ring still works.
        op.link->cross_memory = false;
        start_remote(*op.link, op);
        return true;
    }
    log_warning(log_name, "memory of sm://{} cannot be {}: {}", op.peer->name(),
                op.kind == OpKind::get ? "read" : "written", cause_of(code));
    finish(op, code);
    return true;
}

void Context::move_all() noexcept {
    const Op* const last = moving_.back();
    while (Op* op = moving_.front()) {
        const bool was_last = op == last;
        if (op->link != nullptr && !still_there(*op->link)) {
            on_hang_up(*op->link);  // ends this one, and perhaps others that move
            return;
        }
        moving_.remove(*op);
        if (!move_piece(*op, rma_piece)) moving_.push(*op);
        if (was_last) return;
    }
}

}  // namespace cinnabar::sm
