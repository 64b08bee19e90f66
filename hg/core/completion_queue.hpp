// SPDX-License-Identifier: BSD-3-Clause
// What HG_Trigger() drains: the one queue between the library and its users. Pushed from any
// thread, lock-free; popped by any number of triggering threads, one entry at a time. A push wakes
// threads that sleep in HG_Trigger() or HG_Progress(), and costs one load when nobody sleeps.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "na/base/event_fd.hpp"
#include "na/base/local_atomic.hpp"
#include "na/base/mpsc_queue.hpp"

namespace cinnabar::hg {

// Something that a user must see. Embedded in handles and bulk operations; run() may recycle its
// owner.
struct Completion : MpscNode {
    void (*run)(Completion& completion) noexcept = nullptr;
    void* owner = nullptr;  // what run() works on
};

class CompletionQueue {
public:
    using Clock = std::chrono::steady_clock;

    Status open() noexcept { return wake_.open(); }

    void push(Completion& completion) noexcept {
        queue_.push(completion);
        // The exchange inside push() is a full barrier: a sleeper that did not see the entry is
        // seen here.
        if (has_sleepers()) wake_sleepers();
        if (trigger_sleepers_.load(std::memory_order_seq_cst) > 0) wake_trigger();
    }
    Completion* pop() noexcept {
        if (queue_.empty()) return nullptr;
        while (popping_.exchange(true, std::memory_order_acquire))
            std::this_thread::yield();
        MpscNode* node = queue_.pop();
        popping_.store(false, std::memory_order_release);
        return static_cast<Completion*>(node);
    }
    bool empty() const noexcept { return queue_.empty(); }

    // Sleeps until an entry is there or the deadline has passed; for HG_Trigger().
    void wait_until(Clock::time_point deadline) noexcept;

    // A thread that is going to sleep on wake_fd() announces itself, then looks at empty() once
    // more.
    void announce_sleeper() noexcept { sleepers_.fetch_add(1, std::memory_order_seq_cst); }
    void retract_sleeper() noexcept { sleepers_.fetch_sub(1, std::memory_order_relaxed); }
    bool has_sleepers() const noexcept { return sleepers_.load(std::memory_order_seq_cst) > 0; }
    void wake_sleepers() noexcept {
        if (!signalled_.exchange(true)) wake_.signal();
    }
    // Readable when a push met a sleeper; drain_wake() after waking up.
    int wake_fd() const noexcept { return wake_.get(); }
    // `readable`: the descriptor has been seen to be; else it is asked only if a signal is known
    // of.
    void drain_wake(bool readable) noexcept {
        // A signal may come later than its announcement, and then be seen only at the descriptor.
        if (readable || signalled_.load(std::memory_order_acquire)) drain();
    }

private:
    void drain() noexcept;
    void wake_trigger() noexcept;

    MpscQueue queue_;
    alignas(64) LocalAtomic<bool> popping_{false};
    LocalAtomic<int> sleepers_{0};          // on the descriptor
    LocalAtomic<int> trigger_sleepers_{0};  // on the condition
    LocalAtomic<bool> signalled_{false};
    EventFd wake_;
    std::mutex mutex_;
    std::condition_variable condition_;
};

}  // namespace cinnabar::hg
