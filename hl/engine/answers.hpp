// SPDX-License-Identifier: BSD-3-Clause
// Answers that the network has not let go of yet. A caller that has been stopped may never take
// its answer: one that is late for its caller's deadline is taken back within a tenth of a second,
// and the close takes back all. Part of an engine; any thread.
#pragma once

#include <mercury.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "hl/ult/biased_lock.hpp"
#include "hl/ult/runtime.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class EngineCore;

class Answers final : private Alarm {
public:
    // One answer, from take() to drop(), or to the later of posted() and ended().
    struct Slot {
        explicit Slot(EngineCore& owner, std::size_t number) : engine(owner), shard(number) {}
        EngineCore& engine;
        const std::size_t shard;
        hg_handle_t handle = HG_HANDLE_NULL;  // once posted, until it has ended
        bool ended = false;
        std::optional<TimePoint> deadline;
    };

    Answers(EngineCore& engine, std::shared_ptr<Runtime> runtime);

    // The stream that makes progress, if it runs handlers too: its answers get a lock of its own.
    void set_owner(const StreamCore* progress) noexcept {
        shards_.front().lock.set_owner(progress);
    }

    // Before the answer is given to the network. Null: no memory.
    Slot* take(hg_handle_t handle, std::optional<TimePoint> deadline);
    // It has been given, and still holds the handle; or it could not be.
    void posted(Slot& slot, hg_handle_t handle) noexcept;
    void drop(Slot& slot) noexcept;
    // By its callback.
    void ended(Slot& slot) noexcept;

    // Hurries all that are out.
    void take_back_all() noexcept;
    // Nothing rings after this. When no answer is out any more.
    void close() noexcept;

private:
    struct Shard {
        BiasedLock lock{true};
        std::vector<std::unique_ptr<Slot>> all;
        std::vector<Slot*> free;  // has room for all
    };
    // One more, which is free.
    void make_slot(std::size_t number);
    void arm();
    void ring() noexcept override;

    EngineCore& engine_;
    const std::shared_ptr<Runtime> runtime_;
    std::array<Shard, 9> shards_;
    std::atomic<bool> armed_{false};
    std::mutex mutex_;  // of what follows, and of arming
    bool closed_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
