// SPDX-License-Identifier: BSD-3-Clause
#include "hl/engine/answers.hpp"

#include <new>

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::chrono::milliseconds tick(100);
// A handle leads to its shard, and which handle a request gets depends on how many are under way:
// so each shard has slots before it is used, and one that is met late costs no allocation then.
constexpr int slots_of_shard = 4;

}  // namespace

Answers::Answers(EngineCore& engine, std::shared_ptr<Runtime> runtime)
    : engine_(engine), runtime_(std::move(runtime)) {
    for (std::size_t number = 0; number < shards_.size(); ++number)
        for (int i = 0; i < slots_of_shard; ++i)
            make_slot(number);
}

void Answers::make_slot(std::size_t number) {
    Shard& shard = shards_[number];
    shard.free.reserve(shard.all.size() + 1);
    shard.all.push_back(std::make_unique<Slot>(engine_, number));
    shard.free.push_back(shard.all.back().get());
}

Answers::Slot* Answers::take(hg_handle_t handle, std::optional<TimePoint> deadline) {
    const std::size_t number =
        shards_.front().lock.owned_here()
            ? 0
            : 1 + reinterpret_cast<std::uintptr_t>(handle) / 256 % (shards_.size() - 1);
    Shard& shard = shards_[number];
    Slot* slot = nullptr;
    try {
        const std::lock_guard lock(shard.lock);
        if (shard.free.empty()) make_slot(number);
        slot = shard.free.back();
        shard.free.pop_back();
        slot->deadline = deadline;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    if (deadline && !armed_.exchange(true)) arm();
    return slot;
}

void Answers::posted(Slot& slot, hg_handle_t handle) noexcept {
    Shard& shard = shards_[slot.shard];
    const std::lock_guard lock(shard.lock);
    if (!slot.ended) {
        slot.handle = handle;
        return;
    }
    slot.ended = false;
    shard.free.push_back(&slot);
}

void Answers::drop(Slot& slot) noexcept {
    Shard& shard = shards_[slot.shard];
    const std::lock_guard lock(shard.lock);
    shard.free.push_back(&slot);
}

void Answers::ended(Slot& slot) noexcept {
    Shard& shard = shards_[slot.shard];
    const std::lock_guard lock(shard.lock);
    if (slot.handle == HG_HANDLE_NULL) {
        slot.ended = true;  // posted() comes yet
        return;
    }
    slot.handle = HG_HANDLE_NULL;
    shard.free.push_back(&slot);
}

// The handles are valid: their callbacks, which must run yet, wait for the lock.
void Answers::take_back_all() noexcept {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.lock);
        for (const std::unique_ptr<Slot>& slot : shard.all)
            if (slot->handle != HG_HANDLE_NULL) (void)HG_Cancel(slot->handle);
    }
}

void Answers::arm() {
    const std::lock_guard lock(mutex_);
    if (!closed_) runtime_->timer.arm(*this, Clock::now() + tick);
}

void Answers::ring() noexcept {
    armed_ = false;
    const TimePoint now = Clock::now();
    bool more = false;
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.lock);
        for (const std::unique_ptr<Slot>& slot : shard.all) {
            if (slot->handle == HG_HANDLE_NULL || !slot->deadline) continue;
            if (*slot->deadline > now) {
                more = true;
            } else {
                slot->deadline.reset();
                (void)HG_Cancel(slot->handle);
            }
        }
    }
    if (more && !armed_.exchange(true)) arm();
}

void Answers::close() noexcept {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    runtime_->timer.disarm(*this);
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
