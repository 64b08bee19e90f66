// SPDX-License-Identifier: BSD-3-Clause
// Last step of an RPC, at the origin: the response arrives, an overflowed output is fetched and
// acknowledged, the parts of the call come together, the user's callback is told.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"
#include "hg/wire/digest.hpp"
#include "hg/wire/response_header.hpp"

namespace cinnabar::hg {
namespace {

void on_ack_sent(const na_cb_info* info) noexcept {
    // A lost acknowledgement is the target's to notice; the output is here.
    end_part(*static_cast<hg_handle*>(info->arg));
}

void on_fetched(void* arg, hg_return_t ret) noexcept {
    auto& handle = *static_cast<hg_handle*>(arg);
    Overflow* overflow = end_fetch(handle);
    handle.out_overflow = overflow;
    handle.outcome.receive = ret;
    if (ret == HG_SUCCESS) handle.output = overflow_payload(*overflow);
    handle.parts.fetch_add(1, std::memory_order_relaxed);
    if (send_ack(handle, on_ack_sent) != HG_SUCCESS) end_part(handle);
    end_part(handle);
}

// True if a fetch was begun, which then ends the part.
bool fetch_output(hg_handle& handle, Payload descriptor) noexcept {
    // The fetch may end, and with it the call, before overflow_fetch() returns.
    ref_handle(handle);
    const hg_return_t ret =
        overflow_fetch({&handle.context(), handle.info.addr->na, handle.info.context_id, descriptor,
                        on_fetched, &handle},
                       &handle.fetching);
    if (ret != HG_SUCCESS)
        handle.outcome.receive = ret;
    else if (handle.cancelled.load())
        (void)cancel(handle);
    unref_handle(handle);
    return ret == HG_SUCCESS;
}

// What the response says, checked. True if the part goes on with a fetch.
bool read_response(hg_handle& handle, std::size_t received) noexcept {
    const hg_class& cls = handle.cls();
    ResponseHeader header;
    const std::size_t size = received < cls.response_start ? 0 : received - cls.response_start;
    hg_return_t ret = ResponseHeader::decode(handle.response(), size, header);
    if (ret == HG_SUCCESS)
        ret = verify(header, handle.response(), size - ResponseHeader::size,
                     cls.options.checksum_level);
    if (ret == HG_SUCCESS && header.ret == HG_SUCCESS &&
        header.payload_size >
            size - ResponseHeader::size - std::min(size - ResponseHeader::size, cls.out_offset))
        ret = HG_PROTOCOL_ERROR;
    if (ret != HG_SUCCESS) {
        handle.outcome.receive =
            fail(ret, "hg_rpc", "RPC {:#x}: the response is malformed ({} bytes): {}",
                 handle.info.id, size, HG_Error_to_string(ret));
        return false;
    }
    handle.outcome.remote = static_cast<hg_return_t>(header.ret);
    if (header.ret != HG_SUCCESS) return false;
    const Payload payload{handle.response() + ResponseHeader::size + cls.out_offset,
                          header.payload_size};
    const bool more_data = (header.flags & ResponseHeader::more_data) != 0;
    if (more_data && cls.more_data_acquire == nullptr) return fetch_output(handle, payload);
    handle.more_data = more_data;
    handle.output = payload;
    return false;
}

hg_return_t result_of(const hg_handle& handle) noexcept {
    const Outcome& outcome = handle.outcome;
    if (outcome.send == HG_SUCCESS || (!handle.no_response && outcome.receive == HG_SUCCESS))
        return outcome.receive != HG_SUCCESS ? outcome.receive : outcome.remote;
    return outcome.send;
}

void run_forward_callback(Completion& completion) noexcept {
    auto* handle = static_cast<hg_handle*>(completion.owner);
    if (handle->more_data) {
        acquire_more_output(*handle);
        return;
    }
    finish_forward(*handle, handle->outcome.remote);
}

}  // namespace

void on_response(const na_cb_info* info) noexcept {
    auto& handle = *static_cast<hg_handle*>(info->arg);
    if (info->ret != NA_SUCCESS) {
        handle.outcome.receive = from_na(info->ret);
        end_part(handle);
        return;
    }
    handle.context().counters.responses_received.one_more();
    if (read_response(handle, info->info.recv_expected.actual_buf_size)) return;
    end_part(handle);
}

void end_forward(hg_handle& handle) noexcept {
    complete_forward(handle, result_of(handle));
}

void complete_forward(hg_handle& handle, hg_return_t ret) noexcept {
    if (handle.callback == nullptr && !handle.more_data) {
        finish_forward(handle, ret);
        return;
    }
    handle.outcome.remote = ret;
    handle.completion.run = run_forward_callback;
    handle.context().completions.push(handle.completion);
}

void finish_forward(hg_handle& handle, hg_return_t ret) noexcept {
    hg_cb_info info{};
    info.info.forward.handle = &handle;
    info.arg = handle.callback_arg;
    info.type = HG_CB_FORWARD;
    info.ret = ret;
    const hg_cb_t callback = handle.callback;
    // Idle from here on: the callback may forward the handle again.
    handle.busy.store(false, std::memory_order_release);
    if (callback != nullptr) (void)callback(&info);
    unref_handle(handle);
}

}  // namespace cinnabar::hg
