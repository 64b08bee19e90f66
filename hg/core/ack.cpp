// SPDX-License-Identifier: BSD-3-Clause
// The acknowledgement of an overflowed payload: one byte, an expected message under the call's tag
// with the acknowledgement bit, sent by whoever fetched the payload to whoever published it. A peer
// that gave up its call never sends it, so the wait has a deadline.
#include "hg/core/ack.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/net/status.hpp"
#include "na/base/errno_code.hpp"

namespace cinnabar::hg {
namespace {

hg_return_t provide_op(hg_handle& handle) noexcept {
    if (handle.ack_op == nullptr) handle.ack_op = NA_Op_create(handle.cls().na, NA_OP_SINGLE);
    return handle.ack_op == nullptr ? HG_NOMEM : HG_SUCCESS;
}

AckWaits::Clock::time_point now() noexcept {
    return AckWaits::Clock::now();
}

}  // namespace

Status AckWaits::open() noexcept {
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (timer_) return NA_SUCCESS;
    return log_error(code_of_errno(errno), "hg_ctx", "timerfd_create: {}", std::strerror(errno));
}

void AckWaits::add(hg_handle& handle, std::chrono::milliseconds patience) {
    MutexLock lock(mutex_);
    waits_.push_back({&handle, now() + patience});
    // All waits are equally long, so the first is the first to expire.
    if (waits_.size() == 1) set_timer();
}

void AckWaits::remove(hg_handle& handle) noexcept {
    MutexLock lock(mutex_);
    std::erase_if(waits_, [&](const Wait& wait) { return wait.handle == &handle; });
}

// With the mutex held: makes the descriptor readable when the first wait expires.
void AckWaits::set_timer() noexcept {
    if (waits_.empty()) {
        due_.store(Clock::time_point::max(), std::memory_order_relaxed);
        return;
    }
    const auto left = std::max<std::chrono::nanoseconds>(waits_.front().deadline - now(),
                                                         std::chrono::milliseconds(1));
    itimerspec spec{};
    spec.it_value.tv_sec = static_cast<time_t>(left.count() / 1000000000);
    spec.it_value.tv_nsec = static_cast<long>(left.count() % 1000000000);
    if (timer_) (void)::timerfd_settime(timer_.get(), 0, &spec, nullptr);
    due_.store(waits_.front().deadline, std::memory_order_relaxed);
}

// With the mutex held: the first wait that has expired, kept from being recycled until the caller
// lets it go. It goes to the end with another second to end in, in case its receive was not posted
// yet; then it may wait behind longer ones, which only delays the second attempt.
hg_handle* AckWaits::next_expired() noexcept {
    if (waits_.empty() || waits_.front().deadline > now()) return nullptr;
    Wait wait = waits_.front();
    waits_.erase(waits_.begin());
    wait.deadline = now() + std::chrono::seconds(1);
    waits_.push_back(wait);
    ref_handle(*wait.handle);
    return wait.handle;
}

void AckWaits::expire() noexcept {
    std::uint64_t ignored = 0;
    if (timer_) [[maybe_unused]]
        const ssize_t got = ::read(timer_.get(), &ignored, sizeof ignored);
    for (;;) {
        hg_handle* expired = nullptr;
        {
            MutexLock lock(mutex_);
            expired = next_expired();
            if (expired == nullptr) {
                set_timer();
                return;
            }
        }
        log_warning("hg_rpc", "RPC {:#x}: the peer does not acknowledge a large payload; given up",
                    expired->info.id);
        (void)NA_Cancel(expired->cls().na, expired->context().na, expired->ack_op);
        unref_handle(*expired);
    }
}

void AckWaits::give_up() noexcept {
    MutexLock lock(mutex_);
    for (Wait& wait : waits_)
        wait.deadline = now();
    set_timer();
}

hg_return_t end_ack_wait(hg_handle& handle, na_return_t ret) noexcept {
    handle.context().ack_waits.remove(handle);
    if (ret == NA_CANCELED && !handle.cancelled.load() && handle.outcome.send == HG_SUCCESS)
        return HG_TIMEOUT;
    return from_na(ret);
}

hg_return_t send_ack(hg_handle& handle, na_cb_t done) noexcept {
    if (const hg_return_t ret = provide_op(handle); ret != HG_SUCCESS) return ret;
    hg_context& context = handle.context();
    return from_na(NA_Msg_send_expected(
        context.cls->na, context.na, done, &handle, &handle.ack_byte, 1, nullptr,
        handle.info.addr->na, handle.info.context_id, context.ack_tag(handle.tag), handle.ack_op));
}

hg_return_t await_ack(hg_handle& handle, na_cb_t done) noexcept {
    if (const hg_return_t ret = provide_op(handle); ret != HG_SUCCESS) return ret;
    hg_context& context = handle.context();
    const std::chrono::milliseconds patience{context.cls->options.ack_timeout_ms};
    const hg_return_t ret = border("await_ack", [&] {
        context.ack_waits.add(handle, patience);
        return from_na(NA_Msg_recv_expected(context.cls->na, context.na, done, &handle,
                                            &handle.ack_byte, 1, nullptr, handle.info.addr->na,
                                            handle.info.context_id, context.ack_tag(handle.tag),
                                            handle.ack_op));
    });
    if (ret != HG_SUCCESS) context.ack_waits.remove(handle);
    return ret;
}

}  // namespace cinnabar::hg
