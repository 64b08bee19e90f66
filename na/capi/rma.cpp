// SPDX-License-Identifier: BSD-3-Clause
// Posting of put and get.
#include "na/capi/post.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

na_return_t NA_Put(na_class_t* na_class, na_context_t* context, na_cb_t callback, void* arg,
                   na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                   na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset, size_t data_size,
                   na_addr_t* remote_addr, uint8_t remote_id, na_op_id_t* op_id) {
    if (!postable(na_class, context, op_id) || local_mem_handle == nullptr ||
        remote_mem_handle == nullptr || remote_addr == nullptr)
        return NA_INVALID_ARG;
    const na_rma rma{part(local_mem_handle),
                     part(remote_mem_handle),
                     local_offset,
                     remote_offset,
                     data_size,
                     part(remote_addr),
                     remote_id};
    return post(context, op_id, {callback, arg, NA_CB_PUT}, [&](const Plugin& plugin) {
        return plugin.rma.put(part(context), part(op_id), &rma);
    });
}

na_return_t NA_Get(na_class_t* na_class, na_context_t* context, na_cb_t callback, void* arg,
                   na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                   na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset, size_t data_size,
                   na_addr_t* remote_addr, uint8_t remote_id, na_op_id_t* op_id) {
    if (!postable(na_class, context, op_id) || local_mem_handle == nullptr ||
        remote_mem_handle == nullptr || remote_addr == nullptr)
        return NA_INVALID_ARG;
    const na_rma rma{part(local_mem_handle),
                     part(remote_mem_handle),
                     local_offset,
                     remote_offset,
                     data_size,
                     part(remote_addr),
                     remote_id};
    return post(context, op_id, {callback, arg, NA_CB_GET}, [&](const Plugin& plugin) {
        return plugin.rma.get(part(context), part(op_id), &rma);
    });
}
