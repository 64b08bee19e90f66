// SPDX-License-Identifier: BSD-3-Clause
// The core level's handles and progress.
#include "hg/capi/core_cast.hpp"
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

namespace {

hg_return_t run_core_forward(const hg_cb_info* info) {
    hg_handle& handle = *info->info.forward.handle;
    hg_core_cb_info core_info{};
    core_info.info.forward.handle = core(&handle);
    core_info.arg = handle.core_callback_arg;
    core_info.type = info->type;
    core_info.ret = info->ret;
    return handle.core_callback(&core_info);
}

hg_return_t run_core_respond(const hg_cb_info* info) {
    hg_handle& handle = *info->info.respond.handle;
    hg_core_cb_info core_info{};
    core_info.info.respond.handle = core(&handle);
    core_info.arg = handle.core_respond_callback_arg;
    core_info.type = info->type;
    core_info.ret = info->ret;
    return handle.core_respond_callback(&core_info);
}

}  // namespace

hg_return_t HG_Core_create(hg_core_context_t* context, hg_core_addr_t addr, hg_id_t id,
                           hg_core_handle_t* handle_p) {
    return HG_Create(of(context), of(addr), id, reinterpret_cast<hg_handle_t*>(handle_p));
}

hg_return_t HG_Core_destroy(hg_core_handle_t handle) {
    return HG_Destroy(of(handle));
}

hg_return_t HG_Core_reset(hg_core_handle_t handle, hg_core_addr_t addr, hg_id_t id) {
    return HG_Reset(of(handle), of(addr), id);
}

hg_return_t HG_Core_ref_incr(hg_core_handle_t handle) {
    return HG_Ref_incr(of(handle));
}

int32_t HG_Core_ref_get(hg_core_handle_t handle) {
    return HG_Ref_get(of(handle));
}

hg_return_t HG_Core_set_data(hg_core_handle_t handle, void* data, void (*free_callback)(void*)) {
    return HG_Set_data(of(handle), data, free_callback);
}

void* HG_Core_get_data(hg_core_handle_t handle) {
    return HG_Get_data(of(handle));
}

const struct hg_core_info* HG_Core_get_info(hg_core_handle_t handle) {
    return reinterpret_cast<const hg_core_info*>(HG_Get_info(of(handle)));
}

const void* HG_Core_get_rpc_data(hg_core_handle_t handle) {
    const RpcRecord* rpc = handle == nullptr ? nullptr : of(handle)->rpc;
    return rpc == nullptr ? nullptr : rpc->data.load();
}

hg_return_t HG_Core_set_target_id(hg_core_handle_t handle, uint8_t id) {
    return HG_Set_target_id(of(handle), id);
}

size_t HG_Core_get_input_payload_size(hg_core_handle_t handle) {
    return HG_Get_input_payload_size(of(handle));
}

hg_return_t HG_Core_get_input(hg_core_handle_t handle, void** in_buf_p, hg_size_t* in_buf_size_p) {
    return HG_Get_input_buf(of(handle), in_buf_p, in_buf_size_p);
}

hg_return_t HG_Core_release_input(hg_core_handle_t handle) {
    return HG_Release_input_buf(of(handle));
}

size_t HG_Core_get_output_payload_size(hg_core_handle_t handle) {
    return HG_Get_output_payload_size(of(handle));
}

hg_return_t HG_Core_get_output(hg_core_handle_t handle, void** out_buf_p,
                               hg_size_t* out_buf_size_p) {
    return HG_Get_output_buf(of(handle), out_buf_p, out_buf_size_p);
}

hg_return_t HG_Core_forward(hg_core_handle_t handle, hg_core_cb_t callback, void* arg,
                            uint8_t flags, hg_size_t payload_size) {
    if (handle == nullptr) return HG_INVALID_ARG;
    return border("HG_Core_forward", [&] {
        hg_handle& each = *of(handle);
        if (each.busy.load(std::memory_order_acquire)) return HG_BUSY;
        each.core_callback = callback;
        each.core_callback_arg = arg;
        return forward_raw(each, callback == nullptr ? nullptr : run_core_forward, nullptr, flags,
                           payload_size);
    });
}

hg_return_t HG_Core_respond(hg_core_handle_t handle, hg_core_cb_t callback, void* arg,
                            uint8_t flags, hg_size_t payload_size) {
    if (handle == nullptr) return HG_INVALID_ARG;
    return border("HG_Core_respond", [&] {
        hg_handle& each = *of(handle);
        if (!each.responded) {
            each.core_respond_callback = callback;
            each.core_respond_callback_arg = arg;
        }
        return respond_raw(each, callback == nullptr ? nullptr : run_core_respond, nullptr, flags,
                           payload_size);
    });
}

hg_return_t HG_Core_cancel(hg_core_handle_t handle) {
    return HG_Cancel(of(handle));
}

hg_return_t HG_Core_progress(hg_core_context_t* context, unsigned int timeout) {
    return HG_Progress(of(context), timeout);
}

hg_return_t HG_Core_trigger(hg_core_context_t* context, unsigned int timeout,
                            unsigned int max_count, unsigned int* actual_count_p) {
    return HG_Trigger(of(context), timeout, max_count, actual_count_p);
}

int HG_Core_event_get_wait_fd(const hg_core_context_t* context) {
    return HG_Event_get_wait_fd(of(context));
}

bool HG_Core_event_ready(hg_core_context_t* context) {
    return HG_Event_ready(of(context));
}

hg_return_t HG_Core_event_progress(hg_core_context_t* context, unsigned int* count_p) {
    return HG_Event_progress(of(context), count_p);
}

hg_return_t HG_Core_event_trigger(hg_core_context_t* context, unsigned int max_count,
                                  unsigned int* actual_count_p) {
    return HG_Event_trigger(of(context), max_count, actual_count_p);
}
