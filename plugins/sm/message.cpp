// SPDX-License-Identifier: BSD-3-Clause
// Posting of operations and sending of messages: into the ring inside the posting call where it has
// room, else in order from a queue of the link.
#include <algorithm>
#include <cstring>

#include "na/base/log.hpp"
#include "na/sdk/host.hpp"
#include "plugins/sm/context.hpp"

namespace cinnabar::sm {
namespace {

// The size of the largest message that the peer takes.
std::uint32_t taken_by(const Link& link, MessageKind kind) noexcept {
    return kind == MessageKind::unexpected ? link.max_unexpected : link.max_expected;
}

MessageKind kind_of(const Op& op) noexcept {
    return op.kind == OpKind::send_unexpected ? MessageKind::unexpected : MessageKind::expected;
}

}  // namespace

// `now` starts it, unless it has to wait for another thread: then its kind says how.
template <class Now>
void Context::submit(Op& op, Address* needed, Now&& now) noexcept {
    op.cancel.arm();
    serial_.run(
        this, op.submit,
        [&] {
            if (begin(op)) now();
        },
        [&] {
            // The caller may give its reference back before the operation starts.
            if (needed != nullptr) na::sdk::ref(*needed);
            op.held = needed;
            op.submit.run = run_submit;
        });
}

Status Context::send_unexpected(Op& op, const na_send& send) {
    return post_send(op, send, OpKind::send_unexpected, cls_.options().max_unexpected);
}

Status Context::send_expected(Op& op, const na_send& send) {
    return post_send(op, send, OpKind::send_expected, cls_.options().max_expected);
}

Status Context::post_send(Op& op, const na_send& send, OpKind kind, std::size_t limit) {
    if (send.size > limit)
        return log_error(NA_OVERFLOW, log_name, "a message of {} bytes is above the limit of {}",
                         send.size, limit);
    op.kind = kind;
    op.buf = const_cast<void*>(send.buf);
    op.size = send.size;
    op.tag = send.tag;
    op.peer = static_cast<Address*>(send.dest);
    op.peer_id = send.dest_id;
    submit(op, op.peer);
    return NA_SUCCESS;
}

// Most messages: to a peer that is connected, whose ring has room. NA_AGAIN: nothing has happened.
na_return_t Context::try_send(const na_send& send, bool expected) noexcept {
    if (!serial_.try_enter()) return NA_AGAIN;
    const bool sent =
        serial_.idle() && !has_news_.load(std::memory_order_relaxed) && send_now(send, expected);
    serial_.leave(this);
    return sent ? NA_SUCCESS : NA_AGAIN;
}

bool Context::send_now(const na_send& send, bool expected) noexcept {
    const Address& peer = *static_cast<Address*>(send.dest);
    Link* link = peer.self() ? nullptr : links_.find(peer, send.dest_id);
    if (link == nullptr || link->state != LinkState::established || !link->queue.empty())
        return false;
    const MessageKind kind = expected ? MessageKind::expected : MessageKind::unexpected;
    return send.size <= taken_by(*link, kind) && push(*link, kind, send.tag, send.buf, send.size);
}

Status Context::recv_unexpected(Op& op, const na_recv& recv) {
    op.kind = OpKind::recv_unexpected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.peer = nullptr;
    submit(op, nullptr, [&] { start_recv_unexpected(op); });
    return NA_SUCCESS;
}

Status Context::recv_expected(Op& op, const na_recv& recv) {
    op.kind = OpKind::recv_expected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.tag = recv.tag;
    op.peer = static_cast<Address*>(recv.source);
    op.peer_id = recv.source_id;
    op.source = op.peer->key(recv.source_id);
    op.source_id = recv.source_id;
    submit(op, op.peer, [&] { start_recv_expected(op); });
    return NA_SUCCESS;
}

void Context::submit(Op& op, Address* needed) noexcept {
    submit(op, needed, [&] { start_by_kind(op); });
}

void Context::run_submit(void* context, na::sdk::Task& task) noexcept {
    Op& op = *static_cast<Op::Submit&>(task).op;
    auto& self = *static_cast<Context*>(context);
    if (self.begin(op)) self.start_by_kind(op);
}

// False: it has been cancelled before it began.
bool Context::begin(Op& op) noexcept {
    ++active_;
    op.place = OpPlace::nowhere;
    op.link = nullptr;
    if (has_news_.load(std::memory_order_relaxed)) take_news();
    if (!op.cancel.asked()) return true;
    finish(op, NA_CANCELED);
    return false;
}

void Context::start_by_kind(Op& op) noexcept {
    switch (op.kind) {
        case OpKind::send_unexpected:
        case OpKind::send_expected:
            return start_send(op);
        case OpKind::recv_unexpected:
            return start_recv_unexpected(op);
        case OpKind::recv_expected:
            return start_recv_expected(op);
        case OpKind::put:
        case OpKind::get:
            return start_rma(op);
        case OpKind::none:
            break;
    }
    finish(op, NA_FAULT);
}

void Context::finish(Op& op, const na_completion& completion) noexcept {
    op.place = OpPlace::nowhere;
    --active_;
    ++completed_;
    // Another thread sleeps on the descriptor and may be waiting for this: wake it, once.
    if (sleeping_ && !std::exchange(woken_, true)) event_.signal();
    if (Address* held = std::exchange(op.held, nullptr); held != nullptr) na::sdk::unref(*held);
    na::sdk::complete(op, completion);
}

void Context::finish(Op& op, na_return_t ret, std::size_t size) noexcept {
    finish(op, na_completion{ret, 0, size, nullptr, nullptr, false});
}

Status Context::cancel(Op& op) {
    if (!op.cancel.ask()) return NA_SUCCESS;
    op.cancel.run = run_cancel;
    serial_.run(
        this, op.cancel, [&] { handle_cancel(op); }, [] {});
    return NA_SUCCESS;
}

void Context::run_cancel(void* context, na::sdk::Task& task) noexcept {
    static_cast<Context*>(context)->handle_cancel(*static_cast<Op::Cancel&>(task).op);
}

void Context::handle_cancel(Op& op) noexcept {
    if (!op.cancel.take()) return;
    switch (op.place) {
        case OpPlace::nowhere:
            return;  // over, or start() will see it
        case OpPlace::receives:
            if (op.kind == OpKind::recv_unexpected)
                unexpected_.remove(op);
            else
                expected_.remove(op);
            break;
        case OpPlace::link_queue:
            op.link->queue.remove(op);
            break;
        case OpPlace::loop_queue:
            loop_queue_.remove(op);
            break;
        case OpPlace::moving:
            moving_.remove(op);
            break;
        case OpPlace::remote:
            cancel_remote(op);
            break;
    }
    finish(op, NA_CANCELED);
}

void Context::start_send(Op& op) noexcept {
    if (op.peer->self() && op.peer_id == id_) return start_loop_send(op);
    Link* link = links_.find(*op.peer, op.peer_id);
    if (link == nullptr) {
        na_return_t code = NA_SUCCESS;
        link = connect(*op.peer, op.peer_id, code);
        if (link == nullptr) return finish(op, code);
    }
    if (link->state == LinkState::established && link->queue.empty()) {
        const MessageKind kind = kind_of(op);
        if (op.size > taken_by(*link, kind)) return finish_too_large(*link, op);
        if (push(*link, kind, op.tag, op.buf, op.size)) return finish(op, NA_SUCCESS);
    }
    enqueue(*link, op);
}

void Context::finish_too_large(Link& link, Op& op) noexcept {
    log_warning(log_name, "a message of {} bytes is more than the {} that sm://{} takes", op.size,
                taken_by(link, kind_of(op)), link.peer->name());
    finish(op, NA_MSGSIZE);
}

bool Context::push(Link& link, MessageKind kind, std::uint32_t tag, const void* data,
                   std::size_t size) noexcept {
    std::byte* room = link.out.reserve(size);
    if (room == nullptr) return false;
    if (size > 0) std::memcpy(room, data, size);
    link.out.commit(static_cast<std::uint8_t>(kind), tag, size);
    ring_bell(link);
    return true;
}

void Context::ring_bell(Link& link) noexcept {
    // Between the store of the slot and the loads of the flags: the consumer's heavy fence stands
    // in for ours where both processes are registered.
    if (link.fence)
        std::atomic_thread_fence(std::memory_order_seq_cst);
    else
        std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!link.out.watched()) mark(link.bell(), link.bell_bit);
    wake_peer(link);
}

// After a position was published: a producer that waits for room does not watch it, so it is marked
// always.
void Context::announce_room(Link& link) noexcept {
    if (!link.in.producer_waits()) return;
    mark(link.bell(), link.bell_bit);
    wake_peer(link);
}

void Context::wake_peer(Link& link) noexcept {
    DoorbellPage& page = link.bell();
    const std::uint32_t epoch = page.sleep_epoch.load(std::memory_order_relaxed);
    if ((epoch & 1) == 0 || epoch == link.rung_epoch) return;
    link.rung_epoch = epoch;
    signal_event_fd(link.bell_fd.get());
}

void Context::enqueue(Link& link, Op& op) noexcept {
    op.link = &link;
    op.place = OpPlace::link_queue;
    link.queue.push(op);
    if (link.state == LinkState::established) wait_for_room(link);
}

// Says that we wait, then looks once more, since the consumer may have moved on before it could
// know.
void Context::wait_for_room(Link& link) noexcept {
    if (!link.blocked) {
        link.blocked = true;
        link.out.set_waiting(true);
        heavy_fence();
    }
    flush(link);
}

// Writes what waits for the link, as far as the ring takes it.
void Context::flush(Link& link) noexcept {
    // What it writes may ask for a flush again.
    if (std::exchange(link.flushing, true)) return;
    while (link.state == LinkState::established && flush_once(link)) {
    }
    link.flushing = false;
    if (link.state != LinkState::established) return;
    if (link.out.corrupt())
        return lose(link, NA_PROTOCOL_ERROR, "its position in the ring is wrong");
    const bool waits = !link.queue.empty() || !link.remote.jobs.empty();
    if (waits == link.blocked) return;
    link.blocked = waits;
    link.out.set_waiting(waits);
    if (waits) {
        heavy_fence();
        // Room that came before the consumer could see the flag would never be announced.
        attend(link);
    }
}

bool Context::flush_once(Link& link) noexcept {
    Op* op = link.queue.front();
    if (op == nullptr) return write_jobs(link);
    if (op->is_rma()) {
        link.queue.remove(*op);
        run_rma(link, *op);
        return true;
    }
    const MessageKind kind = kind_of(*op);
    const bool fits = op->size <= taken_by(link, kind);
    if (fits && !push(link, kind, op->tag, op->buf, op->size)) return false;
    link.queue.remove(*op);
    if (fits)
        finish(*op, NA_SUCCESS);
    else
        finish_too_large(link, *op);
    return true;
}

void Context::start_loop_send(Op& op) noexcept {
    if (loop_queue_.empty() && loop_send(op)) return finish(op, NA_SUCCESS);
    op.place = OpPlace::loop_queue;
    loop_queue_.push(op);
}

void Context::flush_loop() noexcept {
    while (Op* send = loop_queue_.front()) {
        if (!loop_send(*send)) return;
        loop_queue_.remove(*send);
        finish(*send, NA_SUCCESS);
    }
}

// Delivers a message to this context itself; false while it must wait for a receive.
bool Context::loop_send(Op& op) noexcept {
    if (op.kind == OpKind::send_expected) {
        deliver_expected(self_->key(id_), id_, op.tag, op.buf, op.size);
        return true;
    }
    if (na::sdk::PostedReceive* receive = unexpected_.take(); receive != nullptr) {
        complete_unexpected(static_cast<Op&>(*receive), *self_, op.tag, op.buf, op.size);
        return true;
    }
    return stash(nullptr, *self_, op.tag, op.buf, op.size);
}

}  // namespace cinnabar::sm
