// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/link.hpp"

namespace cinnabar::sm {

Link& LinkTable::add(std::unique_ptr<Link> link) {
    if (free_.empty()) {
        slots_.emplace_back();
        // Room for all of them: taking a link out allocates nothing.
        free_.reserve(slots_.capacity());
        free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
    }
    // Low slots first, so that doorbell bits stay few.
    link->slot = free_.back();
    free_.pop_back();
    Slot& slot = slots_[link->slot];
    link->watch = link->slot | std::uint64_t{slot.generation} << 32;
    slot.link = std::move(link);
    return *slot.link;
}

void LinkTable::name(Link& link) {
    names_.emplace(link.peer->key(link.peer_id), &link);
}

void LinkTable::unname(Link& link) noexcept {
    if (link.peer == nullptr) return;
    const void* key = link.peer->key(link.peer_id);
    const auto found = names_.find(key);
    if (found == names_.end() || found->second != &link) return;
    names_.erase(found);
    for (Cached& cached : cache_)
        if (cached.key == key) cached = {};
}

std::unique_ptr<Link> LinkTable::remove(Link& link) noexcept {
    unname(link);
    Slot& slot = slots_[link.slot];
    ++slot.generation;
    free_.push_back(link.slot);
    return std::move(slot.link);
}

Link* LinkTable::at_watch(std::uint64_t watch) const noexcept {
    const auto slot = static_cast<std::uint32_t>(watch);
    if (slot >= slots_.size() || slots_[slot].generation != watch >> 32) return nullptr;
    return slots_[slot].link.get();
}

Link* LinkTable::find_slowly(const void* key, Cached& cached) noexcept {
    const auto found = names_.find(key);
    if (found == names_.end()) return nullptr;
    cached = {key, found->second};
    return found->second;
}

}  // namespace cinnabar::sm
