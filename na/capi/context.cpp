// SPDX-License-Identifier: BSD-3-Clause
// Contexts and operations: creating and destroying them.
#include "na/base/c_call.hpp"
#include "na/core/class.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

namespace {

na_context* open_context(na_class* cls, std::uint8_t id, bool sink) {
    if (cls == nullptr || forked(cls)) return nullptr;
    auto* context = new_object<na_context>(cls->plugin->table->context_size, cls, id, sink);
    if (context == nullptr) return nullptr;
    const na_return_t ret = cls->plugin->cls.context_open(part(cls), part(context), id);
    if (ret != NA_SUCCESS) {
        (void)log_error(ret, "na_ctx", "cannot open context {}: {}", id, NA_Error_to_string(ret));
        delete_object(context);
        return nullptr;
    }
    cls->contexts.fetch_add(1, std::memory_order_relaxed);
    return context;
}

}  // namespace

na_context_t* NA_Context_create(na_class_t* na_class) {
    return open_context(na_class, 0, false);
}

na_context_t* NA_Context_create_id(na_class_t* na_class, uint8_t id) {
    return open_context(na_class, id, false);
}

na_context_t* NA_Context_create_sink(na_class_t* na_class, uint8_t id) {
    return open_context(na_class, id, true);
}

na_return_t NA_Context_destroy(na_class_t* na_class, na_context_t* context) {
    if (na_class == nullptr || context == nullptr || context->cls != na_class)
        return NA_INVALID_ARG;
    if (!forked(na_class)) {
        const unsigned queued = context->completion_count.load(std::memory_order_acquire);
        if (queued > 0) {
            log_warning("na_ctx",
                        "context {} is not destroyed: {} completion(s) wait for NA_Trigger()",
                        context->id, queued);
            return NA_BUSY;
        }
        const na_return_t ret = na_class->plugin->cls.context_close(part(na_class), part(context));
        if (ret != NA_SUCCESS) return ret;
    }
    na_class->contexts.fetch_sub(1, std::memory_order_release);
    delete_object(context);
    return NA_SUCCESS;
}

unsigned int NA_Context_get_completion_count(const na_context_t* context) {
    return context == nullptr ? 0 : context->completion_count.load(std::memory_order_relaxed);
}

na_op_id_t* NA_Op_create(na_class_t* na_class, unsigned long) {
    if (na_class == nullptr) return nullptr;
    auto* op = new_object<na_op_id>(na_class->plugin->table->op_size);
    if (op == nullptr) return nullptr;
    op->cls = na_class;
    if (na_class->plugin->cls.op_open(part(na_class), part(op)) != NA_SUCCESS) {
        delete_object(op);
        return nullptr;
    }
    return op;
}

void NA_Op_destroy(na_class_t* na_class, na_op_id_t* op_id) {
    if (na_class == nullptr || op_id == nullptr) return;
    if (op_id->posted.load(std::memory_order_acquire) && !forked(na_class)) {
        (void)log_error(NA_BUSY, "na_op", "NA_Op_destroy: the operation is still posted; kept");
        return;
    }
    na_class->plugin->cls.op_close(part(na_class), part(op_id));
    delete_object(op_id);
}
