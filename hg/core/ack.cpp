// SPDX-License-Identifier: BSD-3-Clause
// The acknowledgement of an overflowed payload: one byte, an expected message under the call's tag with
// the acknowledgement bit, sent by whoever fetched the payload to whoever published it. A peer that gave
// up its call never sends it, so the wait has a deadline.
#include "hg/core/ack.hpp"

#include <algorithm>

#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

hg_return_t provide_op(hg_handle& handle) noexcept {
    if (handle.ack_op == nullptr) handle.ack_op = NA_Op_create(handle.cls().na, NA_OP_SINGLE);
    return handle.ack_op == nullptr ? HG_NOMEM : HG_SUCCESS;
}

std::chrono::steady_clock::time_point now() noexcept { return std::chrono::steady_clock::now(); }

}  // namespace

void AckWaits::add(hg_handle& handle, std::chrono::steady_clock::time_point deadline) {
    MutexLock lock(mutex_);
    waits_.push_back({&handle, deadline});
    count_.store(waits_.size(), std::memory_order_relaxed);
}

void AckWaits::remove(hg_handle& handle) noexcept {
    MutexLock lock(mutex_);
    std::erase_if(waits_, [&](const Wait& wait) { return wait.handle == &handle; });
    count_.store(waits_.size(), std::memory_order_relaxed);
}

void AckWaits::expire() noexcept {
    const auto time = now();
    hg_handle* expired = nullptr;
    do {
        expired = nullptr;
        {
            MutexLock lock(mutex_);
            const auto found = std::find_if(waits_.begin(), waits_.end(),
                                            [&](const Wait& wait) { return wait.deadline <= time; });
            if (found == waits_.end()) return;
            expired = found->handle;
            // Kept from being recycled until the cancel has been asked for.
            ref_handle(*expired);
            waits_.erase(found);
            count_.store(waits_.size(), std::memory_order_relaxed);
        }
        log_warning("hg_rpc", "RPC {:#x}: the peer does not acknowledge a large payload; given up",
                    expired->info.id);
        (void) NA_Cancel(expired->cls().na, expired->context().na, expired->ack_op);
        unref_handle(*expired);
    } while (expired != nullptr);
}

hg_return_t end_ack_wait(hg_handle& handle, na_return_t ret) noexcept {
    handle.context().ack_waits.remove(handle);
    if (ret == NA_CANCELED && !handle.cancelled.load() && handle.outcome.send == HG_SUCCESS)
        return HG_TIMEOUT;
    return from_na(ret);
}

hg_return_t send_ack(hg_handle& handle, na_cb_t done) noexcept {
    if (const hg_return_t ret = provide_op(handle); ret != HG_SUCCESS) return ret;
    hg_context& context = handle.context();
    return from_na(NA_Msg_send_expected(context.cls->na, context.na, done, &handle, &handle.ack_byte, 1,
                                        nullptr, handle.info.addr->na, handle.info.context_id,
                                        context.ack_tag(handle.tag), handle.ack_op));
}

hg_return_t await_ack(hg_handle& handle, na_cb_t done) noexcept {
    if (const hg_return_t ret = provide_op(handle); ret != HG_SUCCESS) return ret;
    hg_context& context = handle.context();
    const std::chrono::milliseconds patience{context.cls->options.ack_timeout_ms};
    const hg_return_t ret = border("await_ack", [&] {
        context.ack_waits.add(handle, now() + patience);
        return from_na(NA_Msg_recv_expected(context.cls->na, context.na, done, &handle,
                                            &handle.ack_byte, 1, nullptr, handle.info.addr->na,
                                            handle.info.context_id, context.ack_tag(handle.tag),
                                            handle.ack_op));
    });
    if (ret != HG_SUCCESS) context.ack_waits.remove(handle);
    return ret;
}

}  // namespace cinnabar::hg
