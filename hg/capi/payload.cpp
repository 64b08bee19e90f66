// SPDX-License-Identifier: BSD-3-Clause
// Inputs and outputs of a handle: decoded, freed, or as raw bytes.
#include "hg/core/handle.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"
#include "hg/wire/request_header.hpp"
#include "hg/wire/response_header.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

namespace {

hg_return_t extra_buf(const Overflow* overflow, void** buf, hg_size_t* size) {
    const Payload payload = overflow == nullptr ? Payload{} : overflow_payload(*overflow);
    if (buf != nullptr) *buf = payload.data;
    if (size != nullptr) *size = payload.size;
    return HG_SUCCESS;
}

}  // namespace

hg_size_t HG_Get_input_payload_size(hg_handle_t handle) {
    return handle == HG_HANDLE_NULL ? 0 : handle->input.size;
}

hg_size_t HG_Get_output_payload_size(hg_handle_t handle) {
    return handle == HG_HANDLE_NULL ? 0 : handle->output.size;
}

hg_return_t HG_Get_input(hg_handle_t handle, void* in_struct) {
    if (handle == HG_HANDLE_NULL || in_struct == nullptr) return HG_INVALID_ARG;
    return border("HG_Get_input", [&] { return get_input(*handle, in_struct); });
}

hg_return_t HG_Free_input(hg_handle_t handle, void* in_struct) {
    if (handle == HG_HANDLE_NULL || in_struct == nullptr) return HG_INVALID_ARG;
    return border("HG_Free_input", [&] {
        const hg_proc_cb_t proc = handle->rpc == nullptr ? nullptr : handle->rpc->in_proc.load();
        return free_decoded(*handle, handle->in_proc, proc, in_struct);
    });
}

hg_return_t HG_Get_output(hg_handle_t handle, void* out_struct) {
    if (handle == HG_HANDLE_NULL || out_struct == nullptr) return HG_INVALID_ARG;
    return border("HG_Get_output", [&] { return get_output(*handle, out_struct); });
}

hg_return_t HG_Free_output(hg_handle_t handle, void* out_struct) {
    if (handle == HG_HANDLE_NULL || out_struct == nullptr) return HG_INVALID_ARG;
    return border("HG_Free_output", [&] {
        const hg_proc_cb_t proc = handle->rpc == nullptr ? nullptr : handle->rpc->out_proc.load();
        return free_decoded(*handle, handle->out_proc, proc, out_struct);
    });
}

hg_return_t HG_Get_input_buf(hg_handle_t handle, void** in_buf_p, hg_size_t* in_buf_size_p) {
    if (handle == HG_HANDLE_NULL || in_buf_p == nullptr) return HG_INVALID_ARG;
    if (handle->in.data == nullptr) return HG_FAULT;
    *in_buf_p = handle->request() + RequestHeader::size;
    if (in_buf_size_p != nullptr) *in_buf_size_p = handle->cls().max_request_payload();
    return HG_SUCCESS;
}

hg_return_t HG_Release_input_buf(hg_handle_t handle) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    release_input(*handle);
    return HG_SUCCESS;
}

hg_return_t HG_Get_output_buf(hg_handle_t handle, void** out_buf_p, hg_size_t* out_buf_size_p) {
    if (handle == HG_HANDLE_NULL || out_buf_p == nullptr) return HG_INVALID_ARG;
    if (const hg_return_t ret = provide_output(*handle); ret != HG_SUCCESS) return ret;
    *out_buf_p = handle->response() + ResponseHeader::size;
    if (out_buf_size_p != nullptr) *out_buf_size_p = handle->cls().max_response_payload();
    return HG_SUCCESS;
}

hg_return_t HG_Get_input_extra_buf(hg_handle_t handle, void** in_buf_p, hg_size_t* in_buf_size_p) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    return extra_buf(handle->in_overflow, in_buf_p, in_buf_size_p);
}

hg_return_t HG_Get_output_extra_buf(hg_handle_t handle, void** out_buf_p,
                                    hg_size_t* out_buf_size_p) {
    if (handle == HG_HANDLE_NULL) return HG_INVALID_ARG;
    return extra_buf(handle->out_overflow, out_buf_p, out_buf_size_p);
}
