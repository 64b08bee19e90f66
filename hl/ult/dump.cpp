// SPDX-License-Identifier: BSD-3-Clause
// What units there are and where they are parked. What is looked at changes under the pool's lock
// only, or not at all while a unit is parked: to run again it has to pass that lock.
#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <set>
#include <vector>

#include "hl/ult/coarse.hpp"
#include "hl/ult/stream.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// In the order of Wait.
constexpr std::array wait_words = {"event",     "eventual", "mutex",    "condition",
                                   "semaphore", "barrier",  "sleep",    "wait_any",
                                   "wait_all",  "call",     "transfer", "the close of an engine"};

}  // namespace

const char* lasting_name(const std::string& name) {
    static std::mutex mutex;
    // Never destroyed: units may run while the process ends.
    static auto& names = *new std::set<std::string>;
    const std::lock_guard lock(mutex);
    return names.insert(name).first->c_str();
}

Unit::~Unit() {
    // The stream that it runs on keeps the pool.
    if (listed_) pool_->unlist(*this);
}

void PoolCore::list(Unit& unit, StreamCore& stream) noexcept {
    const std::lock_guard lock(mutex_);
    unit.listed_ = true;
    unit.listed_next_ = listed_;
    if (listed_ != nullptr) listed_->listed_previous_ = &unit;
    listed_ = &unit;
    ++listed_count_;
    if (options.sticky) {
        unit.seat_ = &seat_of(stream);
        ++unit.seat_->bound;
    }
    stream.announce(nullptr, nullptr);
}

void PoolCore::unlist(Unit& unit) noexcept {
    const std::lock_guard lock(mutex_);
    Unit* const before = unit.listed_previous_;
    Unit* const after = unit.listed_next_;
    (before != nullptr ? before->listed_next_ : listed_) = after;
    if (after != nullptr) after->listed_previous_ = before;
    --listed_count_;
    if (unit.seat_ != nullptr) --unit.seat_->bound;
}

std::size_t PoolCore::most_units() const noexcept {
    const std::lock_guard lock(mutex_);
    return queued() + in_inbox() + listed_count_ + streams_.size();
}

void PoolCore::look(std::vector<Sight>& seen) const {
    const auto look_into = [&](const Level& level) {
        for (const UnitQueue* queue : {&level.resumed, &level.fresh})
            for (const Unit* unit = queue->first_; unit != nullptr; unit = unit->next_)
                seen.push_back({unit->name_, UnitState::ready, {}, 0});
    };
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        for (const auto& seat : seats_)
            look_into(seat->levels[i]);
        look_into(levels_[i]);
    }
    for (const StreamCore* stream : streams_) {
        const char* name = nullptr;
        if (stream->runs_for(*this, name)) seen.push_back({name, UnitState::running, {}, 0});
    }
    for (const Unit* unit = listed_; unit != nullptr; unit = unit->listed_next_) {
        if (unit->queued_) continue;
        if (unit->state_.load(std::memory_order_acquire) == Unit::State::parked)
            seen.push_back({unit->name_, UnitState::parked, unit->waits_for_, unit->since_});
        else
            seen.push_back({unit->name_, UnitState::running, {}, 0});
    }
}

std::vector<UnitInfo> PoolCore::units() {
    std::vector<Sight> seen;
    // Memory is asked for while the lock is open.
    for (;;) {
        seen.reserve(most_units());
        const std::lock_guard lock(mutex_);
        const std::lock_guard inbox(inbox_.lock);
        take_over_inbox();
        if (queued() + listed_count_ + streams_.size() > seen.capacity()) continue;
        look(seen);
        break;
    }
    const std::int64_t now = coarse_now();
    std::vector<UnitInfo> units;
    units.reserve(seen.size());
    for (const Sight& sight : seen) {
        UnitInfo& unit = units.emplace_back();
        unit.name = sight.name != nullptr ? sight.name : "unit";
        unit.state = sight.state;
        if (sight.state != UnitState::parked) continue;
        unit.waits_for = wait_words.at(static_cast<std::size_t>(sight.waits_for));
        unit.parked = std::chrono::nanoseconds(std::max<std::int64_t>(now - sight.since, 0));
    }
    return units;
}

}  // namespace detail

std::vector<UnitInfo> Pool::units() const {
    return core_->units();
}

std::string Pool::dump() const {
    const std::vector<UnitInfo> all = units();
    std::string text = "pool " + name() + ": " + std::to_string(all.size()) + " units\n";
    for (const UnitInfo& unit : all) {
        text += "  " + unit.name;
        if (unit.state == UnitState::parked) {
            std::array<char, 32> seconds{};
            (void)std::snprintf(seconds.data(), seconds.size(), "%.3f",
                                std::chrono::duration<double>(unit.parked).count());
            text +=
                " parked for " + std::string(seconds.data()) + " s, waits for " + unit.waits_for;
        } else {
            text += unit.state == UnitState::ready ? " ready" : " running";
        }
        text += '\n';
    }
    return text;
}

}  // namespace v1
}  // namespace cinnabar
