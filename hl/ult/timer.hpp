// SPDX-License-Identifier: BSD-3-Clause
// One thread that runs short functions at their time: deadlines of calls, of transfers and of units
// that wait. It starts with the first alarm, sleeps until the next one, and is no stream, so busy
// streams do not delay it (docs/adr/0011). It is woken only for what is earlier than the time until
// which it sleeps anyway: a deadline that is taken back leaves that as it is, so a row of waits
// with deadlines wakes it for the first one.
#pragma once

#include <boost/intrusive/set.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "cinnabar/pool.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

// Owned by whoever waits; must be disarmed before it is destroyed. `ring` runs in the timer's
// thread with no lock held and must not block.
class Alarm : public boost::intrusive::set_base_hook<> {
public:
    Alarm() = default;
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    virtual void ring() noexcept = 0;

    friend bool operator<(const Alarm& left, const Alarm& right) {
        return left.time_ < right.time_;
    }

protected:
    ~Alarm() = default;

private:
    friend class Timer;
    TimePoint time_;
};

// Any thread may call anything.
class Timer {
public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer();

    // Throws std::system_error when its thread cannot be started.
    void arm(Alarm& alarm, TimePoint time);
    // After it has returned the alarm does not ring; waits while it is ringing. Harmless when the
    // alarm has rung or was never armed.
    void disarm(Alarm& alarm) noexcept;

private:
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::condition_variable rung_;
    boost::intrusive::multiset<Alarm> alarms_;
    Alarm* ringing_ = nullptr;
    TimePoint wakes_at_ = TimePoint::min();  // by itself; min() while it is awake
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
