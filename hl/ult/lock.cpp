// SPDX-License-Identifier: BSD-3-Clause
#include "cinnabar/lock.hpp"

#include <thread>

namespace cinnabar {
inline namespace v1 {
namespace detail {

void Lock::wait() noexcept {
    constexpr int spins = 100;
    do {
        for (int i = 0; held_.load(std::memory_order_relaxed); ++i)
            if (i >= spins) std::this_thread::yield();
    } while (held_.exchange(true, std::memory_order_acquire));
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
