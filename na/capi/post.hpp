// SPDX-License-Identifier: BSD-3-Clause
// The one way in which an operation is posted: marks it busy, hands it to the plugin, and takes the
// mark back if the plugin refuses it.
#pragma once

#include "na/core/class.hpp"

namespace cinnabar::na {

struct Callback {
    na_cb_t function;
    void* arg;
    na_cb_type_t type;
};

inline bool postable(const na_class* cls, const na_context* context, const na_op_id* op) {
    return cls != nullptr && context != nullptr && op != nullptr && context->cls == cls;
}

template <class Start>
na_return_t post(na_context* context, na_op_id* op, const Callback& callback,
                 Start&& start) noexcept {
    if (forked(context->cls)) return NA_FAULT;
    if (op->posted.load(std::memory_order_acquire)) return NA_BUSY;
    op->posted.store(true, std::memory_order_relaxed);
    op->context = context;
    op->callback = callback.function;
    op->info.arg = callback.arg;
    op->info.type = callback.type;
    const na_return_t ret = start(*context->cls->plugin);
    if (ret != NA_SUCCESS) op->posted.store(false, std::memory_order_release);
    return ret;
}

}  // namespace cinnabar::na
