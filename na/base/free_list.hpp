// SPDX-License-Identifier: BSD-3-Clause
// A stack of objects for re-use: intrusive, lock-free, any thread. Taking never waits: if another thread
// is taking, it gives nothing and the caller makes a new object.
#pragma once

#include <atomic>

namespace cinnabar {

// `Next` is the member of T that links the stack; it belongs to the list while the object is in it.
template <class T, T* T::*Next>
class FreeList {
public:
    void put(T& object) noexcept {
        // Pushed one by one but taken over whole, so no element is re-used while another thread still
        // compares it.
        T* top = returned_.load(std::memory_order_relaxed);
        do {
            object.*Next = top;
        } while (!returned_.compare_exchange_weak(top, &object, std::memory_order_release,
                                                  std::memory_order_relaxed));
    }

    T* take() noexcept {
        if (taking_.exchange(true, std::memory_order_acquire)) return nullptr;
        if (ready_ == nullptr) ready_ = returned_.exchange(nullptr, std::memory_order_acquire);
        T* object = ready_;
        if (object != nullptr) ready_ = object->*Next;
        taking_.store(false, std::memory_order_release);
        return object;
    }

private:
    std::atomic<T*> returned_{nullptr};
    std::atomic<bool> taking_{false};
    T* ready_ = nullptr;  // of the thread that is taking
};

}  // namespace cinnabar
