// SPDX-License-Identifier: BSD-3-Clause
// Second step of an RPC, at the target: a request arrives, is checked, an overflowed payload is
// fetched, and at trigger the registered callback is called. Every request that wants a response
// gets one, if only an error.
#include <algorithm>

#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"
#include "hg/wire/digest.hpp"
#include "hg/wire/request_header.hpp"

namespace cinnabar::hg {
namespace {

// How many receives may be left before more are made: enough to bridge the making.
constexpr int low_water = 8;
// Made at a time, so that progress is not held up for long.
constexpr std::uint32_t growth_step = 64;

// How many receives are posted where fewest are: those of another net take no message of this one.
int scarcest(const hg_context& context, int left) noexcept {
    if (context.net_receives == nullptr) return left;
    return std::min(context.net_receives[0].load(std::memory_order_relaxed),
                    context.net_receives[1].load(std::memory_order_relaxed));
}

void run_serve(Completion& completion) noexcept {
    serve(*static_cast<hg_handle*>(completion.owner));
}

void on_ack_sent(const na_cb_info* info) noexcept {
    unref_handle(*static_cast<hg_handle*>(info->arg));
}

void on_fetched(void* arg, hg_return_t ret) noexcept {
    auto& handle = *static_cast<hg_handle*>(arg);
    handle.in_overflow = end_fetch(handle);
    if (ret != HG_SUCCESS) {
        (void)fail(ret, "hg_rpc", "RPC {:#x}: the arguments cannot be fetched: {}", handle.info.id,
                   HG_Error_to_string(ret));
        refuse(handle, ret);
        return;
    }
    handle.input = overflow_payload(*handle.in_overflow);
    if (handle.owes_ack) acknowledge(handle);
    enqueue_request(handle);
}

hg_return_t accept(hg_handle& handle, std::size_t received) noexcept {
    const hg_class& cls = handle.cls();
    RequestHeader header;
    const std::size_t size = received < cls.request_start ? 0 : received - cls.request_start;
    hg_return_t ret = RequestHeader::decode(handle.request(), size, header);
    if (ret == HG_SUCCESS)
        ret = verify(header, handle.request(), size - RequestHeader::size,
                     cls.options.checksum_level);
    handle.info.id = header.rpc_id;
    handle.info.context_id = header.context_id;
    handle.no_response = ret == HG_SUCCESS && (header.flags & RequestHeader::no_response) != 0;
    if (ret != HG_SUCCESS) return ret;
    const std::size_t behind_header = size - RequestHeader::size;
    if (cls.in_offset > behind_header || header.payload_size > behind_header - cls.in_offset)
        return HG_PROTOCOL_ERROR;
    const Payload payload{handle.request() + RequestHeader::size + cls.in_offset,
                          header.payload_size};
    handle.references.store(handle.no_response ? 1 : 2, std::memory_order_relaxed);
    if ((header.flags & RequestHeader::more_data) == 0) {
        handle.input = payload;
        enqueue_request(handle);
        return HG_SUCCESS;
    }
    handle.owes_ack = handle.no_response;
    if (cls.more_data_acquire != nullptr) {
        handle.input = payload;
        handle.more_data = true;
        enqueue_request(handle);
        return HG_SUCCESS;
    }
    return overflow_fetch(
        {&handle.context(), handle.source.na, handle.info.context_id, payload, on_fetched, &handle},
        &handle.fetching);
}

void on_request(const na_cb_info* info) noexcept {
    auto& handle = *static_cast<hg_handle*>(info->arg);
    hg_context& context = handle.context();
    const int left = context.receives_posted.fetch_sub(1, std::memory_order_acq_rel) - 1;
    if (info->ret != NA_SUCCESS) {
        if (info->ret == NA_CANCELED || !context.receiving.load(std::memory_order_acquire)) return;
        (void)fail(from_na(info->ret), "hg_rpc", "a request could not be received: {}",
                   NA_Error_to_string(info->ret));
        receive_again(handle);
        return;
    }
    context.targets_in_use.fetch_add(1, std::memory_order_relaxed);
    context.counters.requests_received.one_more();
    handle.source.na = info->info.recv_unexpected.source;
    handle.info.addr = &handle.source;
    handle.tag = info->info.recv_unexpected.tag;
    handle.rpc = nullptr;
    handle.responded.store(false, std::memory_order_relaxed);
    handle.owes_ack = false;
    handle.more_data = false;
    handle.failure = HG_SUCCESS;
    handle.input_released = false;
    handle.cancelled.store(false, std::memory_order_relaxed);
    const hg_return_t ret = accept(handle, info->info.recv_unexpected.actual_buf_size);
    if (ret != HG_SUCCESS) {
        log_warning("hg_rpc", "a request is refused: {}", HG_Error_to_string(ret));
        refuse(handle, ret);
    }
    const std::int32_t increment = context.cls->options.request_post_incr;
    if (increment > 0 && scarcest(context, left) < low_water &&
        context.receiving.load(std::memory_order_relaxed) &&
        context.unposted_count.load(std::memory_order_relaxed) == 0)
        (void)grow_receives(context, std::min(growth_step, static_cast<std::uint32_t>(increment)));
}

// What a callback's silence means: after a failed decode, or if it returned an error, nobody will
// respond, and the origin must not wait for ever.
void after_callback(hg_handle& handle, std::uint32_t serial, hg_return_t ret) noexcept {
    if (ret == HG_SUCCESS) return;
    // Another serial: the callback has destroyed the handle, which may serve the next request
    // already.
    if (handle.serial.load(std::memory_order_relaxed) != serial) return;
    if (!handle.no_response && !handle.responded)
        respond_error(handle, handle.failure != HG_SUCCESS ? handle.failure : ret);
}

}  // namespace

void enqueue_request(hg_handle& handle) noexcept {
    handle.completion.run = run_serve;
    handle.context().completions.push(handle.completion);
}

// Nothing else tells the origin of a one-way request that its memory may go.
void acknowledge(hg_handle& handle) noexcept {
    handle.owes_ack = false;
    ref_handle(handle);
    if (send_ack(handle, on_ack_sent) != HG_SUCCESS) unref_handle(handle);
}

void refuse(hg_handle& handle, hg_return_t code) noexcept {
    handle.references.store(1, std::memory_order_relaxed);
    if (!handle.no_response) {
        respond_error(handle, code);
        return;
    }
    if (handle.owes_ack) acknowledge(handle);
    unref_handle(handle);
}

hg_return_t post_receive(hg_handle& handle) noexcept {
    hg_context& context = handle.context();
    const hg_class& cls = *context.cls;
    context.receives_posted.fetch_add(1, std::memory_order_relaxed);
    const na_return_t ret = NA_Msg_recv_unexpected(
        cls.na, context.na, on_request, &handle, handle.in.data,
        cls.request_start + cls.request_room, handle.in.plugin_data, handle.recv_op);
    if (ret != NA_SUCCESS) {
        context.receives_posted.fetch_sub(1, std::memory_order_relaxed);
        return from_na(ret);
    }
    // unpost() may have cancelled everything between the caller's look at `receiving` and the
    // posting.
    if (!context.receiving.load(std::memory_order_seq_cst))
        (void)NA_Cancel(cls.na, context.na, handle.recv_op);
    return HG_SUCCESS;
}

void receive_again(hg_handle& handle) noexcept {
    const hg_return_t ret = post_receive(handle);
    if (ret == HG_SUCCESS) return;
    (void)fail(ret, "hg_rpc", "a receive cannot be posted, and is tried again later: {}",
               HG_Error_to_string(ret));
    handle.context().unposted.put(handle);
    handle.context().unposted_count.fetch_add(1, std::memory_order_relaxed);
}

void retry_receives(hg_context& context) noexcept {
    if (!context.receiving.load(std::memory_order_acquire)) return;
    while (hg_handle* handle = context.unposted.take()) {
        if (post_receive(*handle) != HG_SUCCESS) {
            context.unposted.put(*handle);
            return;
        }
        context.unposted_count.fetch_sub(1, std::memory_order_relaxed);
    }
}

void serve(hg_handle& handle) noexcept {
    RpcRecord* rpc = handle.cls().registry.find(handle.info.id);
    const hg_rpc_cb_t callback =
        rpc == nullptr ? nullptr : rpc->callback.load(std::memory_order_relaxed);
    if (callback == nullptr) {
        const hg_return_t code = rpc == nullptr ? HG_NOENTRY : HG_INVALID_ARG;
        log_warning("hg_rpc", "a request for RPC {:#x} is refused: {}", handle.info.id,
                    rpc == nullptr ? "not registered" : "registered without a callback");
        refuse(handle, code);
        return;
    }
    handle.rpc = rpc;
    if (handle.more_data) {
        acquire_more_input(handle);
        return;
    }
    const std::uint32_t serial = handle.serial.load(std::memory_order_relaxed);
    const hg_return_t ret = border("RPC callback", [&] { return callback(&handle); });
    after_callback(handle, serial, ret);
}

}  // namespace cinnabar::hg
