// SPDX-License-Identifier: BSD-3-Clause
// Coroutines: a Task<T> is a function that suspends at `co_await` of a Call, an Event or another
// Task, and needs no stack meanwhile. It begins when it is awaited or run, and goes on as a unit of
// the pool in which it was suspended; between two suspensions it is an ordinary unit and may also
// block. A handler that returns a Task<T> is one that returns a T. A Task is awaited once, by one.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "cinnabar/resume.hpp"

namespace cinnabar {
inline namespace v1 {

template <class T>
class Task;

namespace detail {

struct TaskPromiseBase {
    // Whoever awaits goes on where the task ends.
    struct Final {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
            return ended.promise().awaiting;
        }
        void await_resume() const noexcept {}
    };
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure = std::current_exception(); }

    std::coroutine_handle<> awaiting = std::noop_coroutine();
    std::exception_ptr failure;
};

template <class T>
struct TaskPromise final : TaskPromiseBase {
    Task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& given) {
        value.emplace(std::forward<U>(given));
    }
    T take() {
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }
    std::optional<T> value;
};

template <>
struct TaskPromise<void> final : TaskPromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const {
        if (failure) std::rethrow_exception(failure);
    }
};

// A coroutine that nobody waits for; it must not throw.
struct Detached {
    struct promise_type {
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
public:
    using promise_type = detail::TaskPromise<T>;
    using Value = T;

    explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    auto operator co_await() const noexcept {
        struct Awaiter {
            std::coroutine_handle<promise_type> handle;
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
                handle.promise().awaiting = awaiting;
                return handle;
            }
            T await_resume() { return handle.promise().take(); }
        };
        return Awaiter{handle_};
    }

private:
    std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<Task<T>> = true;

// What remains of a task's type for the peer.
template <class T>
struct ResultOf {
    using Type = std::remove_cvref_t<T>;
};
template <class T>
struct ResultOf<Task<T>> {
    using Type = T;
};

template <class T>
Detached drive(Task<T> task, std::shared_ptr<Eventual<T>> outcome) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await task;
            outcome->set();
        } else {
            T value = co_await task;
            outcome->set(std::move(value));
        }
    } catch (...) {
        outcome->fail(std::current_exception());
    }
}

}  // namespace detail

// Suspends a coroutine until the event is set: `co_await when(event)`.
inline auto when(Event& event) {
    struct Awaiter : detail::EventAwaiter {
        using detail::EventAwaiter::EventAwaiter;
        void await_resume() const noexcept {}
    };
    return Awaiter(event);
}

// The same until a deadline: `co_await when(event, deadline)` is false when that came first.
inline auto when(Event& event, TimePoint deadline) {
    struct Awaiter : detail::EventAwaiter {
        using detail::EventAwaiter::EventAwaiter;
        bool await_resume() noexcept { return came_in_time(); }
    };
    return Awaiter(event, deadline);
}
inline auto when(Event& event, Clock::duration duration) {
    return when(event, after(duration));
}

// Runs a task in `pool`; what is returned can be waited for and may be dropped.
template <class T>
std::shared_ptr<Eventual<T>> run(Pool pool, Task<T> task) {
    auto outcome = std::make_shared<Eventual<T>>();
    auto kept = std::make_shared<Task<T>>(std::move(task));
    pool.post([outcome, kept] { detail::drive(std::move(*kept), outcome); });
    return outcome;
}

}  // namespace v1
}  // namespace cinnabar
