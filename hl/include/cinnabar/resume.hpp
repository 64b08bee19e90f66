// SPDX-License-Identifier: BSD-3-Clause
// Going on when an event is set, without a stack that waits: a function as a unit of a pool, or a
// coroutine in the pool that it was suspended in. Used by calls and tasks.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>

#include "cinnabar/sync.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

// Runs `function` as a unit of `pool` once `event` is set, at once if it is. The event must live
// until then, which `function` may see to.
CINNABAR_API void when_set(Event& event, Pool pool, std::function<void()> function);

// Suspends a coroutine until the event is set, or the deadline. Outside of units it blocks the
// thread instead.
class CINNABAR_API EventAwaiter : private Actor {
public:
    explicit EventAwaiter(Event& event, std::optional<TimePoint> deadline = {}) noexcept
        : event_(event), deadline_(deadline) {}
    EventAwaiter(const EventAwaiter&) = delete;
    EventAwaiter& operator=(const EventAwaiter&) = delete;

    bool await_ready() const noexcept { return event_.is_set(); }
    bool await_suspend(std::coroutine_handle<> suspended);

protected:
    ~EventAwaiter() = default;
    // False when the deadline came first. To be called when it goes on, if there is one.
    bool came_in_time() noexcept;

private:
    struct Late;
    void wake() noexcept override;

    Event& event_;
    const std::optional<TimePoint> deadline_;
    bool came_ = true;
    std::shared_ptr<Late> late_;  // once suspended with a deadline
    Waiter waiter_;
    std::coroutine_handle<> suspended_;
    std::optional<Pool> pool_;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
