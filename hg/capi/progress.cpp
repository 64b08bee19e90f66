// SPDX-License-Identifier: BSD-3-Clause
// Progress, trigger, and the event form of both.
#include "hg/core/context.hpp"

using namespace cinnabar::hg;

hg_return_t HG_Progress(hg_context_t* context, unsigned int timeout) {
    return context == nullptr ? HG_INVALID_ARG : progress(*context, timeout);
}

hg_return_t HG_Trigger(hg_context_t* context, unsigned int timeout, unsigned int max_count,
                       unsigned int* actual_count_p) {
    return context == nullptr ? HG_INVALID_ARG
                              : trigger(*context, timeout, max_count, actual_count_p);
}

int HG_Event_get_wait_fd(const hg_context_t* context) {
    return context == nullptr ? -1 : context->epoll.get();
}

bool HG_Event_ready(hg_context_t* context) {
    return context != nullptr && event_ready(*context);
}

hg_return_t HG_Event_progress(hg_context_t* context, unsigned int* count_p) {
    return context == nullptr ? HG_INVALID_ARG : event_progress(*context, count_p);
}

hg_return_t HG_Event_trigger(hg_context_t* context, unsigned int max_count,
                             unsigned int* actual_count_p) {
    if (context == nullptr) return HG_INVALID_ARG;
    (void)trigger(*context, 0, max_count, actual_count_p);
    return HG_SUCCESS;
}
