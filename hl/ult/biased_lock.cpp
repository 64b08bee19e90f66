// SPDX-License-Identifier: BSD-3-Clause
// The owner says that it is inside, then looks whether a stranger is about; a stranger says so, has
// all processors order what they wrote, then waits until the owner is out. One of them sees the
// other.
#include "hl/ult/biased_lock.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "hl/ult/stream.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

bool membarrier(int command) noexcept {
    return ::syscall(SYS_membarrier, command, 0, 0) == 0;
}

bool register_process() noexcept {
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

// A stranger costs as much as some hundred locked instructions.
constexpr unsigned uses_worth_a_stranger = 256;
constexpr unsigned most_strikes = 16;

}  // namespace

bool has_heavy_fence() noexcept {
    static const bool has = register_process() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    return has;
}

void heavy_fence() noexcept {
    if (!has_heavy_fence() || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
    // A forked child is not registered.
    if (!register_process() || !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) std::abort();
}

const StreamCore* BiasedLock::current() noexcept {
    return StreamCore::current();
}

[[gnu::noinline]] void BiasedLock::lock_fully(const StreamCore* me) noexcept {
    mutex_.lock();
    const StreamCore* owner = bias_.load(std::memory_order_relaxed);
    if (owner != nullptr && owner != me) {
        bias_.store(nullptr, std::memory_order_seq_cst);
        heavy_fence();
        while (inside_.load(std::memory_order_acquire))
            std::this_thread::yield();
        meet_stranger();
    }
    by_owner_ = false;
}

void BiasedLock::meet_stranger() noexcept {
    if (uses_ - uses_seen_ < uses_worth_a_stranger && !strict_ && ++strikes_ >= most_strikes)
        owner_ = nullptr;
    uses_seen_ = uses_;
}

void BiasedLock::unlock_fully() noexcept {
    bias_.store(owner_, std::memory_order_release);
    mutex_.unlock();
}

void BiasedLock::assign(const StreamCore* owner) noexcept {
    owner_ = has_heavy_fence() ? owner : nullptr;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
