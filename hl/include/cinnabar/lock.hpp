// SPDX-License-Identifier: BSD-3-Clause
// A lock for a few instructions: one locked instruction while nobody else wants it. Held by what
// must never block or suspend; whoever meets it held spins, and soon gives its processor away.
// Nothing of it is touched after unlock() has stored: the object may be gone then. Any thread.
#pragma once

#include <atomic>

#include "cinnabar/export.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class Lock {
public:
    void lock() noexcept {
        if (held_.exchange(true, std::memory_order_acquire)) wait();
    }
    bool try_lock() noexcept { return !held_.exchange(true, std::memory_order_acquire); }
    void unlock() noexcept { held_.store(false, std::memory_order_release); }

private:
    CINNABAR_API void wait() noexcept;

    std::atomic<bool> held_{false};
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
