// SPDX-License-Identifier: BSD-3-Clause
// Waiting for one another, for units and plain threads alike: a unit that waits gives its stream
// away, a thread sleeps. All objects may be used from any thread; none may be destroyed while
// somebody waits in it. Deadlines are points of Clock, or so much time from now; a wait never ends
// before its deadline without its event, and ends with its event if both are there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "cinnabar/export.hpp"
#include "cinnabar/lock.hpp"
#include "cinnabar/pool.hpp"

namespace cinnabar {
inline namespace v1 {

namespace detail {

struct Waiter {
    Actor* actor = nullptr;
    Waiter* next = nullptr;
    Waiter* previous = nullptr;
    bool listed = false;
};

// Who waits, in order of arrival. Guarded by a Lock of its owner, which is held for a few
// instructions only and never across a suspension.
class CINNABAR_API WaitList {
public:
    // Blocks with `lock` open until woken (true) or the deadline (false); `lock` is closed again.
    // `what` is what a unit is seen to wait for.
    bool wait(std::unique_lock<Lock>& lock, Wait what, std::optional<TimePoint> deadline = {});
    // Takes the first, or all, off the list; to be woken with wake() after the lock is open.
    Waiter* take_one() noexcept;
    Waiter* take_all() noexcept;
    static void wake(Waiter* chain) noexcept;
    // For those who do not block: an actor of their own is woken instead.
    void append(Waiter& waiter) noexcept;
    void remove(Waiter& waiter) noexcept;

private:
    friend struct TimedOut;

    Waiter* first_ = nullptr;
    Waiter* last_ = nullptr;
};

}  // namespace detail

// A lock that may be held across anything that blocks. Handed over in order of arrival. What the
// standard calls TimedLockable, for points and durations of Clock: std::unique_lock takes both.
class CINNABAR_API Mutex {
public:
    void lock();
    bool try_lock();
    // False when the deadline came first.
    bool try_lock_until(TimePoint deadline);
    bool try_lock_for(Clock::duration duration) { return try_lock_until(after(duration)); }
    void unlock();

private:
    detail::Lock mutex_;
    detail::WaitList waiting_;
    bool held_ = false;
};

// A condition, used with a Mutex held by std::unique_lock. There are no spurious ends of a wait.
class CINNABAR_API Condition {
public:
    void wait(std::unique_lock<Mutex>& lock);
    // False when the deadline came first. The mutex is taken again then too, however long that
    // takes.
    bool wait_until(std::unique_lock<Mutex>& lock, TimePoint deadline);
    bool wait_for(std::unique_lock<Mutex>& lock, Clock::duration duration) {
        return wait_until(lock, after(duration));
    }
    template <class Predicate>
    void wait(std::unique_lock<Mutex>& lock, Predicate predicate) {
        while (!predicate())
            wait(lock);
    }
    // What the predicate says in the end.
    template <class Predicate>
    bool wait_until(std::unique_lock<Mutex>& lock, TimePoint deadline, Predicate predicate) {
        while (!predicate())
            if (!wait_until(lock, deadline)) return predicate();
        return true;
    }
    template <class Predicate>
    bool wait_for(std::unique_lock<Mutex>& lock, Clock::duration duration, Predicate predicate) {
        return wait_until(lock, after(duration), std::move(predicate));
    }
    void notify_one();
    void notify_all();

private:
    bool wait_for_notice(std::unique_lock<Mutex>& lock, std::optional<TimePoint> deadline);

    detail::Lock mutex_;
    detail::WaitList waiting_;
};

class Event;

// A count that is taken from and given to; taking from nothing blocks.
class CINNABAR_API Semaphore {
public:
    explicit Semaphore(std::size_t count) : count_(count) {}
    void acquire();
    bool try_acquire();
    // False when the deadline came first.
    bool try_acquire_until(TimePoint deadline);
    bool try_acquire_for(Clock::duration duration) { return try_acquire_until(after(duration)); }
    void release();

private:
    friend std::optional<std::size_t> wait_any(std::span<Event* const>, std::optional<TimePoint>);
    bool take(std::optional<TimePoint> deadline, detail::Wait what = detail::Wait::semaphore);

    detail::Lock mutex_;
    detail::WaitList waiting_;
    std::size_t count_;
};

// A meeting of `count` parties, again and again.
class CINNABAR_API Barrier {
public:
    explicit Barrier(std::size_t count) : count_(count) {}
    void arrive_and_wait();
    // False when the deadline came first: the caller has not arrived then, and may try again.
    bool arrive_and_wait_until(TimePoint deadline);
    bool arrive_and_wait_for(Clock::duration duration) {
        return arrive_and_wait_until(after(duration));
    }

private:
    bool arrive(std::optional<TimePoint> deadline);

    detail::Lock mutex_;
    detail::WaitList waiting_;
    std::size_t count_;
    std::size_t arrived_ = 0;
    std::size_t round_ = 0;
};

// Something that happens once, and can be waited for by many, before and after.
class CINNABAR_API Event {
public:
    // The second time has no effect. Who has been woken may destroy the event at once.
    void set();
    bool is_set() const { return word_.load(std::memory_order_acquire) == set_mark; }
    void wait();
    // False when the deadline came first.
    bool wait_until(TimePoint deadline);
    bool wait_for(Clock::duration duration) { return wait_until(after(duration)); }
    // The same for what is built on events: `what` is what a unit is seen to wait for.
    bool wait_as(detail::Wait what, std::optional<TimePoint> deadline = {});
    // Has the waiter's actor woken by set(), instead of blocking; false when it is set already.
    bool subscribe(detail::Waiter& waiter);
    // True when the actor has not been and will not be woken; false when it has been or will.
    bool unsubscribe(detail::Waiter& waiter);

private:
    friend struct EventTimedOut;
    static constexpr std::uintptr_t set_mark = 1;
    static constexpr std::uintptr_t locked_mark = 2;  // somebody looks through the waiters

    // A mark, or who waits: the first of a chain, the last who came.
    std::atomic<std::uintptr_t> word_{0};
};

// Blocks until one of the events is set, and gives its index (the lowest of several); nothing when
// the deadline came first, or without events.
CINNABAR_API std::optional<std::size_t> wait_any(std::span<Event* const> events,
                                                 std::optional<TimePoint> deadline = {});
inline std::optional<std::size_t> wait_any(std::span<Event* const> events,
                                           Clock::duration duration) {
    return wait_any(events, after(duration));
}

// Blocks until all of the events are set; false when the deadline came first.
CINNABAR_API bool wait_all(std::span<Event* const> events, std::optional<TimePoint> deadline = {});
inline bool wait_all(std::span<Event* const> events, Clock::duration duration) {
    return wait_all(events, after(duration));
}

// A value, or an exception, that somebody gives and others wait for.
template <class T>
class Eventual {
public:
    // To be called once, this or fail().
    void set(T value) {
        value_.emplace(std::move(value));
        event_.set();
    }
    void fail(std::exception_ptr error) {
        error_ = std::move(error);
        event_.set();
    }
    bool ready() const { return event_.is_set(); }
    // The value, which stays here; or throws what was given to fail().
    T& wait() {
        (void)event_.wait_as(detail::Wait::eventual);
        if (error_) std::rethrow_exception(error_);
        return *value_;
    }
    // Null when the deadline came first.
    T* wait_until(TimePoint deadline) {
        return event_.wait_as(detail::Wait::eventual, deadline) ? &wait() : nullptr;
    }
    T* wait_for(Clock::duration duration) { return wait_until(after(duration)); }

private:
    Event event_;
    std::optional<T> value_;
    std::exception_ptr error_;
};

template <>
class Eventual<void> {
public:
    void set() { event_.set(); }
    void fail(std::exception_ptr error) {
        error_ = std::move(error);
        event_.set();
    }
    bool ready() const { return event_.is_set(); }
    void wait() {
        (void)event_.wait_as(detail::Wait::eventual);
        if (error_) std::rethrow_exception(error_);
    }
    bool wait_until(TimePoint deadline) {
        if (!event_.wait_as(detail::Wait::eventual, deadline)) return false;
        wait();
        return true;
    }
    bool wait_for(Clock::duration duration) { return wait_until(after(duration)); }

private:
    Event event_;
    std::exception_ptr error_;
};

// Runs `function()` as a unit of `pool`; what is returned can be waited for and may be dropped. An
// exception of the function is thrown to who waits.
template <class Function>
auto spawn(Pool pool, Function function) {
    using Value = std::invoke_result_t<Function&>;
    auto outcome = std::make_shared<Eventual<Value>>();
    pool.post([outcome, body = std::move(function)]() mutable {
        try {
            if constexpr (std::is_void_v<Value>) {
                body();
                outcome->set();
            } else {
                outcome->set(body());
            }
        } catch (...) {
            outcome->fail(std::current_exception());
        }
    });
    return outcome;
}

}  // namespace v1
}  // namespace cinnabar
