// SPDX-License-Identifier: BSD-3-Clause
// A call to oneself: nothing touches the net, but the target has a handle of its own, so that users
// see the same as from a remote call: request, respond callback, forward callback, each from
// trigger, and two handles that live independently. Payloads are copied between them; large ones
// are shared.
#include <cstring>

#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"
#include "hg/wire/request_header.hpp"
#include "hg/wire/response_header.hpp"

namespace cinnabar::hg {
namespace {

// The payload of a message and the custom area in front of it, from one buffer to another.
Payload copy_message(char* to, const char* from, std::size_t custom, Payload payload) noexcept {
    std::memcpy(to, from, custom + payload.size);
    return {payload.data == nullptr ? nullptr : to + custom, payload.size};
}

hg_return_t make_target(hg_handle& origin, RpcRecord* rpc, hg_handle** made) {
    hg_context& context = origin.context();
    hg_handle* target = nullptr;
    if (const hg_return_t ret = context.pool.acquire_local(&target); ret != HG_SUCCESS) return ret;
    target->info.addr = dup_address(origin.info.addr);
    target->info.id = origin.info.id;
    target->info.context_id = context.id;
    target->rpc = rpc;
    target->origin = &origin;
    target->local = true;
    target->no_response = origin.no_response;
    target->responded.store(false, std::memory_order_relaxed);
    target->failure = HG_SUCCESS;
    target->input_released = false;
    target->references.store(origin.no_response ? 1 : 2, std::memory_order_relaxed);
    context.targets_in_use.fetch_add(1, std::memory_order_relaxed);
    const Payload eager = origin.in_overflow != nullptr ? Payload{} : origin.input;
    target->input =
        copy_message(target->request() + RequestHeader::size,
                     origin.request() + RequestHeader::size, origin.cls().in_offset, eager);
    if (origin.in_overflow != nullptr) {
        target->in_overflow = overflow_share(origin.in_overflow);
        target->input = overflow_payload(*target->in_overflow);
    }
    *made = target;
    return HG_SUCCESS;
}

void run_serve_locally(Completion& completion) noexcept {
    hg_handle& origin = *static_cast<hg_handle*>(completion.owner);
    RpcRecord* rpc = origin.cls().registry.find(origin.info.id);
    if (rpc == nullptr || rpc->callback.load(std::memory_order_relaxed) == nullptr) {
        complete_forward(origin, rpc == nullptr ? HG_NOENTRY : HG_INVALID_ARG);
        return;
    }
    hg_handle* target = nullptr;
    const hg_return_t ret =
        border("a call to oneself", [&] { return make_target(origin, rpc, &target); });
    if (ret != HG_SUCCESS) {
        complete_forward(origin, ret);
        return;
    }
    // The target has all it needs: a one-way call is over for its origin.
    if (origin.no_response) complete_forward(origin, HG_SUCCESS);
    serve(*target);
}

}  // namespace

hg_return_t forward_locally(hg_handle& handle) noexcept {
    if (handle.in_overflow != nullptr) handle.input = overflow_payload(*handle.in_overflow);
    handle.completion.run = run_serve_locally;
    handle.context().completions.push(handle.completion);
    return HG_SUCCESS;
}

void respond_locally(hg_handle& target, hg_return_t code) noexcept {
    hg_handle& origin = *target.origin;
    if (code == HG_SUCCESS)
        origin.output = copy_message(
            origin.response() + ResponseHeader::size, target.response() + ResponseHeader::size,
            origin.cls().out_offset, target.out_overflow != nullptr ? Payload{} : target.output);
    if (target.out_overflow != nullptr) {
        origin.out_overflow = overflow_share(target.out_overflow);
        origin.output = overflow_payload(*origin.out_overflow);
    }
    target.outcome = {};
    complete_respond(target);
    complete_forward(origin, code);
}

}  // namespace cinnabar::hg
