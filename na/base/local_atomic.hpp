// SPDX-License-Identifier: BSD-3-Clause
// An atomic word that only threads of this process use. While the process has one thread, its
// read-modify-write operations and sequentially consistent stores are plain ones: on x86-64 a
// locked instruction costs about twenty cycles, and a call passes dozens. As soon as a second
// thread is created the C library says so, before that thread starts; what was written until then
// is visible to it. The same idea as in libstdc++'s shared_ptr. Not for memory that is shared with
// other processes. Any thread.
#pragma once

#include <atomic>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace cinnabar {

inline bool has_one_thread() noexcept {
#if __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded != 0;
#else
    return false;
#endif
}

// The operations are those of std::atomic, with its defaults.
template <class T>
class LocalAtomic {
public:
    using Order = std::memory_order;

    constexpr LocalAtomic() noexcept : word_(T{}) {}
    constexpr LocalAtomic(T value) noexcept : word_(value) {}
    LocalAtomic(const LocalAtomic&) = delete;
    LocalAtomic& operator=(const LocalAtomic&) = delete;

    T load(Order order = Order::seq_cst) const noexcept { return word_.load(order); }
    operator T() const noexcept { return load(); }

    void store(T value, Order order = Order::seq_cst) noexcept {
        // Each call with an order that the compiler knows: else it takes the strongest.
        if (order == Order::seq_cst && has_one_thread())
            word_.store(value, Order::release);
        else
            word_.store(value, order);
    }

    T exchange(T value, Order order = Order::seq_cst) noexcept {
        if (!has_one_thread()) return word_.exchange(value, order);
        return replace(value);
    }

    T fetch_add(T amount, Order order = Order::seq_cst) noexcept {
        if (!has_one_thread()) return word_.fetch_add(amount, order);
        const T before = word_.load(Order::relaxed);
        word_.store(static_cast<T>(before + amount), Order::relaxed);
        return before;
    }

    T fetch_sub(T amount, Order order = Order::seq_cst) noexcept {
        if (!has_one_thread()) return word_.fetch_sub(amount, order);
        const T before = word_.load(Order::relaxed);
        word_.store(static_cast<T>(before - amount), Order::relaxed);
        return before;
    }

    bool compare_exchange_weak(T& expected, T desired, Order success = Order::seq_cst,
                               Order failure = Order::seq_cst) noexcept {
        if (!has_one_thread())
            return word_.compare_exchange_weak(expected, desired, success, failure);
        return compare_replace(expected, desired);
    }

    bool compare_exchange_strong(T& expected, T desired, Order success = Order::seq_cst,
                                 Order failure = Order::seq_cst) noexcept {
        if (!has_one_thread())
            return word_.compare_exchange_strong(expected, desired, success, failure);
        return compare_replace(expected, desired);
    }

private:
    T replace(T value) noexcept {
        const T before = word_.load(Order::relaxed);
        word_.store(value, Order::relaxed);
        return before;
    }

    bool compare_replace(T& expected, T desired) noexcept {
        const T seen = word_.load(Order::relaxed);
        if (seen == expected) {
            word_.store(desired, Order::relaxed);
            return true;
        }
        expected = seen;
        return false;
    }

    std::atomic<T> word_;
};

}  // namespace cinnabar
