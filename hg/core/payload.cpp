// SPDX-License-Identifier: BSD-3-Clause
// Between user structs and payload bytes: encoding, decoding and freeing through the procs.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

[[gnu::always_inline]] inline void ready(hg_handle& handle, hg_proc& proc, Payload where,
                                         hg_proc_op_t op) noexcept {
    proc_reset(proc, where.data, where.size, op);
    proc.handle = &handle;
    if (handle.cls().options.bulk_eager && !handle.local) proc.flags = HG_PROC_BULK_EAGER;
}

hg_return_t decode(hg_handle& handle, hg_proc& proc, hg_proc_cb_t callback, Payload from,
                   void* value) {
    static char nothing;
    if (from.data == nullptr) from = {&nothing, 0};
    ready(handle, proc, from, HG_DECODE);
    return callback(&proc, value);
}

}  // namespace

hg_return_t encode_payload(hg_handle& handle, hg_proc& proc, hg_proc_cb_t callback, void* value,
                           Payload room, Payload* encoded) {
    ready(handle, proc, room, HG_ENCODE);
    const hg_return_t ret = callback(&proc, value);
    if (ret != HG_SUCCESS)
        return fail(ret, "hg_rpc", "RPC {:#x}: arguments cannot be encoded: {}", handle.info.id,
                    HG_Error_to_string(ret));
    if (proc.current_buf == &proc.extra_buf)
        *encoded = {static_cast<char*>(proc.extra_buf.buf), hg_proc_get_size_used(&proc)};
    else
        *encoded = {room.data, hg_proc_get_size_used(&proc)};
    return HG_SUCCESS;
}

hg_return_t get_input(hg_handle& handle, void* in_struct) {
    const hg_proc_cb_t proc =
        handle.rpc == nullptr ? nullptr : handle.rpc->in_proc.load(std::memory_order_relaxed);
    if (proc == nullptr || handle.input_released)
        return fail(HG_FAULT, "hg_rpc", "RPC {:#x}: there is no input to decode", handle.info.id);
    const hg_return_t ret = decode(handle, handle.in_proc, proc, handle.input, in_struct);
    if (ret != HG_SUCCESS) {
        if (handle.role == Role::target) handle.failure = ret;
        return ret;
    }
    ref_handle(handle);
    if (handle.cls().options.release_input_early) release_input(handle);
    return HG_SUCCESS;
}

hg_return_t get_output(hg_handle& handle, void* out_struct) {
    const hg_proc_cb_t proc =
        handle.rpc == nullptr ? nullptr : handle.rpc->out_proc.load(std::memory_order_relaxed);
    if (proc == nullptr)
        return fail(HG_FAULT, "hg_rpc", "RPC {:#x}: no output proc", handle.info.id);
    const hg_return_t ret = decode(handle, handle.out_proc, proc, handle.output, out_struct);
    if (ret != HG_SUCCESS) return ret;
    ref_handle(handle);
    return HG_SUCCESS;
}

hg_return_t free_decoded(hg_handle& handle, hg_proc& proc, hg_proc_cb_t callback, void* decoded) {
    if (callback == nullptr) return HG_FAULT;
    proc_reset(proc, nullptr, 0, HG_FREE);
    proc.handle = &handle;
    const hg_return_t ret = callback(&proc, decoded);
    unref_handle(handle);
    return ret;
}

}  // namespace cinnabar::hg
