// SPDX-License-Identifier: BSD-3-Clause
// The HG_Bulk_* functions.
#include "bulk/descriptor.hpp"
#include "bulk/region.hpp"
#include "bulk/segment.hpp"
#include "bulk/transfer.hpp"
#include "hg/core/context.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::bulk;
using cinnabar::hg::border;

namespace {

bool valid_permissions(uint8_t flags) {
    return flags == HG_BULK_READ_ONLY || flags == HG_BULK_WRITE_ONLY || flags == HG_BULK_READWRITE;
}

// `describe` writes the request in place: it is not built first and copied then.
template <class Describe>
hg_return_t transfer(hg_context_t* context, hg_cb_t callback, void* arg, hg_op_id_t* op_id,
                     Describe&& describe) {
    return border("HG_Bulk_transfer", [&] {
        hg_op_id& started = new_transfer(*context);
        const TransferRequest& request = started.request;
        describe(started.request);
        if (const hg_return_t ret = check_transfer(*context, request); ret != HG_SUCCESS) {
            abandon_transfer(started);
            return ret;
        }
        started.done = {callback, arg, nullptr, nullptr};
        context->counters.transfers.fetch_add(1, std::memory_order_relaxed);
        start_transfer(started, request.origin_addr->na,
                       op_id == HG_OP_ID_IGNORE ? nullptr : op_id);
        return HG_SUCCESS;
    });
}

}  // namespace

hg_return_t HG_Bulk_create(hg_class_t* hg_class, uint32_t count, void** buf_ptrs,
                           const hg_size_t* buf_sizes, uint8_t flags, hg_bulk_t* handle) {
    const struct hg_bulk_attr attrs = {HG_MEM_TYPE_HOST, 0};
    return HG_Bulk_create_attr(hg_class, count, buf_ptrs, buf_sizes, flags, &attrs, handle);
}

hg_return_t HG_Bulk_create_attr(hg_class_t* hg_class, uint32_t count, void** buf_ptrs,
                                const hg_size_t* buf_sizes, uint8_t flags,
                                const struct hg_bulk_attr* attrs, hg_bulk_t* handle) {
    if (hg_class == nullptr || count == 0 || buf_sizes == nullptr || handle == nullptr ||
        !valid_permissions(flags))
        return HG_INVALID_ARG;
    return border("HG_Bulk_create", [&] {
        return create_region(*hg_class,
                             {count, buf_ptrs, buf_sizes, flags,
                              attrs == nullptr ? hg_bulk_attr{HG_MEM_TYPE_HOST, 0} : *attrs},
                             handle);
    });
}

hg_return_t HG_Bulk_free(hg_bulk_t handle) {
    unref_region(handle);
    return HG_SUCCESS;
}

hg_return_t HG_Bulk_ref_incr(hg_bulk_t handle) {
    if (handle == HG_BULK_NULL) return HG_INVALID_ARG;
    ref_region(*handle);
    return HG_SUCCESS;
}

hg_return_t HG_Bulk_bind(hg_bulk_t handle, hg_context_t* context) {
    if (handle == HG_BULK_NULL || context == nullptr) return HG_INVALID_ARG;
    return border("HG_Bulk_bind", [&] { return bind_region(*handle, *context); });
}

hg_addr_t HG_Bulk_get_addr(hg_bulk_t handle) {
    return handle == HG_BULK_NULL ? HG_ADDR_NULL : handle->bound;
}

uint8_t HG_Bulk_get_context_id(hg_bulk_t handle) {
    return handle == HG_BULK_NULL ? uint8_t{0} : handle->bound_context;
}

hg_return_t HG_Bulk_access(hg_bulk_t handle, hg_size_t offset, hg_size_t size, uint8_t,
                           uint32_t max_count, void** buf_ptrs, hg_size_t* buf_sizes,
                           uint32_t* actual_count) {
    if (handle == HG_BULK_NULL) return HG_INVALID_ARG;
    if (size == 0 || max_count == 0) return HG_SUCCESS;
    if (!in_range(offset, size, handle->length) || !handle->has_data()) return HG_INVALID_ARG;
    uint32_t count = 0;
    visit_range(handle->segments, offset, size, [&](char* base, std::uint64_t length) {
        if (buf_ptrs != nullptr) buf_ptrs[count] = base;
        if (buf_sizes != nullptr) buf_sizes[count] = length;
        return ++count < max_count;
    });
    if (actual_count != nullptr) *actual_count = count;
    return HG_SUCCESS;
}

hg_size_t HG_Bulk_get_size(hg_bulk_t handle) {
    return handle == HG_BULK_NULL ? 0 : handle->length;
}

uint32_t HG_Bulk_get_segment_count(hg_bulk_t handle) {
    return handle == HG_BULK_NULL ? 0 : handle->segment_count;
}

uint8_t HG_Bulk_get_flags(hg_bulk_t handle) {
    return handle == HG_BULK_NULL ? uint8_t{0} : handle->permissions;
}

hg_size_t HG_Bulk_get_serialize_size(hg_bulk_t handle, unsigned long flags) {
    return handle == HG_BULK_NULL ? 0 : descriptor_size(*handle, (flags & HG_BULK_EAGER) != 0);
}

hg_return_t HG_Bulk_serialize(void* buf, hg_size_t buf_size, unsigned long flags,
                              hg_bulk_t handle) {
    if (buf == nullptr || buf_size == 0 || handle == HG_BULK_NULL) return HG_INVALID_ARG;
    return border("HG_Bulk_serialize", [&] {
        return write_descriptor(*handle, (flags & HG_BULK_EAGER) != 0, buf, buf_size);
    });
}

hg_return_t HG_Bulk_deserialize(hg_class_t* hg_class, hg_bulk_t* handle, const void* buf,
                                hg_size_t buf_size) {
    if (hg_class == nullptr || handle == nullptr || buf == nullptr || buf_size == 0)
        return HG_INVALID_ARG;
    return border("HG_Bulk_deserialize",
                  [&] { return read_descriptor(*hg_class, buf, buf_size, handle); });
}

hg_return_t HG_Bulk_transfer(hg_context_t* context, hg_cb_t callback, void* arg, hg_bulk_op_t op,
                             hg_addr_t origin_addr, hg_bulk_t origin_handle,
                             hg_size_t origin_offset, hg_bulk_t local_handle,
                             hg_size_t local_offset, hg_size_t size, hg_op_id_t* op_id) {
    return HG_Bulk_transfer_id(context, callback, arg, op, origin_addr, 0, origin_handle,
                               origin_offset, local_handle, local_offset, size, op_id);
}

hg_return_t HG_Bulk_bind_transfer(hg_context_t* context, hg_cb_t callback, void* arg,
                                  hg_bulk_op_t op, hg_bulk_t origin_handle, hg_size_t origin_offset,
                                  hg_bulk_t local_handle, hg_size_t local_offset, hg_size_t size,
                                  hg_op_id_t* op_id) {
    if (context == nullptr || origin_handle == HG_BULK_NULL || origin_handle->bound == nullptr)
        return HG_INVALID_ARG;
    return transfer(context, callback, arg, op_id, [&](TransferRequest& request) {
        request = {op,
                   origin_handle->bound,
                   origin_handle->bound_context,
                   origin_handle,
                   origin_offset,
                   local_handle,
                   local_offset,
                   size};
    });
}

hg_return_t HG_Bulk_transfer_id(hg_context_t* context, hg_cb_t callback, void* arg, hg_bulk_op_t op,
                                hg_addr_t origin_addr, uint8_t origin_id, hg_bulk_t origin_handle,
                                hg_size_t origin_offset, hg_bulk_t local_handle,
                                hg_size_t local_offset, hg_size_t size, hg_op_id_t* op_id) {
    if (context == nullptr || origin_handle == HG_BULK_NULL || origin_handle->bound != nullptr)
        return HG_INVALID_ARG;
    return transfer(context, callback, arg, op_id, [&](TransferRequest& request) {
        request = {op,           origin_addr,  origin_id, origin_handle, origin_offset,
                   local_handle, local_offset, size};
    });
}

hg_return_t HG_Bulk_cancel(hg_op_id_t op_id) {
    if (op_id == HG_OP_ID_NULL) return HG_INVALID_ARG;
    return border("HG_Bulk_cancel", [&] {
        cancel_transfer(*op_id);
        return HG_SUCCESS;
    });
}
