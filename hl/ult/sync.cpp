// SPDX-License-Identifier: BSD-3-Clause
// The wait list, and what is made of it. Who takes a waiter off its list, notifier or deadline,
// owes it the one wake that ends its suspension.
#include "cinnabar/sync.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <thread>
#include <vector>

#include "hl/ult/stream.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// A plain thread that waits.
class ThreadActor final : public Actor {
public:
    void wake() noexcept override {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        woken_now_.notify_one();
    }

    // False when the deadline came first.
    bool suspend(std::optional<TimePoint> deadline) {
        std::unique_lock lock(mutex_);
        const auto woken = [this] { return woken_; };
        if (!deadline)
            woken_now_.wait(lock, woken);
        else if (!woken_now_.wait_until(lock, *deadline, woken))
            return false;
        woken_ = false;
        return true;
    }

private:
    std::mutex mutex_;
    std::condition_variable woken_now_;
    bool woken_ = false;
};

ThreadActor& this_thread() {
    thread_local ThreadActor actor;
    return actor;
}

}  // namespace

struct TimedOut final : Alarm {
    TimedOut(Lock& owner_mutex, WaitList& owner_list, Waiter& its_waiter)
        : mutex(owner_mutex), list(owner_list), waiter(its_waiter) {}

    void ring() noexcept override {
        (void)withdraw();
        if (late) waiter.actor->wake();
    }
    // Takes the waiter off its list, unless a notifier has done so.
    bool withdraw() noexcept {
        const std::lock_guard lock(mutex);
        late = waiter.listed;
        if (late) list.remove(waiter);
        return late;
    }

    Lock& mutex;
    WaitList& list;
    Waiter& waiter;
    bool late = false;
};

bool WaitList::wait(std::unique_lock<Lock>& lock, Wait what, std::optional<TimePoint> deadline) {
    Unit* unit = StreamCore::current_unit();
    Waiter waiter;
    waiter.actor = unit != nullptr ? static_cast<Actor*>(unit) : &this_thread();
    TimedOut timed_out(*lock.mutex(), *this, waiter);
    append(waiter);
    lock.unlock();
    if (unit == nullptr) {
        ThreadActor& thread = this_thread();
        if (!thread.suspend(deadline) && !timed_out.withdraw()) (void)thread.suspend({});
    } else if (deadline) {
        Timer& timer = StreamCore::pool_of(*unit).runtime->timer;
        timer.arm(timed_out, *deadline);
        StreamCore::suspend(*unit, what);
        timer.disarm(timed_out);
    } else {
        StreamCore::suspend(*unit, what);
    }
    lock.lock();
    return !timed_out.late;
}

void WaitList::append(Waiter& waiter) noexcept {
    waiter.listed = true;
    waiter.next = nullptr;
    waiter.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &waiter;
    last_ = &waiter;
}

void WaitList::remove(Waiter& waiter) noexcept {
    (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
    waiter.next = nullptr;
    waiter.listed = false;
}

Waiter* WaitList::take_one() noexcept {
    Waiter* waiter = first_;
    if (waiter != nullptr) remove(*waiter);
    return waiter;
}

Waiter* WaitList::take_all() noexcept {
    Waiter* chain = first_;
    for (Waiter* waiter = chain; waiter != nullptr; waiter = waiter->next)
        waiter->listed = false;
    first_ = nullptr;
    last_ = nullptr;
    return chain;
}

void WaitList::wake(Waiter* chain) noexcept {
    while (chain != nullptr) {
        Waiter* next = chain->next;
        // The waiter is gone once it is awake.
        chain->actor->wake();
        chain = next;
    }
}

}  // namespace detail

bool in_unit() noexcept {
    return detail::StreamCore::current_unit() != nullptr;
}

void yield() {
    if (detail::Unit* unit = detail::StreamCore::current_unit())
        detail::StreamCore::yield(*unit);
    else
        std::this_thread::yield();
}

void sleep_until(TimePoint time) {
    detail::Lock mutex;
    detail::WaitList nobody;
    std::unique_lock lock(mutex);
    (void)nobody.wait(lock, detail::Wait::sleep, time);
}

void Mutex::lock() {
    std::unique_lock lock(mutex_);
    if (held_)
        (void)waiting_.wait(lock, detail::Wait::mutex);  // and it has been handed over
    else
        held_ = true;
}

bool Mutex::try_lock() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(held_, true);
}

bool Mutex::try_lock_until(TimePoint deadline) {
    std::unique_lock lock(mutex_);
    if (held_) return waiting_.wait(lock, detail::Wait::mutex, deadline);
    return held_ = true;
}

void Mutex::unlock() {
    detail::Waiter* next = nullptr;
    {
        const std::lock_guard lock(mutex_);
        next = waiting_.take_one();
        held_ = next != nullptr;
    }
    detail::WaitList::wake(next);
}

bool Condition::wait_for_notice(std::unique_lock<Mutex>& lock, std::optional<TimePoint> deadline) {
    std::unique_lock inner(mutex_);
    lock.unlock();
    const bool noticed = waiting_.wait(inner, detail::Wait::condition, deadline);
    inner.unlock();
    lock.lock();
    return noticed;
}

void Condition::wait(std::unique_lock<Mutex>& lock) {
    (void)wait_for_notice(lock, {});
}

bool Condition::wait_until(std::unique_lock<Mutex>& lock, TimePoint deadline) {
    return wait_for_notice(lock, deadline);
}

void Condition::notify_one() {
    detail::Waiter* waiter = nullptr;
    {
        const std::lock_guard lock(mutex_);
        waiter = waiting_.take_one();
    }
    detail::WaitList::wake(waiter);
}

void Condition::notify_all() {
    detail::Waiter* waiters = nullptr;
    {
        const std::lock_guard lock(mutex_);
        waiters = waiting_.take_all();
    }
    detail::WaitList::wake(waiters);
}

void Semaphore::acquire() {
    (void)take({});
}

bool Semaphore::try_acquire() {
    const std::lock_guard lock(mutex_);
    if (count_ == 0) return false;
    --count_;
    return true;
}

bool Semaphore::try_acquire_until(TimePoint deadline) {
    return take(deadline);
}

bool Semaphore::take(std::optional<TimePoint> deadline, detail::Wait what) {
    std::unique_lock lock(mutex_);
    if (count_ == 0) return waiting_.wait(lock, what, deadline);  // one is handed over
    --count_;
    return true;
}

void Semaphore::release() {
    detail::Waiter* waiter = nullptr;
    {
        const std::lock_guard lock(mutex_);
        waiter = waiting_.take_one();
        if (waiter == nullptr) ++count_;
    }
    detail::WaitList::wake(waiter);
}

void Barrier::arrive_and_wait() {
    (void)arrive({});
}

bool Barrier::arrive_and_wait_until(TimePoint deadline) {
    return arrive(deadline);
}

bool Barrier::arrive(std::optional<TimePoint> deadline) {
    detail::Waiter* waiters = nullptr;
    {
        std::unique_lock lock(mutex_);
        const std::size_t round = round_;
        if (++arrived_ < count_) {
            if (waiting_.wait(lock, detail::Wait::barrier, deadline)) return true;
            // The others may have come since it was taken off the list, and have counted it.
            if (round_ != round) return true;
            --arrived_;
            return false;
        }
        arrived_ = 0;
        ++round_;
        waiters = waiting_.take_all();
    }
    detail::WaitList::wake(waiters);
    return true;
}

// Nothing of the event is touched after the mark: who sees it may destroy the event.
void Event::set() {
    std::uintptr_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
        if (word == set_mark) return;
        if ((word & locked_mark) != 0) {
            std::this_thread::yield();
            word = word_.load(std::memory_order_relaxed);
        } else if (word_.compare_exchange_weak(word, set_mark, std::memory_order_acq_rel,
                                               std::memory_order_relaxed)) {
            break;
        }
    }
    detail::Waiter* in_order = nullptr;
    for (auto* waiter = reinterpret_cast<detail::Waiter*>(word); waiter != nullptr;) {
        detail::Waiter* const before = waiter->next;
        waiter->next = in_order;
        in_order = waiter;
        waiter = before;
    }
    detail::WaitList::wake(in_order);
}

struct EventTimedOut final : detail::Alarm {
    EventTimedOut(Event& its_event, detail::Waiter& its_waiter)
        : event(its_event), waiter(its_waiter) {}
    void ring() noexcept override {
        late = event.unsubscribe(waiter);
        if (late) waiter.actor->wake();
    }
    Event& event;
    detail::Waiter& waiter;
    bool late = false;
};

bool Event::wait_as(detail::Wait what, std::optional<TimePoint> deadline) {
    detail::Waiter waiter;
    detail::Unit* unit = detail::StreamCore::current_unit();
    if (unit == nullptr) {
        detail::ThreadActor& thread = detail::this_thread();
        waiter.actor = &thread;
        if (!subscribe(waiter) || thread.suspend(deadline)) return true;
        if (unsubscribe(waiter)) return false;
        return thread.suspend({});
    }
    waiter.actor = unit;
    if (!subscribe(waiter)) return true;
    if (!deadline) {
        detail::StreamCore::suspend(*unit, what);
        return true;
    }
    EventTimedOut timed_out(*this, waiter);
    detail::Timer& timer = detail::StreamCore::pool_of(*unit).runtime->timer;
    timer.arm(timed_out, *deadline);
    detail::StreamCore::suspend(*unit, what);
    timer.disarm(timed_out);
    return !timed_out.late;
}

void Event::wait() {
    (void)wait_as(detail::Wait::event);
}

bool Event::wait_until(TimePoint deadline) {
    return wait_as(detail::Wait::event, deadline);
}

bool Event::subscribe(detail::Waiter& waiter) {
    std::uintptr_t word = word_.load(std::memory_order_acquire);
    for (;;) {
        if (word == set_mark) return false;
        if ((word & locked_mark) != 0) {
            std::this_thread::yield();
            word = word_.load(std::memory_order_acquire);
            continue;
        }
        waiter.next = reinterpret_cast<detail::Waiter*>(word);
        if (word_.compare_exchange_weak(word, reinterpret_cast<std::uintptr_t>(&waiter),
                                        std::memory_order_acq_rel, std::memory_order_acquire))
            return true;
    }
}

bool Event::unsubscribe(detail::Waiter& waiter) {
    std::uintptr_t word = word_.load(std::memory_order_acquire);
    do {
        while ((word & locked_mark) != 0) {
            std::this_thread::yield();
            word = word_.load(std::memory_order_acquire);
        }
        if (word == set_mark) return false;
    } while (!word_.compare_exchange_weak(word, word | locked_mark, std::memory_order_acquire,
                                          std::memory_order_acquire));
    auto* first = reinterpret_cast<detail::Waiter*>(word);
    detail::Waiter** link = &first;
    while (*link != nullptr && *link != &waiter)
        link = &(*link)->next;
    const bool found = *link != nullptr;
    if (found) *link = waiter.next;
    word_.store(reinterpret_cast<std::uintptr_t>(first), std::memory_order_release);
    return found;
}

namespace {

struct Counting final : detail::Actor {
    void wake() noexcept override { woken.release(); }
    Semaphore woken{0};
};

}  // namespace

bool wait_all(std::span<Event* const> events, std::optional<TimePoint> deadline) {
    return std::all_of(events.begin(), events.end(),
                       [&](Event* event) { return event->wait_as(detail::Wait::all, deadline); });
}

std::optional<std::size_t> wait_any(std::span<Event* const> events,
                                    std::optional<TimePoint> deadline) {
    Counting counting;
    std::vector<detail::Waiter> waiters(events.size());
    std::size_t owed = 0;  // wakes that have come or will
    bool found = events.empty();
    for (std::size_t i = 0; i < events.size() && !found; ++i) {
        waiters[i].actor = &counting;
        found = !events[i]->subscribe(waiters[i]);
        owed += found ? 0 : 1;
    }
    if (!found && counting.woken.take(deadline, detail::Wait::any)) --owed;
    for (std::size_t i = 0; i < events.size(); ++i)
        if (events[i]->unsubscribe(waiters[i])) --owed;
    // Who is on the way here has not finished with what lies on this stack.
    while (owed-- != 0)
        counting.woken.acquire();
    for (std::size_t i = 0; i < events.size(); ++i)
        if (events[i]->is_set()) return i;
    return {};
}

}  // namespace v1
}  // namespace cinnabar
