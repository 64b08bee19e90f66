// SPDX-License-Identifier: BSD-3-Clause
// Opening and closing, polling, sleeping, cancelling.
#include "na/sdk/framed/context.hpp"

#include <cerrno>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"

namespace cinnabar::na::sdk::framed {

namespace {
constexpr int events_of_a_poll = 64;
constexpr int frames_of_an_event = 16;
constexpr std::uint32_t hung_up = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
}  // namespace

Status Context::open() {
    CINNABAR_TRY(event_.open());
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_) {
        const int error = errno;
        return log_error(code_of_errno(error), cls_.subsystem(), "epoll_create1: errno {}", error);
    }
    Result<std::unique_ptr<Port>> port = cls_.net().open_port(id_);
    if (!port.ok()) return port.status();
    port_ = std::move(*port);
    in_.resize(cls_.net().largest_frame());
    out_.resize(cls_.net().largest_frame());
    epoll_event event{EPOLLIN, {&event_}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event);
    event.data.ptr = port_.get();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, port_->descriptor(), &event);
    return {};
}

Context::~Context() {
    for (const Kept& kept : kept_)
        unref(*kept.source);
}

Status Context::close() {
    const std::lock_guard lock(mutex_);
    if (posted_ == 0) return {};
    log_warning(cls_.subsystem(), "context {} is not closed: {} operation(s) are posted", id_,
                posted_);
    return NA_BUSY;
}

void Context::finish(Op& op, const na_completion& completion) {
    op.state = Op::State::idle;
    op.completion = completion;
    done_.push(op);
    if (std::exchange(armed_, false)) wake();
}

bool Context::try_wait() {
    const std::lock_guard lock(mutex_);
    armed_ = !cls_.busy() && done_.empty() && (kept_.empty() || unexpected_.empty());
    return armed_;
}

void Context::handle(Connection& connection, std::uint32_t events) {
    // What a peer has left when it goes is no more than the link holds: it is read without bounds.
    if ((events & hung_up) != 0) connection.over = true;
    Next next = Next::more;
    if (!connection.paused || connection.over)
        for (int i = 0; i < frames_of_an_event && next == Next::more; ++i)
            next = read(connection);
    if (next == Next::lost || !flush(connection)) return;
    // Of a call to ourselves, this end is read and the other one written.
    if (const Peer* peer = connection.peer; peer != nullptr && peer->connection != &connection)
        (void)flush(*peer->connection);
}

Status Context::poll(unsigned int& count) {
    count = 0;
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return {};
    armed_ = false;
    deliver_kept();
    // One at a time, since each may end the connection of the next.
    epoll_event event{};
    for (int i = 0; i<events_of_a_poll&& ::epoll_wait(epoll_.get(), &event, 1, 0)> 0; ++i)
        if (event.data.ptr == &event_)
            event_.drain();
        else if (event.data.ptr == port_.get())
            accept_all();
        else
            handle(*static_cast<Connection*>(event.data.ptr), event.events);
    OpList done = std::exchange(done_, {});
    for (const Op* op = done.first(); op != nullptr; op = op->next_op)
        --posted_;
    lock.unlock();
    // From here on callbacks may run, and post and cancel.
    while (Op* op = done.pop()) {
        const na_completion completion = op->completion;
        complete(*op, completion);
        ++count;
    }
    return {};
}

Status Context::cancel(Op& op) {
    const std::lock_guard lock(mutex_);
    switch (op.state) {
        case Op::State::idle:
            return {};  // on its way to libna
        case Op::State::sending:
            op.peer->messages.remove(op);
            break;
        case Op::State::receiving_unexpected:
            unexpected_.remove(op);
            break;
        case Op::State::receiving_expected:
            expected_.remove(op);
            break;
        case Op::State::transferring:
            stop(op);
            break;
    }
    finish(op, NA_CANCELED);
    return {};
}

}  // namespace cinnabar::na::sdk::framed
