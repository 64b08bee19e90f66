// SPDX-License-Identifier: BSD-3-Clause
#include "hl/ult/timer.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

Timer::~Timer() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Timer::arm(Alarm& alarm, TimePoint time) {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    alarm.time_ = time;
    alarms_.insert(alarm);
    if (time < wakes_at_) changed_.notify_one();
}

void Timer::disarm(Alarm& alarm) noexcept {
    std::unique_lock lock(mutex_);
    if (alarm.is_linked()) alarms_.erase(alarms_.iterator_to(alarm));
    rung_.wait(lock, [&] { return ringing_ != &alarm; });
}

void Timer::run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
        const TimePoint time = alarms_.empty() ? TimePoint::max() : alarms_.begin()->time_;
        if (time > Clock::now()) {
            wakes_at_ = time;
            if (alarms_.empty())
                changed_.wait(lock);
            else
                changed_.wait_until(lock, time);
            wakes_at_ = TimePoint::min();
            continue;
        }
        ringing_ = &*alarms_.begin();
        alarms_.erase(alarms_.begin());
        lock.unlock();
        ringing_->ring();
        lock.lock();
        ringing_ = nullptr;
        rung_.notify_all();
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
