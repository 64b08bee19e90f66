// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/registry.hpp"

namespace cinnabar::hg {
namespace {

constexpr std::size_t first_capacity = 256;

void free_data(RpcRecord& record) {
    void* data = record.data.exchange(nullptr);
    if (auto* release = record.data_free.exchange(nullptr); release != nullptr && data != nullptr)
        release(data);
}

}  // namespace

Registry::Registry() {
    tables_.push_back(std::make_unique<Table>(first_capacity));
    table_.store(tables_.back().get(), std::memory_order_release);
}

Registry::~Registry() {
    for (const auto& record : records_)
        free_data(*record);
}

std::size_t Registry::slot_of(const Table& table, hg_id_t id) noexcept {
    // Fibonacci hashing: ids are hashes already, but may carry a provider number in the low bits.
    return static_cast<std::size_t>((id * 0x9e3779b97f4a7c15ULL) >> 32) & table.mask;
}

RpcRecord* Registry::find_any(hg_id_t id) const noexcept {
    const Table& table = *table_.load(std::memory_order_acquire);
    for (std::size_t slot = slot_of(table, id);; slot = (slot + 1) & table.mask) {
        RpcRecord* record = table.slots[slot].load(std::memory_order_acquire);
        if (record == nullptr || record->id == id) return record;
    }
}

RpcRecord* Registry::find(hg_id_t id) const noexcept {
    RpcRecord* record = find_any(id);
    if (record == nullptr || !record->registered.load(std::memory_order_acquire)) return nullptr;
    return record;
}

void Registry::insert(RpcRecord* record) {
    Table* table = table_.load(std::memory_order_relaxed);
    std::size_t slot = slot_of(*table, record->id);
    while (table->slots[slot].load(std::memory_order_relaxed) != nullptr)
        slot = (slot + 1) & table->mask;
    table->slots[slot].store(record, std::memory_order_release);
}

void Registry::put(hg_id_t id, hg_proc_cb_t in_proc, hg_proc_cb_t out_proc, hg_rpc_cb_t callback,
                   hg_core_rpc_cb_t core_callback) {
    MutexLock lock(mutex_);
    RpcRecord* record = find_any(id);
    const bool is_new = record == nullptr;
    if (is_new) {
        records_.push_back(std::make_unique<RpcRecord>(id));
        record = records_.back().get();
    }
    record->in_proc.store(in_proc, std::memory_order_relaxed);
    record->out_proc.store(out_proc, std::memory_order_relaxed);
    record->core_callback.store(core_callback, std::memory_order_relaxed);
    record->callback.store(callback, std::memory_order_relaxed);
    record->registered.store(true, std::memory_order_release);
    if (!is_new) return;
    // At most half full, so that probing stays short and always finds an empty slot.
    if (records_.size() * 2 > tables_.back()->slots.size()) {
        tables_.push_back(std::make_unique<Table>(tables_.back()->slots.size() * 2));
        Table* grown = tables_.back().get();
        for (const auto& each : records_) {
            std::size_t slot = slot_of(*grown, each->id);
            while (grown->slots[slot].load(std::memory_order_relaxed) != nullptr)
                slot = (slot + 1) & grown->mask;
            grown->slots[slot].store(each.get(), std::memory_order_relaxed);
        }
        table_.store(grown, std::memory_order_release);
        return;
    }
    insert(record);
}

bool Registry::remove(hg_id_t id) {
    RpcRecord* record = nullptr;
    {
        MutexLock lock(mutex_);
        record = find_any(id);
        if (record == nullptr || !record->registered.exchange(false)) return false;
        record->no_response.store(false);
    }
    // User code: outside the lock.
    free_data(*record);
    return true;
}

}  // namespace cinnabar::hg
