// SPDX-License-Identifier: BSD-3-Clause
// Payloads that the core level's users cut themselves: the part in the message says where the rest
// is, and the class's callback gets it. It runs at trigger, as all code of users; the step goes on
// when it says that it is done.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

hg_core_handle_t core(hg_handle& handle) noexcept {
    return reinterpret_cast<hg_core_handle_t>(&handle);
}

void input_acquired(hg_core_handle_t core_handle, hg_return_t ret) {
    auto& handle = *reinterpret_cast<hg_handle*>(core_handle);
    if (ret != HG_SUCCESS) {
        (void)fail(ret, "hg_rpc", "RPC {:#x}: the rest of the input is missing: {}", handle.info.id,
                   HG_Error_to_string(ret));
        refuse(handle, ret);
        return;
    }
    if (handle.owes_ack) acknowledge(handle);
    enqueue_request(handle);
}

void on_ack_sent(const na_cb_info* info) noexcept {
    end_part(*static_cast<hg_handle*>(info->arg));
}

void output_acquired(hg_core_handle_t core_handle, hg_return_t ret) {
    auto& handle = *reinterpret_cast<hg_handle*>(core_handle);
    handle.outcome = {};
    handle.outcome.receive = ret;
    handle.parts.store(1, std::memory_order_relaxed);
    // The target waits for it, whatever became of the rest.
    if (send_ack(handle, on_ack_sent) != HG_SUCCESS) end_part(handle);
}

hg_return_t ask(hg_handle& handle, hg_op_t op, void (*done)(hg_core_handle_t, hg_return_t)) {
    handle.more_data = false;
    handle.holds_more_data = true;
    return border("more_data_acquire_callback",
                  [&] { return handle.cls().more_data_acquire(core(handle), op, done); });
}

}  // namespace

void acquire_more_input(hg_handle& handle) noexcept {
    if (const hg_return_t ret = ask(handle, HG_INPUT, input_acquired); ret != HG_SUCCESS)
        input_acquired(core(handle), ret);
}

void acquire_more_output(hg_handle& handle) noexcept {
    if (const hg_return_t ret = ask(handle, HG_OUTPUT, output_acquired); ret != HG_SUCCESS)
        output_acquired(core(handle), ret);
}

}  // namespace cinnabar::hg
