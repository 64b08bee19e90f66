// SPDX-License-Identifier: BSD-3-Clause
// The RPCs of a class: a flat table, read without a lock by every arriving request, written under a
// mutex. Records are never freed before the class, so a handle may keep pointing to one that has
// been deregistered; registering the id again revives the same record.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "mercury_core.h"
#include "mercury_types.h"
#include "na/base/mutex.hpp"

namespace cinnabar::hg {

struct RpcRecord {
    explicit RpcRecord(hg_id_t rpc_id) noexcept : id(rpc_id) {}

    const hg_id_t id;
    std::atomic<bool> registered{false};
    std::atomic<bool> no_response{false};
    std::atomic<hg_proc_cb_t> in_proc{nullptr};
    std::atomic<hg_proc_cb_t> out_proc{nullptr};
    std::atomic<hg_rpc_cb_t> callback{nullptr};
    std::atomic<hg_core_rpc_cb_t> core_callback{nullptr};  // what `callback` calls at core level
    std::atomic<void*> data{nullptr};
    std::atomic<void (*)(void*)> data_free{nullptr};
};

class Registry {
public:
    Registry();
    ~Registry();  // runs the data free callbacks
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    // Registers or replaces; may throw bad_alloc.
    void put(hg_id_t id, hg_proc_cb_t in_proc, hg_proc_cb_t out_proc, hg_rpc_cb_t callback,
             hg_core_rpc_cb_t core_callback = nullptr);
    // The record if the id is registered, else nullptr. Any thread, no lock.
    RpcRecord* find(hg_id_t id) const noexcept;
    // False if unknown. The user's data is freed before it returns.
    bool remove(hg_id_t id);

private:
    struct Table {
        explicit Table(std::size_t capacity) : mask(capacity - 1), slots(capacity) {}
        std::size_t mask;
        std::vector<std::atomic<RpcRecord*>> slots;
    };
    static std::size_t slot_of(const Table& table, hg_id_t id) noexcept;
    RpcRecord* find_any(hg_id_t id) const noexcept;
    void insert(RpcRecord* record);

    mutable Mutex mutex_;
    std::atomic<Table*> table_;
    std::vector<std::unique_ptr<Table>>
        tables_;  // all there ever were: readers may hold an old one
    std::vector<std::unique_ptr<RpcRecord>> records_;
};

}  // namespace cinnabar::hg
