// SPDX-License-Identifier: BSD-3-Clause
// Life of a context, and how an operation gets inside.
#include "plugins/ofi/context.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "na/base/clock.hpp"
#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "plugins/ofi/class.hpp"

namespace cinnabar::ofi {

Context::Context(Class& cls, std::uint8_t id) : cls_(cls), id_(id) {}

Context::~Context() {
    if (self_ != nullptr) na::sdk::unref(*self_);
}

Status Context::watch(int fd) {
    if (fd < 0) return NA_SUCCESS;
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return NA_SUCCESS;
    return log_error(code_of_errno(errno), log_name, "epoll_ctl: {}", std::strerror(errno));
}

Status Context::open() {
    CINNABAR_TRY(cls_.open_endpoint(id_, endpoint_));
    raw_ = endpoint_.name();
    CINNABAR_TRY(receives_.grow(cls_.fabric(), SlotKind::receive, options::receive_buffers,
                                options::envelope_size));
    CINNABAR_TRY(sends_.grow(cls_.fabric(), SlotKind::send, 16, options::envelope_size));
    CINNABAR_TRY(pieces_.grow(cls_.fabric(), SlotKind::rma, options::pieces_of_context, 0));
    CINNABAR_TRY(wake_.open());
    if (get_fd() == -1 && cls_.blocking() && cls_.fabric().provider().wait_fd) {
        epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
        alarm_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        if (!epoll_ || !alarm_)
            return log_error(code_of_errno(errno), log_name, "no descriptors to sleep on: {}",
                             std::strerror(errno));
        CINNABAR_TRY(watch(wake_.get()));
        CINNABAR_TRY(watch(alarm_.get()));
        CINNABAR_TRY(watch(wait_descriptor(&endpoint_.completions()->fid)));
        if (endpoint_.events() != nullptr)
            CINNABAR_TRY(watch(wait_descriptor(&endpoint_.events()->fid)));
        if (cls_.requests() != nullptr) CINNABAR_TRY(watch(wait_descriptor(&cls_.requests()->fid)));
    }
    CINNABAR_TRY(cls_.self(self_));
    ending_.reserve(options::pieces_of_context);
    while (Slot* slot = receives_.take())
        unposted_.push(*slot);
    post_receives();
    return cls_.add(*this);
}

Status Context::close() {
    if (posted_.load(std::memory_order_acquire) != 0) return NA_BUSY;
    while (!serial_.try_enter())
        std::this_thread::yield();
    cls_.remove(*this);
    if (transfers_ > 0)
        log_debug(log_name, "{} context {}: {} transfers in {} operations of the library",
                  cls_.self_name(), id_, transfers_, operations_);
    take_inbox();
    linger();
    for (std::size_t i = 0; i < peers_.size(); ++i)
        if (peers_[i] != nullptr && peers_[i]->phase != Phase::idle)
            fail(*peers_[i], NA_HOSTUNREACH, "the context is closed");
    for (const Stashed& stashed : stash_)
        na::sdk::unref(*stashed.source);
    stash_.clear();
    while (!channels_.empty())
        drop(*channels_.back());
    settle();
    for (auto& peer : peers_)
        if (peer != nullptr) na::sdk::unref(*peer->address);
    peers_.clear();
    serial_.leave(this);
    return NA_SUCCESS;
}

// Sends complete when their bytes are copied: those must still go, and peers learn of the end.
void Context::linger() {
    const std::int64_t deadline = coarse_now_ms() + options::linger_ms;
    for (std::size_t i = 0; i < peers_.size(); ++i)
        if (peers_[i] != nullptr && peers_[i]->phase == Phase::up) greet(*peers_[i], Kind::bye);
    const auto pending = [this] {
        for (const auto& peer : peers_) {
            if (peer == nullptr || peer->phase != Phase::up) continue;
            if (!peer->sealed.empty() || peer->out()->in_library > 0) return true;
        }
        return false;
    };
    while (pending() && coarse_now_ms() < deadline) {
        for (std::size_t i = 0; i < peers_.size(); ++i)
            if (peers_[i] != nullptr && peers_[i]->phase == Phase::up) write_out(*peers_[i]);
        (void)take_completions();
        take_connection_events();
        std::this_thread::yield();
    }
}

Status Context::post(Op& op) {
    op.cancel.arm();
    op.state = OpState::submitted;
    op.peer = nullptr;
    op.done = 0;
    posted_.fetch_add(1, std::memory_order_relaxed);
    serial_.run(
        this, op.submit,
        [&]() noexcept {
            start(op);
            settle();
        },
        [&]() noexcept {
            // The caller may give its address back before the thread inside sees this operation.
            if (op.address != nullptr) na::sdk::ref(*op.address);
            op.holds_address = op.address != nullptr;
            op.submit.run = [](void* context, na::sdk::Task& task) noexcept {
                auto* self = static_cast<Context*>(context);
                Op& submitted = *static_cast<Op::Submit&>(task).op;
                Address* held = submitted.holds_address ? submitted.address : nullptr;
                submitted.holds_address = false;
                self->start(submitted);
                self->settle();
                if (held != nullptr) na::sdk::unref(*held);
            };
        });
    return NA_SUCCESS;
}

// Only what comes before an operation is queued anywhere allocates.
void Context::start(Op& op) noexcept {
    if (op.cancel.asked()) {
        finish(op, NA_CANCELED);
        return;
    }
    try {
        dispatch(op);
    } catch (const std::exception& error) {
        log_warning(log_name, "an operation cannot start: {}", error.what());
        finish(op, NA_NOMEM);
    }
}

void Context::dispatch(Op& op) {
    switch (op.kind) {
        case OpKind::receive_unexpected:
        case OpKind::receive_expected:
            start_receive(op);
            break;
        case OpKind::send_unexpected:
        case OpKind::send_expected:
            start_send(op);
            break;
        case OpKind::put:
        case OpKind::get:
            start_rma(op);
            break;
    }
}

void Context::finish(Op& op, const na_completion& completion) {
    op.state = OpState::idle;
    if (Peer* peer = std::exchange(op.peer, nullptr); peer != nullptr) {
        --named_;
        if (std::exchange(op.suspect, false)) --peer->suspects;
        if (--peer->users == 0) loosen(*peer);
    }
    op.local.reset();
    op.remote.reset();
    ++completions_;
    posted_.fetch_sub(1, std::memory_order_release);
    na::sdk::complete(op, completion);
}

void Context::finish(Op& op, na_return_t ret, std::size_t size) {
    finish(op, na_completion{ret, 0, size, nullptr, nullptr, false});
}

void Context::settle() {
    // A send is complete by now, and the next poll may never come.
    if (std::exchange(nudge_, false)) (void)take_completions();
    if (loose_peers_ != nullptr) drop_loose();
    if (!graveyard_.empty()) bury();
    if (armed_) set_alarm();
}

void Context::hand_over(Arrival&& arrival) {
    MutexLock lock(inbox_mutex_);
    arrivals_.push_back(std::move(arrival));
    inbox_full_.store(true, std::memory_order_release);
    wake();
}

void Context::forget(Address& address) {
    MutexLock lock(inbox_mutex_);
    forgotten_.push_back(&address);
    na::sdk::ref(address);
    inbox_full_.store(true, std::memory_order_release);
    wake();
}

void Context::take_inbox() noexcept {
    if (!inbox_full_.load(std::memory_order_acquire)) return;
    std::vector<Arrival> arrivals;
    std::vector<Address*> forgotten;
    {
        MutexLock lock(inbox_mutex_);
        inbox_full_.store(false, std::memory_order_relaxed);
        arrivals.swap(arrivals_);
        forgotten.swap(forgotten_);
    }
    for (Address* address : forgotten) {
        for (std::size_t i = 0; i < peers_.size(); ++i)
            if (peers_[i] != nullptr && peers_[i]->address == address)
                fail(*peers_[i], NA_HOSTUNREACH, "the address was removed");
        na::sdk::unref(*address);
    }
    for (Arrival& arrival : arrivals) {
        if (arrival.request != nullptr) {
            take_request(arrival);
            continue;
        }
        Greeting greeting;
        if (decode_greeting(arrival.greeting, greeting)) greeted(greeting, arrival.greeting);
    }
}

}  // namespace cinnabar::ofi
