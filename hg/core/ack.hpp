// SPDX-License-Identifier: BSD-3-Clause
// The handles of a context that wait for a peer's acknowledgement, with their deadlines. Off the
// message path: only payloads larger than a message come here. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <vector>

#include "mercury_types.h"
#include "na/base/file_descriptor.hpp"
#include "na/base/mutex.hpp"
#include "na/base/result.hpp"

namespace cinnabar::hg {

class AckWaits {
public:
    using Clock = std::chrono::steady_clock;

    // Makes the descriptor, for contexts that sleep.
    Status open() noexcept;
    void add(hg_handle& handle, std::chrono::milliseconds patience);
    void remove(hg_handle& handle) noexcept;
    // Readable when something may have expired; -1 without open().
    int fd() const noexcept { return timer_.get(); }
    // Whether it is time for expire(); costs the clock only while somebody waits.
    bool due() const noexcept {
        const Clock::time_point due = due_.load(std::memory_order_relaxed);
        return due != Clock::time_point::max() && Clock::now() >= due;
    }
    // Cancels the waits whose deadline has passed; from progress.
    void expire() noexcept;
    // Nobody is waited for any longer: what waits now expires next.
    void give_up() noexcept;

private:
    struct Wait {
        hg_handle* handle;
        Clock::time_point deadline;
    };
    void set_timer() noexcept;
    hg_handle* next_expired() noexcept;

    Mutex mutex_;
    std::vector<Wait> waits_;
    std::atomic<Clock::time_point> due_{Clock::time_point::max()};
    FileDescriptor timer_;
};

}  // namespace cinnabar::hg
