// SPDX-License-Identifier: BSD-3-Clause
// Contexts.
#include "hg/core/context.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

hg_context_t* HG_Context_create(hg_class_t* hg_class) {
    return HG_Context_create_id(hg_class, 0);
}

hg_context_t* HG_Context_create_id(hg_class_t* hg_class, uint8_t id) {
    if (hg_class == nullptr) return nullptr;
    return c_object("HG_Context_create",
                    [&]() -> hg_context_t* { return open_context(*hg_class, id); });
}

hg_return_t HG_Context_destroy(hg_context_t* context) {
    if (context == nullptr) return HG_INVALID_ARG;
    return border("HG_Context_destroy", [&] { return close_context(*context); });
}

hg_return_t HG_Context_unpost(hg_context_t* context) {
    if (context == nullptr) return HG_INVALID_ARG;
    return border("HG_Context_unpost", [&] { return unpost(*context); });
}

hg_class_t* HG_Context_get_class(const hg_context_t* context) {
    return context == nullptr ? nullptr : context->cls;
}

uint8_t HG_Context_get_id(const hg_context_t* context) {
    return context == nullptr ? uint8_t{0} : context->id;
}

hg_return_t HG_Context_set_data(hg_context_t* context, void* data, void (*free_callback)(void*)) {
    if (context == nullptr) return HG_INVALID_ARG;
    context->data = data;
    context->data_free = free_callback;
    return HG_SUCCESS;
}

void* HG_Context_get_data(const hg_context_t* context) {
    return context == nullptr ? nullptr : context->data;
}
