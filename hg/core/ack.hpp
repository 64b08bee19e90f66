// SPDX-License-Identifier: BSD-3-Clause
// The handles of a context that wait for a peer's acknowledgement, with their deadlines. Off the message
// path: only payloads larger than a message come here. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <vector>

#include "mercury_types.h"
#include "na/base/mutex.hpp"

namespace cinnabar::hg {

class AckWaits {
public:
    void add(hg_handle& handle, std::chrono::steady_clock::time_point deadline);
    void remove(hg_handle& handle) noexcept;
    bool empty() const noexcept { return count_.load(std::memory_order_relaxed) == 0; }
    // Cancels the waits whose deadline has passed; from progress.
    void expire() noexcept;

private:
    struct Wait {
        hg_handle* handle;
        std::chrono::steady_clock::time_point deadline;
    };
    Mutex mutex_;
    std::vector<Wait> waits_;
    std::atomic<std::size_t> count_{0};
};

}  // namespace cinnabar::hg
