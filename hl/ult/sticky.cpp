// SPDX-License-Identifier: BSD-3-Clause
// Sticky pools: a unit that blocks or yields for the first time is bound to the stream that runs
// it. From then on it waits in the queues of that stream's seat, which no other stream looks into,
// and only that stream is woken for it. Units that have not begun wait in the pool's queues, for
// anybody. A stream that is to end begins no more units, and ends when none is bound to it.
#include <algorithm>
#include <mutex>

#include "hl/ult/stream.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

bool UnitQueue::is_before(const UnitQueue& other) const noexcept {
    return first_ != nullptr && (other.first_ == nullptr || first_->order_ < other.first_->order_);
}

Seat& PoolCore::seat_of(const StreamCore& stream) const noexcept {
    return **std::find_if(seats_.begin(), seats_.end(),
                          [&](const auto& seat) { return &seat->stream == &stream; });
}

bool PoolCore::has_fresh() const noexcept {
    return std::any_of(levels_.begin(), levels_.end(),
                       [](const Level& level) { return !level.fresh.empty(); });
}

// In the order in which a pool that is not sticky would give them.
Unit* PoolCore::take_sticky(const StreamCore& stream) noexcept {
    Seat& seat = seat_of(stream);
    const bool begins = !stream.stopping();
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        Level& own = seat.levels[i];
        UnitQueue* fresh = &own.fresh;
        if (UnitQueue& shared = levels_[i].fresh; begins && shared.is_before(*fresh))
            fresh = &shared;
        if (Unit* unit = take(own, *fresh)) {
            if (unit->seat_ != nullptr) --seat.ready;
            return unit;
        }
    }
    return nullptr;
}

bool PoolCore::ready_for(const StreamCore& stream) const noexcept {
    const std::lock_guard lock(mutex_);
    if (!options.sticky) {
        const std::lock_guard inbox(inbox_.lock);
        return queued() + in_inbox() != 0;
    }
    return seat_of(stream).ready != 0 || (!stream.stopping() && has_fresh());
}

bool PoolCore::binds(const StreamCore& stream) const noexcept {
    if (!options.sticky) return false;
    const std::lock_guard lock(mutex_);
    return seat_of(stream).bound != 0;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
