// SPDX-License-Identifier: BSD-3-Clause
// Third step of an RPC, at the target: encode the output, or an error, and send the response.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"
#include "hg/wire/digest.hpp"
#include "hg/wire/response_header.hpp"

namespace cinnabar::hg {
namespace {

Payload response_room(const hg_handle& handle) noexcept {
    const std::size_t start = ResponseHeader::size + handle.cls().out_offset;
    return {handle.response() + start, handle.cls().response_room - start};
}

void run_respond_callback(Completion& completion) noexcept {
    auto* handle = static_cast<hg_handle*>(completion.owner);
    hg_cb_info info{};
    info.info.respond.handle = handle;
    info.arg = handle->respond_callback_arg;
    info.type = HG_CB_RESPOND;
    info.ret = handle->outcome.send != HG_SUCCESS ? handle->outcome.send : handle->outcome.receive;
    (void)handle->respond_callback(&info);
    unref_handle(*handle);
}

void end_response_part(hg_handle& handle) noexcept {
    if (handle.parts.fetch_sub(1, std::memory_order_acq_rel) == 1) complete_respond(handle);
}

void on_sent(const na_cb_info* info) noexcept {
    auto& handle = *static_cast<hg_handle*>(info->arg);
    handle.outcome.send = from_na(info->ret);
    if (info->ret == NA_SUCCESS)
        handle.context().counters.responses_sent.fetch_add(1, std::memory_order_relaxed);
    // The origin will not acknowledge what it did not get.
    if (info->ret != NA_SUCCESS && handle.parts.load(std::memory_order_acquire) > 1)
        (void)NA_Cancel(handle.cls().na, handle.context().na, handle.ack_op);
    end_response_part(handle);
}

void on_ack(const na_cb_info* info) noexcept {
    auto& handle = *static_cast<hg_handle*>(info->arg);
    handle.outcome.receive = end_ack_wait(handle, info->ret);
    end_response_part(handle);
}

// Sends header and payload; from a success on, callbacks finish the step.
hg_return_t send_response(hg_handle& handle, ResponseHeader& header) noexcept {
    hg_class& cls = handle.cls();
    const bool awaits_ack = (header.flags & ResponseHeader::more_data) != 0;
    const std::size_t behind =
        (header.ret == HG_SUCCESS ? cls.out_offset : 0) + header.payload_size;
    seal(header, handle.response(), behind, cls.options.checksum_level);
    handle.outcome = {};
    handle.parts.store(awaits_ack ? 2 : 1, std::memory_order_relaxed);
    if (awaits_ack)
        if (const hg_return_t ret = await_ack(handle, on_ack); ret != HG_SUCCESS) return ret;
    const std::size_t size = cls.response_start + ResponseHeader::size + behind;
    na_class_t* na = cls.na;
    na_context_t* context = handle.context().na;
    const MessageBuffer& out = handle.out;
    na_return_t ret =
        NA_Msg_try_send_expected(na, context, out.data, size, out.plugin_data, handle.source.na,
                                 handle.info.context_id, handle.tag);
    if (ret == NA_SUCCESS) {
        handle.context().counters.responses_sent.fetch_add(1, std::memory_order_relaxed);
        if (awaits_ack)
            end_response_part(handle);
        else
            complete_respond(handle);
        return HG_SUCCESS;
    }
    if (ret == NA_AGAIN)
        ret = NA_Msg_send_expected(na, context, on_sent, &handle, out.data, size, out.plugin_data,
                                   handle.source.na, handle.info.context_id, handle.tag,
                                   handle.send_op);
    if (ret != NA_SUCCESS && awaits_ack) {
        const na_cb_info failed{{}, &handle, NA_CB_SEND_EXPECTED, ret};
        on_sent(&failed);
        return HG_SUCCESS;
    }
    return from_na(ret);
}

hg_return_t overflow_response(hg_handle& handle, Payload encoded, ResponseHeader& header) {
    (void)hg_proc_set_extra_buf_is_mine(&handle.out_proc, 1);
    handle.context().counters.responses_overflowed.fetch_add(1, std::memory_order_relaxed);
    if (handle.local) {
        handle.out_overflow = overflow_adopt(encoded.data, encoded.size);
        return handle.out_overflow == nullptr ? HG_NOMEM : HG_SUCCESS;
    }
    Payload descriptor = response_room(handle);
    const hg_return_t ret = overflow_publish(handle.cls(), encoded.data, encoded.size, &descriptor,
                                             &handle.out_overflow);
    if (ret != HG_SUCCESS) return ret;
    header.flags |= ResponseHeader::more_data;
    header.payload_size = static_cast<std::uint32_t>(descriptor.size);
    return HG_SUCCESS;
}

hg_return_t encode_response(hg_handle& handle, void* out_struct, ResponseHeader& header) {
    const hg_proc_cb_t proc = handle.rpc->out_proc.load(std::memory_order_relaxed);
    if (out_struct == nullptr || proc == nullptr) return HG_SUCCESS;
    const Payload room = response_room(handle);
    Payload encoded;
    if (const hg_return_t ret =
            encode_payload(handle, handle.out_proc, proc, out_struct, room, &encoded);
        ret != HG_SUCCESS)
        return ret;
    handle.output = encoded;
    if (encoded.data == room.data) {
        header.payload_size = static_cast<std::uint32_t>(encoded.size);
        return HG_SUCCESS;
    }
    if (!handle.cls().options.overflow)
        return fail(HG_OVERFLOW, "hg_rpc",
                    "RPC {:#x}: {} bytes of output exceed the {} of a message", handle.info.id,
                    encoded.size, room.size);
    return overflow_response(handle, encoded, header);
}

}  // namespace

void complete_respond(hg_handle& handle) noexcept {
    if (handle.respond_callback == nullptr) {
        unref_handle(handle);
        return;
    }
    handle.completion.run = run_respond_callback;
    handle.context().completions.push(handle.completion);
}

namespace {

// What every response begins with.
hg_return_t prepare(hg_handle& handle) {
    if (handle.role != Role::target)
        return fail(HG_INVALID_ARG, "hg_rpc", "RPC {:#x}: only the target can respond",
                    handle.info.id);
    if (handle.no_response)
        return fail(HG_OPNOTSUPPORTED, "hg_rpc",
                    "RPC {:#x} is one-way: nobody waits for a response", handle.info.id);
    if (handle.rpc == nullptr) return HG_FAULT;
    if (handle.responded)
        return fail(HG_INVALID_ARG, "hg_rpc", "RPC {:#x}: it has been responded to",
                    handle.info.id);
    return provide_output(handle);
}

// Hands over an output that is in its place.
hg_return_t start(hg_handle& handle, hg_cb_t callback, void* arg, ResponseHeader& header) noexcept {
    handle.responded.store(true, std::memory_order_release);
    handle.respond_callback = callback;
    handle.respond_callback_arg = arg;
    if (handle.local) {
        respond_locally(handle, HG_SUCCESS);
        return HG_SUCCESS;
    }
    const hg_return_t ret = send_response(handle, header);
    if (ret != HG_SUCCESS) unref_handle(handle);
    return ret;
}

}  // namespace

hg_return_t respond(hg_handle& handle, hg_cb_t callback, void* arg, void* out_struct) {
    if (const hg_return_t ret = prepare(handle); ret != HG_SUCCESS) return ret;
    ResponseHeader header;
    const hg_return_t ret = encode_response(handle, out_struct, header);
    if (ret == HG_SUCCESS) return start(handle, callback, arg, header);
    // The origin is told, so that it does not wait for ever; the caller keeps only its own
    // reference.
    respond_error(handle, ret);
    return ret;
}

hg_return_t respond_raw(hg_handle& handle, hg_cb_t callback, void* arg, std::uint8_t flags,
                        std::size_t size) {
    const bool more_data = (flags & HG_CORE_MORE_DATA) != 0;
    if ((flags & ~HG_CORE_MORE_DATA) != 0) return HG_INVALID_ARG;
    if (const hg_return_t ret = prepare(handle); ret != HG_SUCCESS) return ret;
    const Payload room = response_room(handle);
    if (size > room.size)
        return fail(HG_MSGSIZE, "hg_rpc",
                    "RPC {:#x}: {} bytes of output exceed the {} of a message", handle.info.id,
                    size, room.size);
    if (more_data && handle.local)
        return fail(HG_OPNOTSUPPORTED, "hg_rpc", "a call to oneself cannot leave data behind");
    ResponseHeader header;
    header.payload_size = static_cast<std::uint32_t>(size);
    if (more_data) header.flags |= ResponseHeader::more_data;
    handle.output = {room.data, size};
    // The handle may hold an input that was acquired as well: one release is for both.
    handle.holds_more_data = handle.holds_more_data || more_data;
    return start(handle, callback, arg, header);
}

void respond_error(hg_handle& handle, hg_return_t code) noexcept {
    handle.responded.store(true, std::memory_order_release);
    handle.respond_callback = nullptr;
    if (handle.local) {
        respond_locally(handle, code);
        return;
    }
    ResponseHeader header;
    header.ret = code;
    hg_return_t ret = provide_output(handle);
    if (ret == HG_SUCCESS) ret = send_response(handle, header);
    if (ret == HG_SUCCESS) return;
    log_warning("hg_rpc", "RPC {:#x}: the error response cannot be sent: {}", handle.info.id,
                HG_Error_to_string(ret));
    unref_handle(handle);
}

}  // namespace cinnabar::hg
