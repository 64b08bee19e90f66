// SPDX-License-Identifier: BSD-3-Clause
// First step of an RPC, at the origin: encode the arguments, post the receive for the response,
// send.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"
#include "hg/wire/digest.hpp"
#include "hg/wire/request_header.hpp"

namespace cinnabar::hg {
namespace {

struct Request {
    RequestHeader header;
    std::size_t size = 0;  // of the message behind the net's header
};

Payload request_room(const hg_handle& handle) noexcept {
    const std::size_t start = RequestHeader::size + handle.cls().in_offset;
    return {handle.request() + start, handle.cls().request_room - start};
}

// The payload did not fit: publish it and let its descriptor travel instead.
hg_return_t overflow_request(hg_handle& handle, Payload encoded, Request& request) {
    (void)hg_proc_set_extra_buf_is_mine(&handle.in_proc, 1);
    handle.context().counters.requests_overflowed.fetch_add(1, std::memory_order_relaxed);
    if (handle.local) {
        handle.in_overflow = overflow_adopt(encoded.data, encoded.size);
        return handle.in_overflow == nullptr ? HG_NOMEM : HG_SUCCESS;
    }
    Payload descriptor = request_room(handle);
    const hg_return_t ret = overflow_publish(handle.cls(), encoded.data, encoded.size, &descriptor,
                                             &handle.in_overflow);
    if (ret != HG_SUCCESS) return ret;
    request.header.flags |= RequestHeader::more_data;
    request.header.payload_size = static_cast<std::uint32_t>(descriptor.size);
    return HG_SUCCESS;
}

// Writes the header in front of a payload whose size it has.
void finish_request(hg_handle& handle, Request& request) noexcept {
    request.header.rpc_id = handle.info.id;
    request.header.context_id = handle.context().id;
    if (handle.no_response) request.header.flags |= RequestHeader::no_response;
    request.size = RequestHeader::size + handle.cls().in_offset + request.header.payload_size;
    seal(request.header, handle.request(), request.size - RequestHeader::size,
         handle.cls().options.checksum_level);
}

hg_return_t encode_request(hg_handle& handle, void* in_struct, Request& request) {
    const hg_proc_cb_t proc = handle.rpc->in_proc.load(std::memory_order_relaxed);
    if (in_struct != nullptr && proc != nullptr) {
        const Payload room = request_room(handle);
        Payload encoded;
        if (const hg_return_t ret =
                encode_payload(handle, handle.in_proc, proc, in_struct, room, &encoded);
            ret != HG_SUCCESS)
            return ret;
        handle.input = encoded;
        if (encoded.data == room.data) {
            request.header.payload_size = static_cast<std::uint32_t>(encoded.size);
        } else {
            if (!handle.cls().options.overflow)
                return fail(HG_OVERFLOW, "hg_rpc",
                            "RPC {:#x}: {} bytes of arguments exceed the {} of a message",
                            handle.info.id, encoded.size, room.size);
            if (const hg_return_t ret = overflow_request(handle, encoded, request);
                ret != HG_SUCCESS)
                return ret;
        }
    }
    finish_request(handle, request);
    return HG_SUCCESS;
}

void on_sent(const na_cb_info* info) noexcept {
    auto& handle = *static_cast<hg_handle*>(info->arg);
    handle.outcome.send = from_na(info->ret);
    if (info->ret == NA_SUCCESS)
        handle.context().counters.requests_sent.fetch_add(1, std::memory_order_relaxed);
    // Without a request there is no response to wait for.
    if (info->ret != NA_SUCCESS && handle.parts.load(std::memory_order_acquire) > 1) {
        na_op_id_t* waiting = handle.no_response ? handle.ack_op : handle.recv_op;
        (void)NA_Cancel(handle.cls().na, handle.context().na, waiting);
    }
    end_part(handle);
}

void on_ack(const na_cb_info* info) noexcept {
    auto& handle = *static_cast<hg_handle*>(info->arg);
    handle.outcome.receive = end_ack_wait(handle, info->ret);
    end_part(handle);
}

hg_return_t post_response_receive(hg_handle& handle) noexcept {
    hg_class& cls = handle.cls();
    return from_na(NA_Msg_recv_expected(cls.na, handle.context().na, on_response, &handle,
                                        handle.out.data, cls.response_start + cls.response_room,
                                        handle.out.plugin_data, handle.info.addr->na,
                                        handle.info.context_id, handle.tag, handle.recv_op));
}

// Takes back what forward() did before anything was posted.
hg_return_t withdraw(hg_handle& handle, hg_return_t ret) noexcept {
    handle.busy.store(false, std::memory_order_release);
    handle.references.fetch_sub(1, std::memory_order_relaxed);
    return ret;
}

hg_return_t send_request(hg_handle& handle, const Request& request) noexcept {
    hg_class& cls = handle.cls();
    hg_context& context = handle.context();
    handle.tag = context.take_tag();
    const bool awaits_ack =
        handle.no_response && (request.header.flags & RequestHeader::more_data) != 0;
    const bool awaits_answer = !handle.no_response || awaits_ack;
    handle.parts.store(awaits_answer ? 2 : 1, std::memory_order_relaxed);
    if (awaits_answer) {
        const hg_return_t ret =
            awaits_ack ? await_ack(handle, on_ack) : post_response_receive(handle);
        if (ret != HG_SUCCESS) return withdraw(handle, ret);
    }
    const std::size_t size = cls.request_start + request.size;
    na_return_t sent =
        NA_Msg_try_send_unexpected(cls.na, context.na, handle.in.data, size, handle.in.plugin_data,
                                   handle.info.addr->na, handle.info.context_id, handle.tag);
    if (sent == NA_SUCCESS) {
        context.counters.requests_sent.fetch_add(1, std::memory_order_relaxed);
        end_part(handle);
        return HG_SUCCESS;
    }
    if (sent == NA_AGAIN)
        sent = NA_Msg_send_unexpected(cls.na, context.na, on_sent, &handle, handle.in.data, size,
                                      handle.in.plugin_data, handle.info.addr->na,
                                      handle.info.context_id, handle.tag, handle.send_op);
    if (sent != NA_SUCCESS) {
        if (!awaits_answer) return withdraw(handle, from_na(sent));
        // The receive is out and ends through its callback: the error arrives the same way.
        const na_cb_info failed{{}, &handle, NA_CB_SEND_UNEXPECTED, sent};
        on_sent(&failed);
        return HG_SUCCESS;
    }
    return HG_SUCCESS;
}

// What every call begins with; on success the handle is blank and may be encoded into.
hg_return_t prepare(hg_handle& handle) {
    if (handle.role != Role::origin)
        return fail(HG_INVALID_ARG, "hg_rpc", "a received handle cannot be forwarded; create one");
    if (handle.info.addr == nullptr)
        return fail(HG_INVALID_ARG, "hg_rpc", "RPC {:#x}: the handle has no address",
                    handle.info.id);
    if (handle.rpc == nullptr) return fail(HG_FAULT, "hg_rpc", "the handle has no RPC id");
    if (handle.busy.load(std::memory_order_acquire)) return HG_BUSY;
    release_payloads(handle);
    handle.cancelled.store(false, std::memory_order_relaxed);
    handle.outcome = {};
    handle.more_data = false;
    handle.local = handle.info.addr->self && handle.cls().options.loopback;
    return HG_SUCCESS;
}

hg_return_t start(hg_handle& handle, hg_cb_t callback, void* arg, const Request& request) noexcept {
    handle.callback = callback;
    handle.callback_arg = arg;
    handle.busy.store(true, std::memory_order_release);
    ref_handle(handle);
    return handle.local ? forward_locally(handle) : send_request(handle, request);
}

}  // namespace

hg_return_t forward(hg_handle& handle, hg_cb_t callback, void* arg, void* in_struct) {
    if (const hg_return_t ret = prepare(handle); ret != HG_SUCCESS) return ret;
    Request request;
    if (const hg_return_t ret = encode_request(handle, in_struct, request); ret != HG_SUCCESS) {
        release_payloads(handle);
        return ret;
    }
    return start(handle, callback, arg, request);
}

hg_return_t forward_raw(hg_handle& handle, hg_cb_t callback, void* arg, std::uint8_t flags,
                        std::size_t size) {
    const bool more_data = (flags & HG_CORE_MORE_DATA) != 0;
    if ((flags & ~HG_CORE_MORE_DATA) != 0) return HG_INVALID_ARG;
    if (const hg_return_t ret = prepare(handle); ret != HG_SUCCESS) return ret;
    const Payload room = request_room(handle);
    if (size > room.size)
        return fail(HG_MSGSIZE, "hg_rpc", "RPC {:#x}: {} bytes of input exceed the {} of a message",
                    handle.info.id, size, room.size);
    if (more_data && handle.local)
        return fail(HG_OPNOTSUPPORTED, "hg_rpc", "a call to oneself cannot leave data behind");
    Request request;
    request.header.payload_size = static_cast<std::uint32_t>(size);
    if (more_data) request.header.flags |= RequestHeader::more_data;
    handle.input = {room.data, size};
    handle.holds_more_data = more_data;
    finish_request(handle, request);
    return start(handle, callback, arg, request);
}

}  // namespace cinnabar::hg
