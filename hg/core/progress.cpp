// SPDX-License-Identifier: BSD-3-Clause
// Progress and trigger. Progress polls the net; with time left it polls on for a bounded while,
// since waking up is dear, then arms, looks once more, and sleeps on one descriptor. Several
// threads may be inside; the net lets one at a time poll, the others wait for the queue.
#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "hg/core/context.hpp"
#include "hg/net/status.hpp"
#include "na/base/local_atomic.hpp"

namespace cinnabar::hg {
namespace {

using Clock = CompletionQueue::Clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int polls_per_clock_read = 32;
constexpr unsigned polls_skipped_at_most = 8;
// How long nobody sleeps through while receives could not be posted.
constexpr milliseconds retry_interval{10};

void pause_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

class CountThread {
public:
    explicit CountThread(LocalAtomic<int>& count) noexcept : count_(count) {
        count_.fetch_add(1, std::memory_order_acquire);
    }
    ~CountThread() { count_.fetch_sub(1, std::memory_order_release); }
    CountThread(const CountThread&) = delete;
    CountThread& operator=(const CountThread&) = delete;

private:
    LocalAtomic<int>& count_;
};

void disarm(hg_context& context) noexcept {
    if (!context.event_armed.load(std::memory_order_relaxed)) return;
    if (!context.event_armed.exchange(false)) return;
    context.completions.retract_sleeper();
    context.completions.drain_wake(true);
}

// What the net does not tell of: deadlines, and receives that it has refused.
void look_at_duties(hg_context& context) noexcept {
    if (context.ack_waits.due()) context.ack_waits.expire();
    if (context.unposted_count.load(std::memory_order_relaxed) > 0) retry_receives(context);
}

// A poll disarms the net: other threads that sleep are armed again, or woken if there is something
// to do. On every way out of progress.
void keep_sleepers_armed(hg_context& context) noexcept {
    if (!context.completions.has_sleepers()) return;
    if (!context.completions.empty() || !NA_Poll_try_wait(context.cls->na, context.na))
        context.completions.wake_sleepers();
}

// Sleeps until something may have happened or the deadline has passed.
void sleep(hg_context& context, Clock::time_point deadline) noexcept {
    bool rung = false;
    context.completions.announce_sleeper();
    if (context.completions.empty() && NA_Poll_try_wait(context.cls->na, context.na)) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
        epoll_event events[3];
        // An interrupted sleep is a spurious wake-up: the caller polls again.
        const int count =
            ::epoll_wait(context.epoll.get(), events, 3,
                         static_cast<int>(std::clamp<long long>(left, 0, HG_MAX_IDLE_TIME)));
        for (int i = 0; i < count; ++i)
            if (events[i].data.fd == context.completions.wake_fd()) rung = true;
    }
    context.completions.retract_sleeper();
    context.completions.drain_wake(rung);
}

hg_return_t poll_until(hg_context& context, Clock::time_point deadline) noexcept {
    const bool can_sleep = static_cast<bool>(context.epoll);
    const microseconds spin{context.cls->options.spin_us};
    auto spin_end = Clock::now() + spin;
    for (;;) {
        for (int i = 0; i < polls_per_clock_read; ++i) {
            const na_return_t ret = NA_Poll(context.cls->na, context.na, nullptr);
            if (ret != NA_SUCCESS) return from_na(ret);
            if (!context.completions.empty()) return HG_SUCCESS;
            pause_cpu();
        }
        const auto now = Clock::now();
        if (now >= deadline) return HG_TIMEOUT;
        look_at_duties(context);
        if (now < spin_end) continue;
        if (!can_sleep) continue;
        const bool deaf = context.unposted_count.load(std::memory_order_relaxed) > 0;
        sleep(context, deaf ? std::min(deadline, now + retry_interval) : deadline);
        spin_end = Clock::now() + spin;
    }
}

}  // namespace

hg_return_t progress(hg_context& context, unsigned timeout_ms) noexcept {
    context.completions.drain_wake(false);
    // Something can be triggered already: the net is polled only now and then, so that it does not
    // starve behind a program that never finds the queue empty.
    if (!context.completions.empty() &&
        context.polls_skipped.fetch_add(1, std::memory_order_relaxed) % polls_skipped_at_most != 0)
        return HG_SUCCESS;
    look_at_duties(context);
    hg_return_t ret = from_na(NA_Poll(context.cls->na, context.na, nullptr));
    if (ret == HG_SUCCESS && context.completions.empty()) {
        ret = HG_TIMEOUT;
        if (timeout_ms > 0) {
            const CountThread counted(context.progressing);
            ret = poll_until(context, Clock::now() + milliseconds(timeout_ms));
        }
    }
    keep_sleepers_armed(context);
    return ret;
}

hg_return_t trigger(hg_context& context, unsigned timeout_ms, unsigned max_count,
                    unsigned* actual) noexcept {
    unsigned count = 0;
    Clock::time_point deadline{};
    while (count < max_count) {
        Completion* completion = context.completions.pop();
        if (completion != nullptr) {
            completion->run(*completion);
            ++count;
            continue;
        }
        if (count > 0 || timeout_ms == 0) break;
        if (deadline == Clock::time_point{})
            deadline = Clock::now() + milliseconds(timeout_ms);
        else if (Clock::now() >= deadline)
            break;
        context.completions.wait_until(deadline);
    }
    if (actual != nullptr) *actual = count;
    return count > 0 ? HG_SUCCESS : HG_TIMEOUT;
}

bool event_ready(hg_context& context) noexcept {
    if (!context.completions.empty() || !context.epoll) return true;
    // Nothing would end the sleep when the shortage is over.
    if (context.unposted_count.load(std::memory_order_relaxed) > 0) return true;
    if (!context.event_armed.exchange(true)) context.completions.announce_sleeper();
    // The net refuses if something is waiting in it; an entry may have come before the
    // announcement.
    return !NA_Poll_try_wait(context.cls->na, context.na) || !context.completions.empty();
}

hg_return_t event_progress(hg_context& context, unsigned* count) noexcept {
    disarm(context);
    look_at_duties(context);
    const na_return_t ret = NA_Poll(context.cls->na, context.na, nullptr);
    if (count != nullptr) *count = context.completions.empty() ? 0 : 1;
    keep_sleepers_armed(context);
    return from_na(ret);
}

}  // namespace cinnabar::hg
