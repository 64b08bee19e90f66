// SPDX-License-Identifier: BSD-3-Clause
// The acknowledgement of an overflowed payload: one byte, an expected message under the call's tag with
// the acknowledgement bit, sent by whoever fetched the payload to whoever published it.
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

hg_return_t provide_op(hg_handle& handle) noexcept {
    if (handle.ack_op == nullptr) handle.ack_op = NA_Op_create(handle.cls().na, NA_OP_SINGLE);
    return handle.ack_op == nullptr ? HG_NOMEM : HG_SUCCESS;
}

}  // namespace

hg_return_t send_ack(hg_handle& handle, na_cb_t done) noexcept {
    if (const hg_return_t ret = provide_op(handle); ret != HG_SUCCESS) return ret;
    hg_context& context = handle.context();
    handle.ack_byte = 1;
    return from_na(NA_Msg_send_expected(context.cls->na, context.na, done, &handle, &handle.ack_byte, 1,
                                        nullptr, handle.info.addr->na, handle.info.context_id,
                                        context.ack_tag(handle.tag), handle.ack_op));
}

hg_return_t await_ack(hg_handle& handle, na_cb_t done) noexcept {
    if (const hg_return_t ret = provide_op(handle); ret != HG_SUCCESS) return ret;
    hg_context& context = handle.context();
    return from_na(NA_Msg_recv_expected(context.cls->na, context.na, done, &handle, &handle.ack_byte, 1,
                                        nullptr, handle.info.addr->na, handle.info.context_id,
                                        context.ack_tag(handle.tag), handle.ack_op));
}

}  // namespace cinnabar::hg
