// SPDX-License-Identifier: BSD-3-Clause
// The transfers of a context, for re-use. Made when the context starts its first one.
#pragma once

#include <memory>
#include <vector>

#include "bulk/transfer.hpp"
#include "hg/core/context.hpp"
#include "na/base/free_list.hpp"
#include "na/base/mutex.hpp"

namespace cinnabar::bulk {

class TransferPool {
public:
    explicit TransferPool(hg_context& context) noexcept : context_(context) {}
    ~TransferPool();
    TransferPool(const TransferPool&) = delete;
    TransferPool& operator=(const TransferPool&) = delete;

    // A blank transfer; may throw bad_alloc. Never waits.
    hg_op_id& acquire() {
        hg_op_id* transfer = free_.take();
        return transfer != nullptr ? *transfer : add();
    }
    void release(hg_op_id& transfer) noexcept { free_.put(transfer); }

    // The pool of a context, made on first use; may throw bad_alloc.
    static TransferPool& of(hg_context& context) {
        TransferPool* pool = context.transfers.load(std::memory_order_acquire);
        return pool != nullptr ? *pool : make(context);
    }

private:
    static TransferPool& make(hg_context& context);
    hg_op_id& add();

    hg_context& context_;
    FreeList<hg_op_id, &hg_op_id::next_in_pool> free_;
    Mutex mutex_;
    std::vector<std::unique_ptr<hg_op_id>> all_;
};

}  // namespace cinnabar::bulk
