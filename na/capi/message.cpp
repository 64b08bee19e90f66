// SPDX-License-Identifier: BSD-3-Clause
// Message buffers and the posting of unexpected and expected messages.
#include "na/capi/post.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

namespace {

// What every send is given, as it is given it.
struct Send {
    na_class_t* cls;
    na_context_t* context;
    const void* buf;
    std::size_t size;
    void* plugin_data;
    na_addr_t* dest;
    std::uint8_t dest_id;
    na_tag_t tag;

    na_return_t check(std::size_t limit) const noexcept {
        if (cls == nullptr || context == nullptr || context->cls != cls || dest == nullptr ||
            (buf == nullptr && size > 0))
            return NA_INVALID_ARG;
        return size > limit ? NA_OVERFLOW : NA_SUCCESS;
    }
    na_send parts() const noexcept { return {buf, size, plugin_data, part(dest), tag, dest_id}; }
};

using Start = na_return_t (*na_plugin_message_ops::*)(void*, void*, const na_send*);

std::size_t limit_of(const na_class_t* cls, bool expected) noexcept {
    if (cls == nullptr) return 0;
    return expected ? cls->limits.max_expected_size : cls->limits.max_unexpected_size;
}

template <Start slot>
na_return_t start(const Send& send, const Callback& callback, na_op_id_t* op) {
    if (op == nullptr) return NA_INVALID_ARG;
    const bool expected = callback.type == NA_CB_SEND_EXPECTED;
    if (const na_return_t ret = send.check(limit_of(send.cls, expected)); ret != NA_SUCCESS)
        return ret;
    const na_send parts = send.parts();
    return post(send.context, op, callback, [&](const Plugin& plugin) {
        return (plugin.message.*slot)(part(send.context), part(op), &parts);
    });
}

template <bool expected>
na_return_t try_now(const Send& send) {
    if (const na_return_t ret = send.check(limit_of(send.cls, expected)); ret != NA_SUCCESS)
        return ret;
    if (forked(send.cls)) return NA_FAULT;
    const na_send parts = send.parts();
    return send.cls->plugin->message.try_send(part(send.context), &parts, expected);
}

}  // namespace

size_t NA_Msg_get_max_unexpected_size(const na_class_t* na_class) {
    return na_class == nullptr ? 0 : na_class->limits.max_unexpected_size;
}

size_t NA_Msg_get_max_expected_size(const na_class_t* na_class) {
    return na_class == nullptr ? 0 : na_class->limits.max_expected_size;
}

size_t NA_Msg_get_unexpected_header_size(const na_class_t* na_class) {
    return na_class == nullptr ? 0 : na_class->limits.unexpected_header_size;
}

size_t NA_Msg_get_expected_header_size(const na_class_t* na_class) {
    return na_class == nullptr ? 0 : na_class->limits.expected_header_size;
}

na_tag_t NA_Msg_get_max_tag(const na_class_t* na_class) {
    return na_class == nullptr ? 0 : na_class->limits.max_tag;
}

void* NA_Msg_buf_alloc(na_class_t* na_class, size_t buf_size, unsigned long flags,
                       void** plugin_data_p) {
    if (na_class == nullptr || buf_size == 0 || plugin_data_p == nullptr) return nullptr;
    return na_class->plugin->message.buf_alloc(part(na_class), buf_size, flags, plugin_data_p);
}

void NA_Msg_buf_free(na_class_t* na_class, void* buf, void* plugin_data) {
    if (na_class == nullptr || buf == nullptr) return;
    na_class->plugin->message.buf_free(part(na_class), buf, plugin_data);
}

na_return_t NA_Msg_init_unexpected(na_class_t* na_class, void* buf, size_t buf_size) {
    if (na_class == nullptr || buf == nullptr) return NA_INVALID_ARG;
    return na_class->plugin->message.init_unexpected(part(na_class), buf, buf_size);
}

na_return_t NA_Msg_init_expected(na_class_t* na_class, void* buf, size_t buf_size) {
    if (na_class == nullptr || buf == nullptr) return NA_INVALID_ARG;
    return na_class->plugin->message.init_expected(part(na_class), buf, buf_size);
}

na_return_t NA_Msg_send_unexpected(na_class_t* na_class, na_context_t* context, na_cb_t callback,
                                   void* arg, const void* buf, size_t buf_size, void* plugin_data,
                                   na_addr_t* dest_addr, uint8_t dest_id, na_tag_t tag,
                                   na_op_id_t* op_id) {
    return start<&na_plugin_message_ops::send_unexpected>(
        {na_class, context, buf, buf_size, plugin_data, dest_addr, dest_id, tag},
        {callback, arg, NA_CB_SEND_UNEXPECTED}, op_id);
}

na_return_t NA_Msg_try_send_unexpected(na_class_t* na_class, na_context_t* context, const void* buf,
                                       size_t buf_size, void* plugin_data, na_addr_t* dest_addr,
                                       uint8_t dest_id, na_tag_t tag) {
    return try_now<false>({na_class, context, buf, buf_size, plugin_data, dest_addr, dest_id, tag});
}

na_return_t NA_Msg_recv_unexpected(na_class_t* na_class, na_context_t* context, na_cb_t callback,
                                   void* arg, void* buf, size_t buf_size, void* plugin_data,
                                   na_op_id_t* op_id) {
    if (!postable(na_class, context, op_id) || (buf == nullptr && buf_size > 0))
        return NA_INVALID_ARG;
    const na_recv recv{buf, buf_size, plugin_data, nullptr, 0, 0};
    return post(context, op_id, {callback, arg, NA_CB_RECV_UNEXPECTED}, [&](const Plugin& plugin) {
        return plugin.message.recv_unexpected(part(context), part(op_id), &recv);
    });
}

na_return_t NA_Msg_multi_recv_unexpected(na_class_t* na_class, na_context_t* context,
                                         na_cb_t callback, void* arg, void* buf, size_t buf_size,
                                         void* plugin_data, na_op_id_t* op_id) {
    if (!postable(na_class, context, op_id) || buf == nullptr || buf_size == 0)
        return NA_INVALID_ARG;
    // Several completions of one operation cannot wait in an intrusive queue.
    if (!context->sink) return NA_OPNOTSUPPORTED;
    const na_recv recv{buf, buf_size, plugin_data, nullptr, 0, 0};
    return post(context, op_id, {callback, arg, NA_CB_MULTI_RECV_UNEXPECTED},
                [&](const Plugin& plugin) {
                    return plugin.message.multi_recv_unexpected(part(context), part(op_id), &recv);
                });
}

na_return_t NA_Msg_send_expected(na_class_t* na_class, na_context_t* context, na_cb_t callback,
                                 void* arg, const void* buf, size_t buf_size, void* plugin_data,
                                 na_addr_t* dest_addr, uint8_t dest_id, na_tag_t tag,
                                 na_op_id_t* op_id) {
    return start<&na_plugin_message_ops::send_expected>(
        {na_class, context, buf, buf_size, plugin_data, dest_addr, dest_id, tag},
        {callback, arg, NA_CB_SEND_EXPECTED}, op_id);
}

na_return_t NA_Msg_try_send_expected(na_class_t* na_class, na_context_t* context, const void* buf,
                                     size_t buf_size, void* plugin_data, na_addr_t* dest_addr,
                                     uint8_t dest_id, na_tag_t tag) {
    return try_now<true>({na_class, context, buf, buf_size, plugin_data, dest_addr, dest_id, tag});
}

na_return_t NA_Msg_recv_expected(na_class_t* na_class, na_context_t* context, na_cb_t callback,
                                 void* arg, void* buf, size_t buf_size, void* plugin_data,
                                 na_addr_t* source_addr, uint8_t source_id, na_tag_t tag,
                                 na_op_id_t* op_id) {
    if (!postable(na_class, context, op_id) || source_addr == nullptr ||
        (buf == nullptr && buf_size > 0))
        return NA_INVALID_ARG;
    const na_recv recv{buf, buf_size, plugin_data, part(source_addr), tag, source_id};
    return post(context, op_id, {callback, arg, NA_CB_RECV_EXPECTED}, [&](const Plugin& plugin) {
        return plugin.message.recv_expected(part(context), part(op_id), &recv);
    });
}
