// SPDX-License-Identifier: BSD-3-Clause
#include "bulk/transfer.hpp"

#include <algorithm>

#include "bulk/local_copy.hpp"
#include "bulk/segment.hpp"
#include "bulk/transfer_pool.hpp"
#include "hg/core/context.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::bulk {
namespace {

using hg::fail;
using hg::from_na;

void finish(hg_op_id& transfer) noexcept {
    const TransferRequest& request = transfer.request;
    const TransferDone& done = transfer.done;
    hg_context& context = *transfer.context;
    if (transfer.remote != nullptr) NA_Addr_free(context.cls->na, transfer.remote);
    if (done.internal != nullptr) {
        done.internal(done.arg, transfer.ret);
    } else if (done.callback != nullptr) {
        hg_cb_info info{};
        info.info.bulk = {request.origin, request.local, request.op, request.size};
        info.arg = done.arg;
        info.type = HG_CB_BULK;
        info.ret = transfer.ret;
        (void)done.callback(&info);
    }
    hg_bulk* const origin = request.origin;
    hg_bulk* const local = request.local;
    // The op id is valid until here: a cancel from within the callback does no harm.
    TransferPool::of(context).release(transfer);
    unref_region(origin);
    unref_region(local);
    context.internal_ops.fetch_sub(1, std::memory_order_release);
}

void run_finish(hg::Completion& completion) noexcept {
    finish(*static_cast<hg_op_id*>(completion.owner));
}

// Makes the result known.
void tell(hg_op_id& transfer) noexcept {
    if (transfer.done.internal != nullptr) {
        finish(transfer);
        return;
    }
    transfer.completion.run = run_finish;
    transfer.context->completions.push(transfer.completion);
}

void complete(hg_op_id& transfer) noexcept {
    if (transfer.cancelled.load() && transfer.ret == HG_SUCCESS && !transfer.exhausted)
        transfer.ret = HG_CANCELED;
    tell(transfer);
}

void pump(hg_op_id& transfer) noexcept;

void on_step(const na_cb_info* info) noexcept {
    auto& slot = *static_cast<Slot*>(info->arg);
    slot.ret = from_na(info->ret);
    hg_op_id& transfer = *slot.transfer;
    slot.state.store(Slot::ended, std::memory_order_release);
    pump(transfer);
}

hg_return_t post_step(hg_op_id& transfer, Slot& slot, const Step& step, na_addr_t* remote,
                      na_cb_t callback) noexcept {
    const TransferRequest& request = transfer.request;
    na_class_t* na = transfer.context->cls->na;
    const auto start = request.op == HG_BULK_PULL ? NA_Get : NA_Put;
    return from_na(start(na, transfer.context->na, callback, &slot,
                         request.local->handles[step.local_piece], step.local_offset,
                         request.origin->handles[step.remote_piece], step.remote_offset, step.size,
                         remote, request.origin_id, slot.op));
}

// Before the slot's state is "posted": cancel_transfer() reads the operation of posted slots.
hg_return_t provide_op(hg_op_id& transfer, Slot& slot) noexcept {
    if (slot.op == nullptr) slot.op = NA_Op_create(transfer.context->cls->na, NA_OP_SINGLE);
    return slot.op == nullptr ? HG_NOMEM : HG_SUCCESS;
}

// Takes in a step that has ended. True if the slot is free.
bool harvest(hg_op_id& transfer, Slot& slot) noexcept {
    const int state = slot.state.load(std::memory_order_acquire);
    if (state != Slot::ended) return state == Slot::free;
    if (slot.ret != HG_SUCCESS && transfer.ret == HG_SUCCESS) transfer.ret = slot.ret;
    slot.state.store(Slot::free, std::memory_order_relaxed);
    return true;
}

// Posts the next step on a free slot. False if there is none, or it could not be posted.
bool post_next(hg_op_id& transfer, Slot& slot) noexcept {
    Step step;
    if (!transfer.plan.next(step)) {
        transfer.exhausted = true;
        return false;
    }
    if (const hg_return_t ret = provide_op(transfer, slot); ret != HG_SUCCESS) {
        transfer.ret = ret;
        return false;
    }
    slot.state.store(Slot::posted, std::memory_order_release);
    ++transfer.posts;
    const hg_return_t ret = post_step(transfer, slot, step, transfer.remote, on_step);
    if (ret != HG_SUCCESS) {
        --transfer.posts;
        slot.state.store(Slot::free, std::memory_order_relaxed);
        transfer.ret = ret;
        return false;
    }
    // cancel_transfer() may have passed this slot before it was posted.
    if (transfer.cancelled.load())
        (void)NA_Cancel(transfer.context->cls->na, transfer.context->na, slot.op);
    return true;
}

bool has_more(const hg_op_id& transfer) noexcept {
    return !transfer.exhausted && transfer.ret == HG_SUCCESS && !transfer.cancelled.load();
}

// Takes in what has ended and posts what can be posted. True if nothing is in flight nor left to
// do. Slots are used from the first on, so what was never used need not be looked at.
bool pump_once(hg_op_id& transfer) noexcept {
    bool in_flight = false;
    for (std::size_t i = 0; i < window; ++i) {
        if (i >= transfer.slots_used) {
            if (!has_more(transfer)) break;
            transfer.slots_used = i + 1;
        }
        Slot& slot = transfer.slots[i];
        while (harvest(transfer, slot) && has_more(transfer) && post_next(transfer, slot)) {
        }
        if (slot.state.load(std::memory_order_acquire) != Slot::free) in_flight = true;
    }
    return !in_flight && !has_more(transfer);
}

// Steps end in any thread, also inside their own posting: whoever comes first pumps, the others
// leave a request, so that the transfer's state is touched by one thread at a time. The request is
// the last thing that a step does to the transfer, so it may be recycled when each post has left
// its one.
void pump(hg_op_id& transfer) noexcept {
    if (transfer.pump_requests.fetch_add(1, std::memory_order_acq_rel) != 0) return;
    int seen = 1;
    for (;;) {
        transfer.requests_seen += seen;
        if (pump_once(transfer) && transfer.requests_seen == transfer.posts + 1) {
            complete(transfer);
            return;
        }
        const int before = transfer.pump_requests.fetch_sub(seen, std::memory_order_acq_rel);
        if (before == seen) return;
        seen = before - seen;
    }
}

// Most transfers are one step. It needs no pump: where it ends, the transfer ends.
void on_only_step(const na_cb_info* info) noexcept {
    auto& slot = *static_cast<Slot*>(info->arg);
    slot.state.store(Slot::free, std::memory_order_relaxed);
    slot.transfer->ret = from_na(info->ret);
    tell(*slot.transfer);
}

// Moves all inside the call where the net can: then there is no operation, and no callback of it.
na_return_t try_now(const hg_op_id& transfer, na_addr_t* remote) noexcept {
    const TransferRequest& request = transfer.request;
    const auto move = request.op == HG_BULK_PULL ? NA_Try_get : NA_Try_put;
    return move(transfer.context->cls->na, transfer.context->na, request.local->handles[0],
                request.local_offset, request.origin->handles[0], request.origin_offset,
                request.size, remote, request.origin_id);
}

// After a successful post the transfer is not touched: it may be over and recycled. A cancel that
// comes before the post would be lost, so this is not for transfers that others can see earlier.
hg_return_t post_only_step(hg_op_id& transfer, na_addr_t* remote) noexcept {
    transfer.slots_used = 1;
    Slot& slot = transfer.slots[0];
    if (const hg_return_t ret = provide_op(transfer, slot); ret != HG_SUCCESS) return ret;
    slot.state.store(Slot::posted, std::memory_order_release);
    const TransferRequest& request = transfer.request;
    const hg_return_t ret =
        post_step(transfer, slot, {0, request.local_offset, 0, request.origin_offset, request.size},
                  remote, on_only_step);
    if (ret != HG_SUCCESS) slot.state.store(Slot::free, std::memory_order_relaxed);
    return ret;
}

void start_only_step(hg_op_id& transfer, na_addr_t* remote) noexcept {
    const na_return_t moved = try_now(transfer, remote);
    hg_return_t ret = from_na(moved);
    if (moved == NA_AGAIN) {
        ret = post_only_step(transfer, remote);
        if (ret == HG_SUCCESS) return;
    }
    transfer.ret = ret;
    tell(transfer);
}

}  // namespace

hg_return_t check_transfer(const hg_context& context, const TransferRequest& request) {
    if (request.origin == nullptr || request.local == nullptr || request.origin_addr == nullptr)
        return HG_INVALID_ARG;
    if (!in_range(request.origin_offset, request.size, request.origin->length))
        return fail(HG_INVALID_ARG, "hg_bulk", "{} bytes at {} exceed the origin's {}",
                    request.size, request.origin_offset, request.origin->length);
    if (!in_range(request.local_offset, request.size, request.local->length))
        return fail(HG_INVALID_ARG, "hg_bulk", "{} bytes at {} exceed the local region's {}",
                    request.size, request.local_offset, request.local->length);
    if (request.op != HG_BULK_PULL && request.op != HG_BULK_PUSH) return HG_INVALID_ARG;
    const bool pull = request.op == HG_BULK_PULL;
    const int from_origin = pull ? HG_BULK_READ_ONLY : HG_BULK_WRITE_ONLY;
    const int from_local = pull ? HG_BULK_WRITE_ONLY : HG_BULK_READ_ONLY;
    if ((request.origin->permissions & from_origin) == 0 ||
        (request.local->permissions & from_local) == 0)
        return fail(HG_PERMISSION, "hg_bulk", "the regions do not permit a {}",
                    pull ? "pull" : "push");
    if (request.local->remote)
        return fail(HG_INVALID_ARG, "hg_bulk", "the local region is a peer's");
    if (request.origin->cls != context.cls || request.local->cls != context.cls ||
        request.origin_addr->cls != context.cls)
        return fail(HG_INVALID_ARG, "hg_bulk",
                    "regions, address and context are of different classes");
    return HG_SUCCESS;
}

namespace {

// Whether the bytes of the origin are in this process: our own region, or data that came along.
bool is_local_copy(const TransferRequest& request) noexcept {
    if (request.origin_addr != nullptr && request.origin_addr->self && !request.origin->remote)
        return true;
    return request.op == HG_BULK_PULL && request.origin->remote && !request.origin->eager.empty();
}

// Whether each side lies in one memory handle of the net.
bool is_one_step(const TransferRequest& request) noexcept {
    return request.local->handles.size() == 1 && request.origin->handles.size() == 1;
}

void prepare(hg_op_id& transfer) noexcept {
    transfer.remote = nullptr;
    transfer.ret = HG_SUCCESS;
    transfer.cancelled.store(false, std::memory_order_relaxed);
    ref_region(*transfer.request.origin);
    ref_region(*transfer.request.local);
    transfer.context->internal_ops.fetch_add(1, std::memory_order_relaxed);
    if (transfer.done.id != nullptr) transfer.done.id->store(&transfer);
}

// What only the pump needs.
void prepare_to_pump(hg_op_id& transfer, na_addr_t* remote) noexcept {
    transfer.exhausted = false;
    transfer.pump_requests.store(0, std::memory_order_relaxed);
    transfer.requests_seen = 0;
    transfer.posts = 0;
    transfer.slots_used = 0;
    const TransferRequest& request = transfer.request;
    // The address stays alive as long as there are steps to post.
    (void)NA_Addr_dup(transfer.context->cls->na, remote, &transfer.remote);
    transfer.plan = Plan(request.local->lengths, request.local_offset, request.origin->lengths,
                         request.origin_offset, request.size);
}

void copy_now(const TransferRequest& request) {
    const Range origin{request.origin->segments, request.origin_offset};
    const Range local{request.local->segments, request.local_offset};
    if (request.op == HG_BULK_PULL)
        copy(local, origin, request.size);
    else
        copy(origin, local, request.size);
}

}  // namespace

hg_op_id& new_transfer(hg_context& context) {
    return TransferPool::of(context).acquire();
}

void abandon_transfer(hg_op_id& transfer) noexcept {
    TransferPool::of(*transfer.context).release(transfer);
}

void start_transfer(hg_op_id& transfer, na_addr_t* remote, hg_op_id** op_id) noexcept {
    const TransferRequest& request = transfer.request;
    prepare(transfer);
    if (op_id != nullptr) *op_id = &transfer;
    if (request.size == 0 || is_local_copy(request)) {
        if (request.size > 0) copy_now(request);
        tell(transfer);
        return;
    }
    if (is_one_step(request) && transfer.done.id == nullptr) {
        start_only_step(transfer, remote);
        return;
    }
    prepare_to_pump(transfer, remote);
    pump(transfer);
}

void cancel_transfer(hg_op_id& transfer) noexcept {
    transfer.cancelled.store(true);
    for (Slot& slot : transfer.slots)
        if (slot.state.load(std::memory_order_acquire) == Slot::posted)
            (void)NA_Cancel(transfer.context->cls->na, transfer.context->na, slot.op);
}

}  // namespace cinnabar::bulk
