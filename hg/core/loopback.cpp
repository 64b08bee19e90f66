// SPDX-License-Identifier: BSD-3-Clause
// A call to oneself: the same handle is origin and target, nothing touches the net. What a user sees is
// the same: request, respond callback, forward callback, each from trigger.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

hg_handle& handle_of(Completion& completion) noexcept {
    return *static_cast<hg_handle*>(completion.owner);
}

void run_serve_locally(Completion& completion) noexcept {
    hg_handle& handle = handle_of(completion);
    RpcRecord* rpc = handle.cls().registry.find(handle.info.id);
    const hg_rpc_cb_t callback =
        rpc == nullptr ? nullptr : rpc->callback.load(std::memory_order_relaxed);
    if (callback == nullptr) {
        complete_forward(handle, rpc == nullptr ? HG_NOENTRY : HG_INVALID_ARG);
        return;
    }
    // One reference for the RPC callback, one until the response has been handed over.
    handle.references.fetch_add(handle.no_response ? 1 : 2, std::memory_order_relaxed);
    const bool one_way = handle.no_response;
    const hg_return_t ret = border("RPC callback", [&] { return callback(&handle); });
    // The forward's own reference keeps the handle; only an unanswered call is looked at.
    if (one_way) {
        complete_forward(handle, HG_SUCCESS);
        return;
    }
    if (!handle.responded && (ret != HG_SUCCESS || handle.failure != HG_SUCCESS))
        respond_error(handle, handle.failure != HG_SUCCESS ? handle.failure : ret);
}

void run_respond_callback(Completion& completion) noexcept {
    hg_handle& handle = handle_of(completion);
    hg_cb_info info{};
    info.info.respond.handle = &handle;
    info.arg = handle.respond_callback_arg;
    info.type = HG_CB_RESPOND;
    info.ret = HG_SUCCESS;
    (void) handle.respond_callback(&info);
    unref_handle(handle);
    complete_forward(handle, handle.outcome.receive);
}

}  // namespace

hg_return_t forward_locally(hg_handle& handle) noexcept {
    if (handle.in_overflow != nullptr) handle.input = overflow_payload(*handle.in_overflow);
    handle.responded = false;
    handle.failure = HG_SUCCESS;
    handle.input_released = false;
    handle.info.context_id = handle.context().id;
    handle.completion.run = run_serve_locally;
    handle.context().completions.push(handle.completion);
    return HG_SUCCESS;
}

void respond_locally(hg_handle& handle, hg_return_t code) noexcept {
    handle.outcome.receive = code;
    if (handle.out_overflow != nullptr) handle.output = overflow_payload(*handle.out_overflow);
    if (handle.respond_callback != nullptr) {
        handle.completion.run = run_respond_callback;
        handle.context().completions.push(handle.completion);
        return;
    }
    unref_handle(handle);
    complete_forward(handle, code);
}

}  // namespace cinnabar::hg
