// SPDX-License-Identifier: BSD-3-Clause
// Polling, waiting, triggering, cancelling.
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "na/base/c_call.hpp"
#include "na/core/class.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

namespace {

using Clock = std::chrono::steady_clock;

bool belongs(const na_class* cls, const na_context* context) {
    return cls != nullptr && context != nullptr && context->cls == cls;
}

// The oldest completion, or null. Several threads may trigger: they take turns at the consumer
// side.
na_op_id* take_completion(na_context* context) {
    if (context->completion_count.load(std::memory_order_acquire) == 0) return nullptr;
    while (context->triggering.exchange(true, std::memory_order_acquire))
        std::this_thread::yield();
    MpscNode* node = context->completions.pop();
    context->triggering.store(false, std::memory_order_release);
    if (node == nullptr) return nullptr;
    context->completion_count.fetch_sub(1, std::memory_order_relaxed);
    static_assert(offsetof(na_op_id, node) == 0);
    return reinterpret_cast<na_op_id*>(node);
}

void run_callback(na_op_id* op) {
    const na_cb_t callback = op->callback;
    const na_cb_info info = op->info;
    // From here on the operation may be posted again, by the callback or by another thread.
    op->posted.store(false, std::memory_order_release);
    if (callback != nullptr)
        callback(&info);
    else if (info.type == NA_CB_RECV_UNEXPECTED && info.info.recv_unexpected.source != nullptr)
        addr_release(info.info.recv_unexpected.source);
}

// A poll disarms the plugin: other threads that sleep on it are armed again, or woken if there is
// something to do.
void keep_sleepers_armed(na_context* context) {
    if (context->sleepers.load(std::memory_order_seq_cst) == 0) return;
    const auto& progress = context->cls->plugin->progress;
    if (context->completion_count.load(std::memory_order_seq_cst) > 0 ||
        !progress.try_wait(part(context)))
        progress.wake(part(context));
}

inline na_return_t poll_once(na_context* context, unsigned int* count) {
    unsigned int made = 0;
    context->armed.store(false, std::memory_order_relaxed);
    const na_return_t ret = context->cls->plugin->progress.poll(part(context), &made);
    keep_sleepers_armed(context);
    *count = context->sink ? made : context->completion_count.load(std::memory_order_acquire);
    return ret;
}

// Sleeps until the descriptor is readable or the time is over; spins where there is no descriptor.
void wait_for_event(na_context* context, Clock::time_point deadline) {
    const auto& progress = context->cls->plugin->progress;
    const int fd = progress.get_fd(part(context));
    if (fd < 0) {
        std::this_thread::yield();
        return;
    }
    context->sleepers.fetch_add(1, std::memory_order_seq_cst);
    if (context->completion_count.load(std::memory_order_seq_cst) == 0 &&
        progress.try_wait(part(context))) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd event{fd, POLLIN, 0};
        // An interrupted sleep is a spurious wake-up: the caller polls again.
        (void)::poll(&event, 1, static_cast<int>(std::clamp<long long>(left, 0, NA_MAX_IDLE_TIME)));
    }
    context->sleepers.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace

int NA_Poll_get_fd(na_class_t* na_class, na_context_t* context) {
    if (!belongs(na_class, context) || na_class->no_block) return -1;
    return na_class->plugin->progress.get_fd(part(context));
}

bool NA_Poll_try_wait(na_class_t* na_class, na_context_t* context) {
    if (!belongs(na_class, context) || na_class->no_block || forked(na_class)) return false;
    if (context->completion_count.load(std::memory_order_acquire) > 0) return false;
    if (!na_class->plugin->progress.try_wait(part(context))) return false;
    if (context->sink) return true;
    context->armed.store(true, std::memory_order_seq_cst);
    if (context->completion_count.load(std::memory_order_seq_cst) == 0) return true;
    context->armed.store(false, std::memory_order_relaxed);
    return false;
}

na_return_t NA_Poll(na_class_t* na_class, na_context_t* context, unsigned int* count_p) {
    if (!belongs(na_class, context)) return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    unsigned int count = 0;
    const na_return_t ret = poll_once(context, &count);
    if (count_p != nullptr) *count_p = count;
    return ret;
}

na_return_t NA_Poll_wait(na_class_t* na_class, na_context_t* context, unsigned int timeout_ms,
                         unsigned int* count_p) {
    if (!belongs(na_class, context)) return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    unsigned int count = 0;
    for (;;) {
        const na_return_t ret = poll_once(context, &count);
        if (count_p != nullptr) *count_p = count;
        if (ret != NA_SUCCESS || count > 0 || timeout_ms == 0 || Clock::now() >= deadline)
            return ret;
        wait_for_event(context, deadline);
    }
}

na_return_t NA_Progress(na_class_t* na_class, na_context_t* context, unsigned int timeout_ms) {
    unsigned int count = 0;
    const na_return_t ret = NA_Poll_wait(na_class, context, timeout_ms, &count);
    if (ret != NA_SUCCESS) return ret;
    return count > 0 ? NA_SUCCESS : NA_TIMEOUT;
}

na_return_t NA_Trigger(na_context_t* context, unsigned int max_count,
                       unsigned int* actual_count_p) {
    if (context == nullptr) return NA_INVALID_ARG;
    unsigned int count = 0;
    while (count < max_count) {
        na_op_id* op = take_completion(context);
        if (op == nullptr) break;
        run_callback(op);
        ++count;
    }
    if (actual_count_p != nullptr) *actual_count_p = count;
    return NA_SUCCESS;
}

na_return_t NA_Cancel(na_class_t* na_class, na_context_t* context, na_op_id_t* op_id) {
    if (!belongs(na_class, context) || op_id == nullptr) return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    if (!op_id->posted.load(std::memory_order_acquire)) return NA_SUCCESS;
    return na_class->plugin->progress.cancel(part(context), part(op_id));
}
