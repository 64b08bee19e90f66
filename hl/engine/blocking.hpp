// SPDX-License-Identifier: BSD-3-Clause
// Calls in which a unit waits for nothing but the answer, without a deadline: nobody else knows
// them but the close, so they need no references, no event and no memory but the unit's stack.
// Their handles are kept for the next call of the same procedure at the same peer. Part of an
// engine; any thread.
#pragma once

#include <mercury.h>

#include <array>

#include "hl/ult/biased_lock.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

struct Address;
class BlockingCall;

// Handles that have been used and can be forwarded again, those used last first. Guarded by whoever
// has it.
class KeptHandles {
public:
    static constexpr std::size_t most = 32;
    // Null: there is none for that.
    hg_handle_t take(const Address& peer, hg_id_t id) noexcept;
    // Gives back what has no room: one that was there, or null.
    hg_handle_t keep(const Address& peer, hg_id_t id, hg_handle_t handle) noexcept;
    // Takes out those of that peer, all if it is null; how many they are.
    std::size_t take_all(const Address* peer, std::array<hg_handle_t, most>& handles) noexcept;

private:
    struct Kept {
        const Address* peer;
        hg_id_t id;
        hg_handle_t handle;
    };
    std::array<Kept, most> all_{};
    std::size_t count_ = 0;
    std::size_t next_out_ = 0;
};

class BlockingCalls {
public:
    struct Shard {
        BiasedLock lock;
        BlockingCall* first = nullptr;
        KeptHandles handles;
    };
    // The stream that makes progress, if it runs units too: its calls get a lock of its own.
    void set_owner(const StreamCore* progress) noexcept {
        shards_.front().lock.set_owner(progress);
    }
    Shard& shard_for(const void* call) noexcept;
    // Asks the network to give up all that are under way.
    void take_back_all() noexcept;
    // Destroys the handles that are kept, for one peer or all.
    void give_up_handles(const Address* peer = nullptr) noexcept;

private:
    std::array<Shard, 5> shards_;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
