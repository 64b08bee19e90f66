// SPDX-License-Identifier: BSD-3-Clause
// One context's state is touched by one thread at a time, without anybody waiting for it: a thread
// that finds another one inside leaves its task in a queue, and the one inside runs it before it
// leaves. So posting never blocks behind a poll, and a preempted thread delays only its own
// context's tasks. A task submitted from inside (a completion that posts) is queued too: no
// recursion, no deadlock.
#pragma once

#include <atomic>
#include <thread>
#include <utility>

#include "na/base/local_atomic.hpp"
#include "na/base/mpsc_queue.hpp"

namespace cinnabar::na::sdk {

// Something to be done inside. The owner of the object keeps it alive until `run` has been called;
// a task must not be submitted again before that.
struct Task : MpscNode {
    void (*run)(void* context, Task& task) noexcept = nullptr;
};

class Serial {
public:
    // True: this thread is inside and must call leave(). False: some thread (perhaps this one) is
    // inside.
    bool try_enter() noexcept {
        return !busy_.load(std::memory_order_relaxed) &&
               !busy_.exchange(true, std::memory_order_acquire);
    }

    // Inside: whether nobody has submitted anything that is not run yet.
    bool idle() const noexcept { return queue_.empty(); }

    // Inside: runs what others submitted so far, and stays inside.
    void run_pending(void* context) noexcept {
        while (MpscNode* node = queue_.pop()) {
            Task& task = static_cast<Task&>(*node);
            task.run(context, task);
        }
    }

    // Runs what others submitted, then leaves.
    [[gnu::always_inline]] void leave(void* context) noexcept {
        if (queue_.empty()) {
            if (has_one_thread()) {
                busy_.store(false, std::memory_order_relaxed);
                return;
            }
            busy_.store(false, std::memory_order_seq_cst);
            // A task pushed between the look and the store found the context busy: take it along.
            if (queue_.empty() || !try_enter()) return;
        }
        run_and_leave(context);
    }

    // Calls `now()` at once if nobody is inside; otherwise calls `later()`, which fills `task`, and
    // leaves the task to the thread inside. Returns true if it ran at once.
    template <class Now, class Later>
    bool run(void* context, Task& task, Now&& now, Later&& later) noexcept {
        if (try_enter()) {
            // What this thread submitted before must not be overtaken.
            if (!queue_.empty()) run_all(context);
            now();
            leave(context);
            return true;
        }
        later();
        submit(context, task);
        return false;
    }

private:
    // Seldom needed, and kept out of the way of what is.
    [[gnu::noinline]] void run_all(void* context) noexcept {
        while (!queue_.empty())
            run_pending(context);
    }
    [[gnu::noinline]] void run_and_leave(void* context) noexcept {
        do {
            run_pending(context);
            busy_.store(false, std::memory_order_seq_cst);
        } while (!queue_.empty() && try_enter());
    }
    [[gnu::noinline]] void submit(void* context, Task& task) noexcept {
        queue_.push(task);
        if (try_enter()) leave(context);
    }

    LocalAtomic<bool> busy_{false};
    MpscQueue queue_;
};

// The cancel side of an operation: level-triggered, so that a request made while an earlier one is
// still queued is not lost, and a stale one does not hit a later posting of the same operation.
class CancelRequest : public Task {
public:
    // Begins a posting; call it inside or before the operation is visible to others.
    void arm() noexcept {
        // Postings of one operation do not overlap: a load and a store do.
        posting_.store(posting_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    // Whether the present posting has been asked to end: for one that starts only now.
    bool asked() const noexcept {
        return wanted_.load(std::memory_order_seq_cst) == posting_.load(std::memory_order_relaxed);
    }

    // Any thread: asks for the present posting to be cancelled. True if the task must be submitted.
    bool ask() noexcept {
        wanted_.store(posting_.load(std::memory_order_relaxed), std::memory_order_seq_cst);
        int state = state_.load(std::memory_order_relaxed);
        while (state != asked_again) {
            const int asked_state = state == idle ? queued : asked_again;
            if (state_.compare_exchange_weak(state, asked_state)) return state == idle;
        }
        return false;
    }

    // Inside, when the task runs: whether the present posting is the one to cancel. Nothing of this
    // object is touched after the answer is known, unless it is yes: then the operation is still
    // posted.
    bool take() noexcept {
        for (;;) {
            const bool hit = asked();
            int state = queued;
            if (state_.compare_exchange_strong(state, idle)) return hit;
            // Asked once more meanwhile: look again.
            state_.store(queued);
        }
    }

    // Waits until no request is queued; before the operation's memory is given back. Short: the
    // thread inside the context runs it before it leaves.
    void drain() const noexcept {
        while (state_.load(std::memory_order_acquire) != idle)
            std::this_thread::yield();
    }

private:
    std::atomic<unsigned> posting_{0};
    LocalAtomic<unsigned> wanted_{0};
    enum State : int { idle, queued, asked_again };
    LocalAtomic<int> state_{idle};
};

}  // namespace cinnabar::na::sdk
