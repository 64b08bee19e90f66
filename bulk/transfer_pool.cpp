// SPDX-License-Identifier: BSD-3-Clause
#include "bulk/transfer_pool.hpp"

namespace cinnabar::bulk {

TransferPool::~TransferPool() {
    for (const auto& transfer : all_)
        for (Slot& slot : transfer->slots)
            if (slot.op != nullptr) NA_Op_destroy(context_.cls->na, slot.op);
}

hg_op_id& TransferPool::add() {
    auto made = std::make_unique<hg_op_id>();
    made->context = &context_;
    made->completion.owner = made.get();
    for (Slot& slot : made->slots)
        slot.transfer = made.get();
    MutexLock lock(mutex_);
    all_.push_back(std::move(made));
    return *all_.back();
}

TransferPool& TransferPool::make(hg_context& context) {
    TransferPool* pool = nullptr;
    auto made = std::make_unique<TransferPool>(context);
    context.transfers_free = [](TransferPool* each) noexcept { delete each; };
    if (context.transfers.compare_exchange_strong(pool, made.get())) return *made.release();
    return *pool;
}

}  // namespace cinnabar::bulk
