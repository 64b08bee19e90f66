// SPDX-License-Identifier: BSD-3-Clause
// Message buffers and the posting of unexpected and expected messages.
#include "na/capi/post.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

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
    if (!postable(na_class, context, op_id) || dest_addr == nullptr ||
        (buf == nullptr && buf_size > 0))
        return NA_INVALID_ARG;
    if (buf_size > na_class->limits.max_unexpected_size) return NA_OVERFLOW;
    const na_send send{buf, buf_size, plugin_data, part(dest_addr), tag, dest_id};
    return post(context, op_id, {callback, arg, NA_CB_SEND_UNEXPECTED}, [&](const Plugin& plugin) {
        return plugin.message.send_unexpected(part(context), part(op_id), &send);
    });
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
    if (!postable(na_class, context, op_id) || dest_addr == nullptr ||
        (buf == nullptr && buf_size > 0))
        return NA_INVALID_ARG;
    if (buf_size > na_class->limits.max_expected_size) return NA_OVERFLOW;
    const na_send send{buf, buf_size, plugin_data, part(dest_addr), tag, dest_id};
    return post(context, op_id, {callback, arg, NA_CB_SEND_EXPECTED}, [&](const Plugin& plugin) {
        return plugin.message.send_expected(part(context), part(op_id), &send);
    });
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
