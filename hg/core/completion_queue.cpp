// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/completion_queue.hpp"

namespace cinnabar::hg {

void CompletionQueue::wake_trigger() noexcept {
    // Taking the mutex closes the gap between a sleeper's last look and its wait.
    { const std::lock_guard lock(mutex_); }
    condition_.notify_one();
}

void CompletionQueue::wait_until(Clock::time_point deadline) noexcept {
    trigger_sleepers_.fetch_add(1, std::memory_order_seq_cst);
    {
        std::unique_lock lock(mutex_);
        condition_.wait_until(lock, deadline, [this] { return !empty(); });
    }
    trigger_sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

void CompletionQueue::drain() noexcept {
    wake_.drain();
    // Cleared after the drain: a push in between sees "signalled" and is covered by the caller's
    // look at the queue that follows.
    signalled_.store(false, std::memory_order_seq_cst);
}

}  // namespace cinnabar::hg
