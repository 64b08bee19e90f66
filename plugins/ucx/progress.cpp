// SPDX-License-Identifier: BSD-3-Clause
// Polling, waking, cancelling, and what the control sockets tell. UCX is asked in every poll; the
// sockets, which say little, only when something is expected of them or some milliseconds have
// gone.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "na/sdk/socket.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/context.hpp"
#include "plugins/ucx/event_key.hpp"

namespace cinnabar::ucx {

namespace {

// Whether a process of this host has ended, even if its parent has not heard of it.
bool has_ended(std::uint32_t process) noexcept {
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(process), 0));
    if (fd < 0) return errno == ESRCH;
    const FileDescriptor owned(fd);
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLIN) != 0;
}

}  // namespace

// A thread that sleeps has seen that there was nothing to do; now a post has made work for a poll,
// or left UCX something that only its progress brings on, a send that waits for room for example.
void Context::rouse() noexcept {
    if (armed_) wake();
}

void Context::mark_dirty(Connection& connection) {
    if (connection.in_dirty) return;
    connection.in_dirty = true;
    dirty_.push_back(&connection);
    rouse();
}

void Context::mark_failed(Connection& connection) {
    if (connection.in_failed) return;
    connection.in_failed = true;
    failed_.push_back(&connection);
    rouse();
}

// Gives UCX what waits, as far as it may have it.
void Context::pump(Connection& connection) {
    Peer* peer = connection.peer;
    if (peer == nullptr || peer->connection != &connection) return;
    give_credit(connection);
    while (connection.usable() && connection.sending < options::send_window) {
        if (!peer->expected.empty())
            send(connection, *peer->expected.pop());
        else if (!peer->unexpected.empty() &&
                 has_credit(connection, peer->unexpected.front()->size))
            send(connection, *peer->unexpected.pop());
        else
            break;
    }
    pump_transfers(connection);
}

void Context::pump_dirty() {
    if (dirty_.empty()) return;
    work_.swap(dirty_);
    for (std::size_t i = 0; i < work_.size(); ++i) {
        work_[i]->in_dirty = false;
        if (work_[i]->phase != Phase::dead) pump(*work_[i]);
    }
    work_.clear();
}

// Ends the connections that UCX gave up or whose peers broke the rules.
void Context::end_failed() {
    while (!failed_.empty()) {
        Connection& connection = *failed_.back();
        failed_.pop_back();
        connection.in_failed = false;
        if (connection.breach != nullptr)
            fail(connection, NA_PROTOCOL_ERROR, connection.breach);
        else
            fail(connection, NA_HOSTUNREACH, ucs_status_string(connection.ep_status));
    }
}

// The control socket has ended: the peer is gone, or has dropped us. What it sent before may still
// be on its way through UCX.
void Context::hang_up(Connection& connection) {
    if (connection.phase != Phase::established) {
        fail(connection, NA_HOSTUNREACH, "it closed the connection");
        return;
    }
    connection.fd.reset();
    connection.phase = Phase::leaving;
    connection.left_ms = coarse_now_ms();
    ++urgent_;
    ++leaving_;
}

// `idle`: UCX had nothing more to tell.
bool Context::may_go(const Connection& connection, bool idle) const noexcept {
    if (connection.ep_failed) return true;
    const std::int64_t since = coarse_now_ms() - connection.left_ms;
    if (connection.said_goodbye && connection.transfers->ours.idle() && connection.pieces == 0)
        return true;
    if (connection.memory && has_ended(connection.process)) return idle;
    return since >= options::last_words_ms;
}

void Context::let_go(bool idle) {
    for (std::size_t i = 0; leaving_ > 0 && i < connections_.size(); ++i) {
        Connection* connection = connections_[i].connection.get();
        if (connection != nullptr && connection->phase == Phase::leaving &&
            may_go(*connection, idle))
            fail(*connection, NA_HOSTUNREACH, "the peer is gone");
    }
}

void Context::take_event(std::uint64_t key, std::uint32_t events) {
    if (key == worker_key) return;
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
    if (connection.dialing && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        const int error = na::sdk::connect_error(connection.fd.get());
        if (error != 0) {
            fail(connection, NA_HOSTUNREACH, std::strerror(error));
            return;
        }
        connection.dialing = false;
    }
    if (!connection.dialing && (events & EPOLLOUT) != 0) write_control(connection);
    if (connection.phase != Phase::dead &&
        (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        read_control(connection);
}

void Context::take_events() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i)
        take_event(events[static_cast<std::size_t>(i)].data.u64,
                   events[static_cast<std::size_t>(i)].events);
    if (count > 0) drop_silent();
}

// Looks at the control sockets, if it is time.
void Context::look(bool woken, bool idle) {
    const std::int64_t now = coarse_now_ns();
    if (!woken && urgent_ == 0 && now - looked_ns_ < options::control_interval_ns) return;
    looked_ns_ = now;
    take_events();
    if (leaving_ > 0) let_go(idle);
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
    const bool woken = std::exchange(armed_, false);
    bool idle = false;
    ++polls_;
    send_batches();
    for (unsigned n = 0; n < options::progress_batch && !idle; ++n)
        idle = !worker_.progress();
    take_inbox();
    look(woken, idle);
    end_failed();
    serial_.run_pending(this);
    pump_dirty();
    end_failed();
    // What completions have posted goes now: the next poll may be long in coming.
    serial_.run_pending(this);
    send_batches();
    settle();
    count = static_cast<unsigned>(completions_ - before);
    return NA_SUCCESS;
}

bool Context::try_wait() noexcept {
    if (!cls_.blocking() || !serial_.try_enter()) return false;
    const std::uint64_t before = completions_;
    pump_dirty();
    send_batches();
    armed_ = dirty_.empty() && failed_.empty() && leaving_ == 0 && completions_ == before &&
             !inbox_full_.load(std::memory_order_acquire) && worker_.arm();
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
            if (op.is_rma()) {
                cancel_rma(op);
                break;
            }
            (op.kind == OpKind::send_unexpected ? op.peer->unexpected : op.peer->expected)
                .remove(op);
            finish(op, NA_CANCELED);
            break;
        case OpState::in_flight:
            cancel_rma(op);
            break;
        case OpState::idle:
        case OpState::submitted:
        case OpState::sending:
            break;  // nothing to cancel, or too late
    }
}

}  // namespace cinnabar::ucx
