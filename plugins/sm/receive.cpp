// SPDX-License-Identifier: BSD-3-Clause
// Receiving: what a ring holds finds its posted receive. Unexpected messages without one are kept
// up to a limit for each connection, which is then left unread until receives are posted.
#include <algorithm>
#include <cstring>

#include "na/base/log.hpp"
#include "na/sdk/host.hpp"
#include "plugins/sm/context.hpp"

namespace cinnabar::sm {
namespace {

constexpr unsigned messages_at_once = 2 * slot_count;

}  // namespace

void Context::start_recv_unexpected(Op& op) noexcept {
    if (!stash_.empty()) return take_from_stash(op);
    op.place = OpPlace::receives;
    unexpected_.post(op);
    flush_loop();
    if (paused_ > 0) resume_paused();
}

void Context::start_recv_expected(Op& op) noexcept {
    // A link keeps its peer's address, and its end ends the receive; without one, keep the address.
    if (op.held == nullptr && links_.find(*op.peer, op.peer_id) == nullptr) {
        na::sdk::ref(*op.peer);
        op.held = op.peer;
    }
    op.place = OpPlace::receives;
    expected_.post(op);
}

// Takes what the ring holds. Ends early when the link is paused or lost.
void Context::drain(Link& link) noexcept {
    for (unsigned taken = 0; taken < messages_at_once; ++taken) {
        if (link.paused || link.state != LinkState::established) return;
        RingMessage message;
        const RingConsumer::Look look = link.in.look(message);
        if (look == RingConsumer::Look::empty) return;
        if (look == RingConsumer::Look::corrupt)
            return lose(link, NA_PROTOCOL_ERROR, "a message in its ring is malformed");
        if (!deliver(link, message)) return;
        ++link.received;
        // Completions have posted: receives for what comes next, answers that should leave at once.
        serial_.run_pending(this);
    }
    attend(link);
}

// Copies a message out, takes it from the ring and completes. False: it stays, or the link is lost.
bool Context::deliver(Link& link, const RingMessage& message) noexcept {
    const auto kind = static_cast<MessageKind>(message.kind);
    const Options& options = cls_.options();
    if ((kind == MessageKind::unexpected && message.size > options.max_unexpected) ||
        (kind == MessageKind::expected && message.size > options.max_expected)) {
        lose(link, NA_PROTOCOL_ERROR, "a message is larger than was agreed");
        return false;
    }
    switch (kind) {
        case MessageKind::unexpected:
            return deliver_unexpected(link, message);
        case MessageKind::expected: {
            na::sdk::PostedReceive* receive =
                expected_.take(link.peer->key(link.peer_id), link.peer_id, message.tag);
            if (receive == nullptr)
                log_debug(log_name, "a message from {} with tag {} that nobody expects is dropped",
                          link.peer->name(), message.tag);
            else
                std::memcpy(receive->buf, message.data,
                            std::min<std::size_t>(message.size, receive->size));
            take(link, message);
            if (receive != nullptr)
                finish(static_cast<Op&>(*receive),
                       message.size > receive->size ? NA_MSGSIZE : NA_SUCCESS,
                       std::min<std::size_t>(message.size, receive->size));
            return true;
        }
        default:
            return on_remote(link, kind, message);
    }
}

// Gives the slot of a message back. Its data may be overwritten from here on.
void Context::take(Link& link, const RingMessage& message) noexcept {
    if (!link.in.take(message)) return;
    // Between the store of the position and the load of the flag, as in ring_bell().
    if (link.fence)
        std::atomic_thread_fence(std::memory_order_seq_cst);
    else
        std::atomic_signal_fence(std::memory_order_seq_cst);
    announce_room(link);
}

bool Context::deliver_unexpected(Link& link, const RingMessage& message) noexcept {
    na::sdk::PostedReceive* receive = unexpected_.take();
    if (receive == nullptr) {
        if (!stash(&link, *link.peer, message.tag, message.data, message.size)) {
            link.paused = true;
            ++paused_;
            return false;
        }
        take(link, message);
        return true;
    }
    const std::size_t size = std::min<std::size_t>(message.size, receive->size);
    std::memcpy(receive->buf, message.data, size);
    take(link, message);
    finish_unexpected(static_cast<Op&>(*receive), *link.peer, message.tag, message.size);
    return true;
}

void Context::deliver_expected(const void* key, std::uint8_t id, na_tag_t tag, const void* data,
                               std::size_t size) noexcept {
    na::sdk::PostedReceive* receive = expected_.take(key, id, tag);
    if (receive == nullptr) {
        log_debug(log_name, "a message with tag {} to itself that nobody expects is dropped", tag);
        return;
    }
    const std::size_t copied = std::min(size, receive->size);
    if (copied > 0) std::memcpy(receive->buf, data, copied);
    finish(static_cast<Op&>(*receive), size > receive->size ? NA_MSGSIZE : NA_SUCCESS, copied);
}

void Context::complete_unexpected(Op& op, Address& source, na_tag_t tag, const void* data,
                                  std::size_t size) noexcept {
    const std::size_t copied = std::min(size, op.size);
    if (copied > 0) std::memcpy(op.buf, data, copied);
    finish_unexpected(op, source, tag, size);
}

// A source comes with a message that arrived whole, and only then.
void Context::finish_unexpected(Op& op, Address& source, na_tag_t tag, std::size_t size) noexcept {
    if (size > op.size) {
        log_warning(log_name, "a message of {} bytes from sm://{} does not fit the receive of {}",
                    size, source.name(), op.size);
        return finish(op, NA_MSGSIZE);
    }
    na::sdk::ref(source);
    finish(op, na_completion{NA_SUCCESS, tag, size, &source, nullptr, false});
}

// Keeps a copy of a message for the next receive; false if its sender has enough kept already.
bool Context::stash(Link* link, Address& source, na_tag_t tag, const void* data,
                    std::size_t size) noexcept {
    std::size_t& kept = link != nullptr ? link->stashed : loop_stashed_;
    const std::size_t cost = size + sizeof(Stashed);
    const bool last_words = link != nullptr && link->closing;  // bounded by its ring
    if (kept + cost > stash_limit && !last_words) return false;
    try {
        const auto* from = static_cast<const std::byte*>(data);
        stash_.push_back({&source, link != nullptr ? link->watch : 0, tag,
                          std::vector<std::byte>(from, from + size)});
    } catch (const std::bad_alloc&) {
        return false;
    }
    na::sdk::ref(source);
    kept += cost;
    return true;
}

void Context::take_from_stash(Op& op) noexcept {
    const Stashed stashed = std::move(stash_.front());
    stash_.pop_front();
    const std::size_t cost = stashed.data.size() + sizeof(Stashed);
    if (stashed.watch == 0) {
        loop_stashed_ -= cost;
        flush_loop();
    } else if (Link* link = links_.at_watch(stashed.watch); link != nullptr) {
        link->stashed -= cost;
    }
    // Whoever was stopped for want of receives may be read again, the links of other senders too.
    if (stash_.empty() && paused_ > 0) resume_paused();
    complete_unexpected(op, *stashed.source, stashed.tag, stashed.data.data(), stashed.data.size());
    na::sdk::unref(*stashed.source);
}

void Context::resume_paused() noexcept {
    paused_ = 0;
    links_.for_each([this](Link& link) {
        if (std::exchange(link.paused, false)) attend(link);
    });
}

// Asks poll to look at a link although nobody marked it.
void Context::attend(Link& link) noexcept {
    if (std::exchange(link.attention, true)) return;
    try {
        attention_.push_back(&link);
        if (sleeping_) event_.signal();
    } catch (const std::bad_alloc&) {
        link.attention = false;
        mark(bell(), link.slot);
    }
}

}  // namespace cinnabar::sm
