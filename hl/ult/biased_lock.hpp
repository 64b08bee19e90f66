// SPDX-License-Identifier: BSD-3-Clause
// A lock for a few instructions that one stream takes almost always: its owner pays no locked
// instruction for it. Anybody else takes it too, and pays a system call that has all processors
// agree on the order of what was written (membarrier). Without an owner, or where the system has no
// such call, it is a Lock. Held by what never blocks or suspends; nothing of it is touched after
// unlock() by its owner.
#pragma once

#include <atomic>

#include "cinnabar/lock.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class StreamCore;

// Between a store and a load by a thread that must be quick, and the other side of it: of two
// threads, one with either, one sees what the other has stored.
inline void light_fence() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
}
void heavy_fence() noexcept;
// Whether there is a heavy fence. If not, no light one may be relied on.
bool has_heavy_fence() noexcept;

class BiasedLock {
public:
    // `strict`: the owner stays. Otherwise the lock has none any more when too many others take it.
    explicit BiasedLock(bool strict = false) noexcept : strict_(strict) {}
    BiasedLock(const BiasedLock&) = delete;
    BiasedLock& operator=(const BiasedLock&) = delete;

    void lock() noexcept { lock_as(current()); }
    void unlock() noexcept {
        if (by_owner_)
            inside_.store(false, std::memory_order_release);
        else
            unlock_fully();
    }
    // lock() by the stream that the caller is, or null.
    void lock_as(const StreamCore* me) noexcept {
        if (owned_by(me)) {
            inside_.store(true, std::memory_order_relaxed);
            light_fence();
            if (bias_.load(std::memory_order_acquire) == me) {
                by_owner_ = true;
                ++uses_;
                return;
            }
            inside_.store(false, std::memory_order_release);
        }
        lock_fully(me);
    }
    // Whether that stream would take it cheaply.
    bool owned_by(const StreamCore* stream) const noexcept {
        return stream != nullptr && bias_.load(std::memory_order_relaxed) == stream;
    }
    bool owned_here() const noexcept { return owned_by(current()); }

    // Taken as by a stranger, to give it another owner. One that it had before runs no more, or
    // will be the only one again.
    void lock_fully() noexcept { lock_fully(current()); }
    void unlock_fully() noexcept;
    void assign(const StreamCore* owner) noexcept;  // while it is taken so
    void set_owner(const StreamCore* owner) noexcept {
        lock_fully();
        assign(owner);
        unlock_fully();
    }

private:
    static const StreamCore* current() noexcept;
    void lock_fully(const StreamCore* me) noexcept;
    void meet_stranger() noexcept;

    std::atomic<const StreamCore*> bias_{nullptr};  // the owner, unless a stranger is about
    std::atomic<bool> inside_{false};               // the owner is in, or looks
    bool by_owner_ = false;                         // how it is held
    const bool strict_;
    unsigned uses_ = 0;  // by the owner
    unsigned uses_seen_ = 0;
    unsigned strikes_ = 0;
    const StreamCore* owner_ = nullptr;
    Lock mutex_;  // of all but the owner
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
