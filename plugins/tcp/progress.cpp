// SPDX-License-Identifier: BSD-3-Clause
// Bytes going out, polling, waking, cancelling. A frame posted on a connection that was quiet
// leaves at once; those posted behind it before the next poll, or in passes of bursts, leave
// together.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "na/base/log.hpp"
#include "na/sdk/socket.hpp"
#include "plugins/tcp/class.hpp"
#include "plugins/tcp/context.hpp"
#include "plugins/tcp/event_key.hpp"
#include "plugins/tcp/hot.hpp"

namespace cinnabar::tcp {

void Context::mark_dirty(Connection& connection) {
    if (connection.in_dirty) return;
    connection.in_dirty = true;
    dirty_.push_back(&connection);
}

void Context::mark_ready(Connection& connection) {
    if (connection.in_ready) return;
    connection.in_ready = true;
    ready_.push_back(&connection);
}

// The peer sends no more: what it sent is read to the end, whoever waits for it or not, because
// only the end tells those who wait for the peer.
void Context::hung_up(Connection& connection) noexcept {
    connection.hang_up = true;
    connection.paused = false;
}

namespace {

// Whether something waits that may go into the output.
bool has_more(const Connection& connection) noexcept {
    const Peer* peer = connection.peer;
    return !connection.streams.empty() ||
           (peer != nullptr && (!peer->messages.empty() || !peer->transfers.empty()));
}

}  // namespace

// Moves what waits into the output, as far as it may go.
void Context::fill(Connection& connection) {
    Peer* peer = connection.peer;
    const bool main = peer != nullptr && peer->connection == &connection;
    while (connection.phase == Phase::established && !connection.out.has_payload()) {
        if (main && !peer->messages.empty() && connection.out.buffered() < options::output_limit) {
            Op& op = *peer->messages.pop();
            if (begin_send(connection, op) == Begun::copied) finish(op, NA_SUCCESS);
        } else if (main && !peer->transfers.empty() &&
                   connection.rma_in_flight < options::rma_window &&
                   connection.out.buffered() < options::output_limit) {
            begin_rma(connection, *peer->transfers.pop());
        } else if (connection.out.buffered() >= options::output_limit || !emit_chunk(connection)) {
            return;
        }
    }
}

// Writes until nothing is left, the socket is full, or the budget of this pass is used up.
void Context::pump(Connection& connection) {
    std::size_t budget = options::poll_budget;
    while (connection.phase != Phase::dead && !connection.blocked) {
        if (has_more(connection)) fill(connection);
        if (connection.phase == Phase::dead || connection.out.empty()) return;
        std::size_t written = 0;
        switch (connection.out.write(connection.fd.get(), written)) {
            case Output::Wrote::all:
            case Output::Wrote::some:
                break;
            case Output::Wrote::payload_done:
                payload_done(connection);
                break;
            case Output::Wrote::blocked:
                connection.blocked = true;
                return;
            case Output::Wrote::failed: {
                // What the peer sent before it went is still worth reading; that ends with the
                // failure.
                const int error = errno;
                if (connection.phase == Phase::established &&
                    (error == EPIPE || error == ECONNRESET)) {
                    connection.blocked = true;
                    hung_up(connection);
                    mark_ready(connection);
                } else {
                    fail(connection, NA_HOSTUNREACH, std::strerror(error));
                }
                return;
            }
        }
        if (written >= budget) {
            mark_dirty(connection);
            return;
        }
        budget -= written;
    }
}

void Context::flush_dirty() {
    if (dirty_.empty()) return;
    work_.swap(dirty_);
    for (std::size_t i = 0; i < work_.size(); ++i) {
        work_[i]->in_dirty = false;
        if (work_[i]->phase == Phase::established) pump(*work_[i]);
    }
    work_.clear();
}

void Context::read_ready() {
    if (ready_.empty()) return;
    work_.swap(ready_);
    for (std::size_t i = 0; i < work_.size(); ++i) {
        work_[i]->in_ready = false;
        if (work_[i]->phase != Phase::dead) read(*work_[i]);
    }
    work_.clear();
}

// With one busy connection, its socket is asked directly, and the epoll set only now and then.
// False: look at the set.
bool Context::poll_hot() {
    if (hot_ == nullptr || ++hot_polls_ % options::hot_polls == 0) return false;
    if (hot_->paused || hot_->phase != Phase::established) {
        hot_ = nullptr;
        return false;
    }
    if (read(*hot_))
        hot_misses_ = 0;
    else if (++hot_misses_ > 4096)
        hot_ = nullptr;
    return true;
}

void Context::take_event(std::uint64_t key, std::uint32_t events) {
    if (key == wake_key) {
        wake_.drain();
        return;
    }
    if (key == listener_key) {
        accept_all();
        return;
    }
    const auto index = static_cast<std::uint32_t>(key);
    if (index >= connections_.size() ||
        connections_[index].generation != static_cast<std::uint32_t>(key >> 32) ||
        connections_[index].connection == nullptr)
        return;
    Connection& connection = *connections_[index].connection;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up(connection);
    if (connection.dialing && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        const int error = na::sdk::connect_error(connection.fd.get());
        if (error != 0) {
            fail(connection, NA_HOSTUNREACH, std::strerror(error));
            return;
        }
        connection.dialing = false;
    }
    if ((events & EPOLLOUT) != 0 && !connection.dialing && connection.blocked) {
        connection.blocked = false;
        pump(connection);
    }
    if (connection.phase != Phase::dead &&
        (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        mark_ready(connection);
}

void Context::take_events() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i)
        take_event(events[static_cast<std::size_t>(i)].data.u64,
                   events[static_cast<std::size_t>(i)].events);
    if (count <= 0) return;
    drop_silent();
    hot_ = count == 1 && ready_.size() == 1 ? ready_.front() : nullptr;
    hot_misses_ = 0;
}

int Context::get_fd() const noexcept {
    return cls_.blocking() ? epoll_.get() : -1;
}

Status Context::poll(unsigned& count) {
    count = 0;
    if (!serial_.try_enter()) return NA_SUCCESS;
    // Left whatever is thrown: a serial that is not left is a context that is dead.
    struct Inside {
        Context& self;
        ~Inside() { self.serial_.leave(&self); }
    } inside{*this};
    const std::uint64_t before = completions_;
    armed_ = false;
    ++pass_;
    if (inbox_full_.load(std::memory_order_acquire)) take_inbox();
    flush_dirty();
    if (!poll_hot()) take_events();
    read_ready();
    serial_.run_pending(this);
    // What completions posted leaves now: the next poll may be long in coming.
    flush_dirty();
    settle();
    count = static_cast<unsigned>(completions_ - before);
    return NA_SUCCESS;
}

bool Context::try_wait() noexcept {
    if (!cls_.blocking() || !serial_.try_enter()) return false;
    const std::uint64_t before = completions_;
    ++pass_;
    flush_dirty();
    // Edges of what was read already are taken out of the set, so that they do not wake the
    // sleeper.
    take_events();
    armed_ = dirty_.empty() && ready_.empty() && completions_ == before &&
             !inbox_full_.load(std::memory_order_acquire);
    const bool armed = armed_;
    settle();
    serial_.leave(this);
    return armed;
}

Status Context::cancel(Op& op) {
    if (!op.cancel.ask()) return NA_SUCCESS;
    const auto run = [](void* context, na::sdk::Task& task) noexcept {
        auto* self = static_cast<Context*>(context);
        Op& wanted = *static_cast<Op::Cancel&>(task).op;
        if (wanted.cancel.take()) self->cancel_inside(wanted);
        self->settle();
    };
    op.cancel.run = run;
    serial_.run(
        this, op.cancel, [&]() noexcept { run(this, op.cancel); }, []() noexcept {});
    return NA_SUCCESS;
}

void Context::cancel_inside(Op& op) {
    switch (op.state) {
        case OpState::receiving:
            if (op.kind == OpKind::receive_unexpected)
                unexpected_.remove(op);
            else
                expected_.remove(op);
            finish(op, NA_CANCELED);
            break;
        case OpState::waiting:
            (op.is_rma() ? op.peer->transfers : op.peer->messages).remove(op);
            finish(op, NA_CANCELED);
            break;
        case OpState::in_flight:
            cancel_rma(op);
            break;
        case OpState::idle:
        case OpState::submitted:
        case OpState::writing:
            break;  // nothing to cancel, or too late
    }
}

}  // namespace cinnabar::tcp
