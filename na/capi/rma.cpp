// SPDX-License-Identifier: BSD-3-Clause
// Posting of put and get, and the same at once, without an operation.
#include "na/capi/post.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

namespace {

// What all four are given, as they are given it.
struct Transfer {
    na_class_t* cls;
    na_context_t* context;
    na_mem_handle_t* local_mem;
    na_offset_t local_offset;
    na_mem_handle_t* remote_mem;
    na_offset_t remote_offset;
    std::size_t size;
    na_addr_t* remote;
    std::uint8_t remote_id;

    bool valid() const noexcept {
        return cls != nullptr && context != nullptr && context->cls == cls &&
               local_mem != nullptr && remote_mem != nullptr && remote != nullptr;
    }
    na_rma parts() const noexcept {
        return {part(local_mem), part(remote_mem), local_offset, remote_offset, size,
                part(remote),    remote_id};
    }
};

using Start = na_return_t (*na_plugin_rma_ops::*)(void*, void*, const na_rma*);
using Try = na_return_t (*na_plugin_rma_ops::*)(void*, const na_rma*);

template <Start slot>
na_return_t start(const Transfer& transfer, const Callback& callback, na_op_id_t* op) {
    if (!transfer.valid() || op == nullptr) return NA_INVALID_ARG;
    const na_rma rma = transfer.parts();
    return post(transfer.context, op, callback, [&](const Plugin& plugin) {
        return (plugin.rma.*slot)(part(transfer.context), part(op), &rma);
    });
}

template <Try slot>
na_return_t try_now(const Transfer& transfer) {
    if (!transfer.valid()) return NA_INVALID_ARG;
    if (forked(transfer.cls)) return NA_FAULT;
    const na_rma rma = transfer.parts();
    return (transfer.cls->plugin->rma.*slot)(part(transfer.context), &rma);
}

}  // namespace

na_return_t NA_Put(na_class_t* na_class, na_context_t* context, na_cb_t callback, void* arg,
                   na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                   na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset, size_t data_size,
                   na_addr_t* remote_addr, uint8_t remote_id, na_op_id_t* op_id) {
    return start<&na_plugin_rma_ops::put>(
        {na_class, context, local_mem_handle, local_offset, remote_mem_handle, remote_offset,
         data_size, remote_addr, remote_id},
        {callback, arg, NA_CB_PUT}, op_id);
}

na_return_t NA_Get(na_class_t* na_class, na_context_t* context, na_cb_t callback, void* arg,
                   na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                   na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset, size_t data_size,
                   na_addr_t* remote_addr, uint8_t remote_id, na_op_id_t* op_id) {
    return start<&na_plugin_rma_ops::get>(
        {na_class, context, local_mem_handle, local_offset, remote_mem_handle, remote_offset,
         data_size, remote_addr, remote_id},
        {callback, arg, NA_CB_GET}, op_id);
}

na_return_t NA_Try_put(na_class_t* na_class, na_context_t* context,
                       na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                       na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset,
                       size_t data_size, na_addr_t* remote_addr, uint8_t remote_id) {
    return try_now<&na_plugin_rma_ops::try_put>({na_class, context, local_mem_handle, local_offset,
                                                 remote_mem_handle, remote_offset, data_size,
                                                 remote_addr, remote_id});
}

na_return_t NA_Try_get(na_class_t* na_class, na_context_t* context,
                       na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                       na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset,
                       size_t data_size, na_addr_t* remote_addr, uint8_t remote_id) {
    return try_now<&na_plugin_rma_ops::try_get>({na_class, context, local_mem_handle, local_offset,
                                                 remote_mem_handle, remote_offset, data_size,
                                                 remote_addr, remote_id});
}
