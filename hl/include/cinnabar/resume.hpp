// SPDX-License-Identifier: BSD-3-Clause
// Going on when an event is set, without a stack that waits: a function as a unit of a pool, or a
// coroutine in the pool that it was suspended in. Used by calls and tasks.
#pragma once

#include <coroutine>
#include <functional>
#include <optional>

#include "cinnabar/sync.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

// Runs `function` as a unit of `pool` once `event` is set, at once if it is. The event must live
// until then, which `function` may see to.
CINNABAR_API void when_set(Event& event, Pool pool, std::function<void()> function);

// Suspends a coroutine until the event is set. Outside of units it blocks the thread instead.
class CINNABAR_API EventAwaiter : private Actor {
public:
    explicit EventAwaiter(Event& event) noexcept : event_(event) {}
    EventAwaiter(const EventAwaiter&) = delete;
    EventAwaiter& operator=(const EventAwaiter&) = delete;

    bool await_ready() const noexcept { return event_.is_set(); }
    bool await_suspend(std::coroutine_handle<> suspended);

protected:
    ~EventAwaiter() = default;

private:
    void wake() noexcept override;

    Event& event_;
    Waiter waiter_;
    std::coroutine_handle<> suspended_;
    std::optional<Pool> pool_;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
