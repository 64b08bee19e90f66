// SPDX-License-Identifier: BSD-3-Clause
#include "cinnabar/resume.hpp"

#include "hl/ult/stream.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// A unit that is made beforehand, so that the wake cannot fail.
class Later final : public Actor {
public:
    Later(Pool pool, std::function<void()> function)
        : pool_(std::move(pool)), unit_(std::make_unique<Body>(std::move(function))) {}

    void wake() noexcept override {
        PoolCore::adopt(pool_.core(), pool_.priority(), std::move(unit_));
        delete this;
    }
    Waiter waiter;

private:
    struct Body final : Unit {
        explicit Body(std::function<void()> given) : function(std::move(given)) {}
        void run() noexcept override { function(); }
        std::function<void()> function;
    };
    Pool pool_;
    std::unique_ptr<Unit> unit_;
};

}  // namespace

void when_set(Event& event, Pool pool, std::function<void()> function) {
    auto* later = new Later(std::move(pool), std::move(function));
    later->waiter.actor = later;
    if (!event.subscribe(later->waiter)) later->wake();
}

struct EventAwaiter::Late final : Alarm {
    explicit Late(EventAwaiter& its_awaiter)
        : awaiter(its_awaiter), runtime(its_awaiter.pool_->core()->runtime) {}

    void ring() noexcept override {
        {
            // Not before it has subscribed.
            const std::lock_guard held(lock);
            late = awaiter.event_.unsubscribe(awaiter.waiter_);
        }
        if (late) awaiter.wake();
    }

    EventAwaiter& awaiter;
    const std::shared_ptr<Runtime> runtime;
    Lock lock;
    bool late = false;
};

bool EventAwaiter::await_suspend(std::coroutine_handle<> suspended) {
    if (!in_unit()) {
        came_ = event_.wait_as(Wait::event, deadline_);
        return false;
    }
    pool_.emplace(Pool::here());
    suspended_ = suspended;
    waiter_.actor = this;
    // Once subscribed it may go on elsewhere, and this be gone.
    if (!deadline_) return event_.subscribe(waiter_);
    late_ = std::make_shared<Late>(*this);
    const std::shared_ptr<Late> late = late_;
    const std::lock_guard held(late->lock);
    late->runtime->timer.arm(*late, *deadline_);
    return event_.subscribe(waiter_);
}

bool EventAwaiter::came_in_time() noexcept {
    if (late_ == nullptr) return came_;
    late_->runtime->timer.disarm(*late_);
    return !late_->late;
}

void EventAwaiter::wake() noexcept {
    const Pool pool = *pool_;
    pool.post([go_on = suspended_] { go_on.resume(); });
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
