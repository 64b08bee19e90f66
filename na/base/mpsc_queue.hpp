// SPDX-License-Identifier: BSD-3-Clause
// Intrusive multi-producer single-consumer queue: FIFO, one atomic exchange per push, the element
// is the node. After D. Vyukov, "Intrusive MPSC node-based queue". Push from any thread; pop from
// one thread at a time. A pushed element belongs to the queue until popped.
#pragma once

#include <atomic>

#include "na/base/local_atomic.hpp"

namespace cinnabar {

struct MpscNode {
    std::atomic<MpscNode*> next{nullptr};
};

class MpscQueue {
public:
    MpscQueue() noexcept : head_(&stub_), tail_(&stub_) {}
    MpscQueue(const MpscQueue&) = delete;
    MpscQueue& operator=(const MpscQueue&) = delete;

    // Sequentially consistent with empty(): of "push, then look for sleepers" and "announce a
    // sleeper, then look at empty()" at least one sees the other.
    void push(MpscNode& node) noexcept {
        node.next.store(nullptr, std::memory_order_relaxed);
        MpscNode* previous = head_.exchange(&node, std::memory_order_seq_cst);
        previous->next.store(&node, std::memory_order_release);
    }

    // The oldest element, or nullptr. May also give nullptr while a push is between its two steps;
    // the element appears once that push returns, so a producer must wake the consumer after
    // push().
    MpscNode* pop() noexcept {
        MpscNode* tail = tail_.load(std::memory_order_relaxed);
        MpscNode* next = tail->next.load(std::memory_order_acquire);
        if (tail == &stub_) {
            if (next == nullptr) return nullptr;
            tail_.store(next, std::memory_order_relaxed);
            tail = next;
            next = next->next.load(std::memory_order_acquire);
        }
        if (next != nullptr) {
            tail_.store(next, std::memory_order_relaxed);
            return tail;
        }
        if (tail != head_.load(std::memory_order_acquire)) return nullptr;
        push(stub_);
        next = tail->next.load(std::memory_order_acquire);
        if (next == nullptr) return nullptr;
        tail_.store(next, std::memory_order_relaxed);
        return tail;
    }

    // Whether nothing has been pushed that pop() has not returned. Any thread; a snapshot.
    bool empty() const noexcept {
        // The stub at the head is not enough: pop() appends it behind its last element, and gives
        // up if a push came between and is not over; then elements are in front of it. The head is
        // read first: what had been pushed by then is popped once the tail is the stub.
        return head_.load(std::memory_order_seq_cst) == &stub_ &&
               tail_.load(std::memory_order_relaxed) == &stub_;
    }

private:
    alignas(64) LocalAtomic<MpscNode*> head_;
    alignas(64) std::atomic<MpscNode*> tail_;  // written by the popping thread only
    MpscNode stub_;
};

}  // namespace cinnabar
