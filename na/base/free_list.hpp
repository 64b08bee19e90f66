// SPDX-License-Identifier: BSD-3-Clause
// Objects for re-use: intrusive stacks, lock-free, any thread. Each thread has a favourite stack
// and turns to the others when that one is empty or another thread is taking from it, so taking
// neither waits nor, but for a rare chance, comes back with nothing while objects are there.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "na/base/local_atomic.hpp"

namespace cinnabar {

// Spreads threads over stacks: a small number of its own for each thread.
std::size_t thread_number() noexcept;

// `Next` is the member of T that links the stack; it belongs to the list while the object is in it.
template <class T, T* T::*Next>
class FreeList {
public:
    void put(T& object) noexcept {
        if (has_one_thread()) {
            object.*Next = stacks_[0].ready;
            stacks_[0].ready = &object;
            return;
        }
        // Pushed one by one but taken over whole, so no element is re-used while another thread
        // still compares it.
        LocalAtomic<T*>& returned = stacks_[thread_number() % stack_count].returned;
        T* top = returned.load(std::memory_order_relaxed);
        do {
            object.*Next = top;
        } while (!returned.compare_exchange_weak(top, &object, std::memory_order_release,
                                                 std::memory_order_relaxed));
    }

    // An object, or nullptr: then make one.
    T* take() noexcept {
        if (has_one_thread() && stacks_[0].ready != nullptr) {
            T* object = stacks_[0].ready;
            stacks_[0].ready = object->*Next;
            return object;
        }
        const std::size_t favourite = thread_number();
        for (std::size_t i = 0; i < stack_count; ++i)
            if (T* object = take_from(stacks_[(favourite + i) % stack_count])) return object;
        return nullptr;
    }

private:
    static constexpr std::size_t stack_count = 8;

    struct alignas(64) Stack {
        LocalAtomic<T*> returned{nullptr};
        LocalAtomic<bool> taking{false};
        T* ready = nullptr;  // of the thread that is taking
    };

    static T* take_from(Stack& stack) noexcept {
        if (stack.taking.exchange(true, std::memory_order_acquire)) return nullptr;
        if (stack.ready == nullptr)
            stack.ready = stack.returned.exchange(nullptr, std::memory_order_acquire);
        T* object = stack.ready;
        if (object != nullptr) stack.ready = object->*Next;
        stack.taking.store(false, std::memory_order_release);
        return object;
    }

    std::array<Stack, stack_count> stacks_;
};

}  // namespace cinnabar
