// SPDX-License-Identifier: BSD-3-Clause
// Polling, sleeping, cancelling.
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"

namespace cinnabar::ofi {

int Context::get_fd() const noexcept {
    return epoll_ ? epoll_.get() : -1;
}

Status Context::poll(unsigned& count) {
    poll_inside(count);
    // Who polls while the library's own thread is to find something lets it have the processor.
    if (count == 0 && cls_.fabric().provider().own_threads && cls_.blocking())
        std::this_thread::yield();
    return NA_SUCCESS;
}

void Context::poll_inside(unsigned& count) {
    count = 0;
    if (!serial_.try_enter()) return;
    // Left whatever is thrown: a serial that is not left is a context that is dead.
    struct Inside {
        Context& self;
        ~Inside() { self.serial_.leave(&self); }
    } inside{*this};
    const std::uint64_t before = completions_;
    armed_ = false;
    ++pass_;
    take_inbox();
    flush_dirty();
    (void)take_completions();
    if (look_ || connecting_ > 0 || ++polls_ % options::rare_polls == 0) {
        if (look_) {
            wake_.drain();
            std::uint64_t expirations = 0;
            (void)!::read(alarm_.get(), &expirations, sizeof expirations);
            look_ = false;
        }
        take_connection_events();
        take_class_requests();
        if (const std::int64_t now = coarse_now_ms(); now >= next_look_ms_) look_around(now);
    }
    serial_.run_pending(this);
    // What completions posted leaves now: the next poll may be long in coming.
    flush_dirty();
    settle();
    count = static_cast<unsigned>(completions_ - before);
}

bool Context::try_wait() noexcept {
    if (!epoll_ || !serial_.try_enter()) return false;
    const std::uint64_t before = completions_;
    ++pass_;
    flush_dirty();
    look_ = true;
    bool armed =
        completions_ == before && unposted_.empty() &&
        !inbox_full_.load(std::memory_order_acquire) &&
        std::all_of(dirty_.begin(), dirty_.end(), [](const Peer* peer) { return peer->refused; });
    if (armed) {
        std::array<fid*, 3> queues{&endpoint_.completions()->fid};
        int number = 1;
        const auto add = [&](fid_eq* queue) {
            if (queue != nullptr) queues[static_cast<std::size_t>(number++)] = &queue->fid;
        };
        add(endpoint_.events());
        add(cls_.requests());
        armed = fi_trywait(cls_.fabric().fabric(), queues.data(), number) == FI_SUCCESS;
    }
    armed_ = armed;
    settle();
    serial_.leave(this);
    return armed;
}

// Sets the clock that wakes a sleeper when something is to be asked again.
void Context::set_alarm() noexcept {
    std::int64_t wait = 0;
    if (!dirty_.empty())
        wait = options::retry_ms;
    else if (needs_looks())
        wait = options::keepalive_ms / 2;
    else
        return;
    itimerspec when{};
    when.it_value.tv_nsec = static_cast<long>(wait * 1'000'000);
    (void)::timerfd_settime(alarm_.get(), 0, &when, nullptr);
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
        case OpState::started:
            // A message of which a part is gone goes whole.
            if (!op.is_rma()) break;
            op.peer->transfers.remove(op);
            end_rma(op, NA_CANCELED);
            break;
        case OpState::in_flight:
            end_rma(op, NA_CANCELED);
            break;
        case OpState::idle:
        case OpState::submitted:
        case OpState::ending:
            break;  // nothing to cancel, or too late
    }
}

}  // namespace cinnabar::ofi
