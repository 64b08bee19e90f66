// SPDX-License-Identifier: BSD-3-Clause
// Cancelling: asks every part of the present step to end early. The callback is the only result,
// once.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {

hg_return_t cancel(hg_handle& handle) noexcept {
    if (handle.local)
        return fail(HG_OPNOTSUPPORTED, "hg_rpc", "a call to oneself cannot be cancelled");
    handle.cancelled.store(true);
    const bool in_flight = handle.role == Role::origin
                               ? handle.busy.load(std::memory_order_acquire)
                               : handle.responded.load(std::memory_order_acquire);
    if (!in_flight) return HG_SUCCESS;
    hg_context& context = handle.context();
    for (na_op_id_t* op : {handle.send_op, handle.recv_op, handle.ack_op}) {
        // A target's receive is for the next request, not for this one.
        if (op == nullptr || (op == handle.recv_op && handle.role == Role::target)) continue;
        if (const na_return_t ret = NA_Cancel(context.cls->na, context.na, op); ret != NA_SUCCESS)
            return from_na(ret);
    }
    const std::lock_guard lock(context.fetch_mutex);
    if (Overflow* overflow = handle.fetching.load()) overflow_cancel(*overflow);
    return HG_SUCCESS;
}

void cancel_fetches(hg_context& context) noexcept {
    const std::lock_guard lock(context.fetch_mutex);
    for (const hg_handle* handle : context.pool.targets())
        if (Overflow* overflow = handle->fetching.load()) overflow_cancel(*overflow);
}

Overflow* end_fetch(hg_handle& handle) noexcept {
    const std::lock_guard lock(handle.context().fetch_mutex);
    return handle.fetching.exchange(nullptr);
}

}  // namespace cinnabar::hg
