// SPDX-License-Identifier: BSD-3-Clause
// Handles, and the calls that move an RPC along.
#include "hg/core/handle.hpp"
#include "hg/core/context.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

hg_return_t HG_Create(hg_context_t* context, hg_addr_t addr, hg_id_t id, hg_handle_t* handle_p) {
    if (context == nullptr || handle_p == nullptr) return HG_INVALID_ARG;
    return border("HG_Create", [&] { return create_handle(*context, addr, id, handle_p); });
}

hg_return_t HG_Destroy(hg_handle_t handle) {
    if (handle != HG_HANDLE_NULL) destroy_handle(*handle);
    return HG_SUCCESS;
}

hg_return_t HG_Reset(hg_handle_t handle, hg_addr_t addr, hg_id_t id) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    return border("HG_Reset", [&] { return reset_handle(*handle, addr, id); });
}

hg_return_t HG_Ref_incr(hg_handle_t hg_handle) {
    if (hg_handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    ref_handle(*hg_handle);
    return HG_SUCCESS;
}

int32_t HG_Ref_get(hg_handle_t handle) {
    return handle == HG_HANDLE_NULL ? 0 : handle->references.load(std::memory_order_relaxed);
}

const struct hg_info* HG_Get_info(hg_handle_t handle) {
    return handle == HG_HANDLE_NULL ? nullptr : &handle->info;
}

hg_return_t HG_Set_data(hg_handle_t handle, void* data, void (*free_callback)(void*)) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    handle->data = data;
    handle->data_free = free_callback;
    return HG_SUCCESS;
}

void* HG_Get_data(hg_handle_t handle) {
    return handle == HG_HANDLE_NULL ? nullptr : handle->data;
}

hg_return_t HG_Set_target_id(hg_handle_t handle, uint8_t id) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    handle->info.context_id = id;
    return HG_SUCCESS;
}

hg_return_t HG_Forward(hg_handle_t handle, hg_cb_t callback, void* arg, void* in_struct) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    return border("HG_Forward", [&] { return forward(*handle, callback, arg, in_struct); });
}

hg_return_t HG_Respond(hg_handle_t handle, hg_cb_t callback, void* arg, void* out_struct) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    return border("HG_Respond", [&] { return respond(*handle, callback, arg, out_struct); });
}

hg_return_t HG_Cancel(hg_handle_t handle) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    return cancel(*handle);
}
