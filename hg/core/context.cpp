// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/context.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include "hg/core/route.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

using Clock = std::chrono::steady_clock;

hg_return_t watch(hg_context& context, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(context.epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0) return HG_SUCCESS;
    return fail(HG_IO_ERROR, "hg_ctx", "epoll_ctl: {}", std::strerror(errno));
}

// One descriptor for all that can end a sleep. None if the net polls busily.
hg_return_t open_wait_set(hg_context& context) {
    context.na_fd = NA_Poll_get_fd(context.cls->na, context.na);
    if (context.na_fd < 0) return HG_SUCCESS;
    if (const Status status = context.completions.open(); !status.ok())
        return from_na(status.code());
    context.epoll.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!context.epoll) return fail(HG_AGAIN, "hg_ctx", "epoll_create1: {}", std::strerror(errno));
    if (const Status status = context.ack_waits.open(); !status.ok()) return from_na(status.code());
    if (const hg_return_t ret = watch(context, context.na_fd); ret != HG_SUCCESS) return ret;
    if (const hg_return_t ret = watch(context, context.ack_waits.fd()); ret != HG_SUCCESS)
        return ret;
    return watch(context, context.completions.wake_fd());
}

// Progress and trigger until `done()` or the time is over.
template <class Done>
bool drive(hg_context& context, std::chrono::seconds limit, Done&& done) {
    const auto deadline = Clock::now() + limit;
    while (!done()) {
        if (Clock::now() >= deadline) return false;
        (void)progress(context, 1);
        unsigned count = 0;
        (void)trigger(context, 0, 64, &count);
    }
    return true;
}

// HG_BUSY, with nothing freed, if the net is not done with the context.
hg_return_t free_context(hg_context* context) {
    hg_class& cls = *context->cls;
    if (context->na != nullptr)
        if (const na_return_t ret = NA_Context_destroy(cls.na, context->na); ret != NA_SUCCESS)
            return from_na(ret);
    remove_from_counting(*context);
    if (context->data_free != nullptr) context->data_free(context->data);
    if (auto* transfers = context->transfers.load()) context->transfers_free.load()(transfers);
    delete context;
    cls.contexts.fetch_sub(1, std::memory_order_release);
    return HG_SUCCESS;
}

}  // namespace

hg_return_t grow_receives(hg_context& context, std::uint32_t count) noexcept {
    return border("grow_receives", [&] {
        for (std::uint32_t i = 0; i < count; ++i) {
            hg_handle* handle = nullptr;
            if (const hg_return_t ret = context.pool.make_target(&handle); ret != HG_SUCCESS)
                return ret;
            if (const hg_return_t ret = post_receive(*handle); ret != HG_SUCCESS) {
                context.unposted.put(*handle);
                context.unposted_count.fetch_add(1, std::memory_order_relaxed);
                return ret;
            }
        }
        return HG_SUCCESS;
    });
}

hg_context* open_context(hg_class& cls, std::uint8_t id, bool receive) {
    auto context = std::make_unique<hg_context>(cls, id);
    context->handle_create = cls.handle_create;
    context->handle_create_arg = cls.handle_create_arg;
    context->na = NA_Context_create_sink(cls.na, id);
    if (context->na == nullptr) return nullptr;
    if (cls.routed) context->net_receives = route_receives();
    context->max_tag = NA_Msg_get_max_tag(cls.na);
    cls.contexts.fetch_add(1, std::memory_order_relaxed);
    add_to_counting(*context);
    hg_return_t ret = open_wait_set(*context);
    if (ret == HG_SUCCESS && receive && NA_Is_listening(cls.na)) ret = post(*context);
    if (ret == HG_SUCCESS) return context.release();
    (void)fail(ret, "hg_ctx", "context {} cannot be opened: {}", id, HG_Error_to_string(ret));
    (void)unpost(*context);
    (void)free_context(context.release());
    return nullptr;
}

hg_return_t post(hg_context& context) {
    if (!NA_Is_listening(context.cls->na)) return HG_OPNOTSUPPORTED;
    if (context.receiving.exchange(true)) return HG_SUCCESS;
    return grow_receives(context, context.cls->options.request_post_init);
}

hg_return_t unpost(hg_context& context) {
    if (!context.receiving.exchange(false)) return HG_SUCCESS;
    for (const hg_handle* handle : context.pool.targets())
        (void)NA_Cancel(context.cls->na, context.na, handle->recv_op);
    const auto deadline = Clock::now() + std::chrono::seconds(50);
    while (context.receives_posted.load(std::memory_order_acquire) > 0) {
        if (Clock::now() >= deadline)
            return fail(HG_TIMEOUT, "hg_ctx", "context {}: {} receives did not end", context.id,
                        context.receives_posted.load());
        // In a forked child nothing ends any more; there is nothing to wait for either.
        if (NA_Poll(context.cls->na, context.na, nullptr) == NA_FAULT) return HG_SUCCESS;
    }
    return HG_SUCCESS;
}

hg_return_t close_context(hg_context& context) {
    if (context.progressing.load(std::memory_order_acquire) > 0) return HG_BUSY;
    if (const hg_return_t ret = unpost(context); ret != HG_SUCCESS) return ret;
    const auto idle = [&] {
        return context.pool.in_use() == 0 &&
               context.targets_in_use.load(std::memory_order_acquire) == 0 &&
               context.internal_ops.load(std::memory_order_acquire) == 0 &&
               context.completions.empty();
    };
    const bool forked = NA_Poll(context.cls->na, context.na, nullptr) == NA_FAULT;
    const auto drain = [&] {
        if (drive(context, std::chrono::seconds(1), idle)) return true;
        // Peers that are silent: arguments that they do not deliver, results that they do not take.
        // No user has a handle to cancel.
        cancel_fetches(context);
        context.ack_waits.give_up();
        return drive(context, std::chrono::seconds(4), idle);
    };
    if (!forked && !drain()) {
        log_warning(
            "hg_ctx",
            "context {} is not destroyed: {} handle(s) of calls and {} of requests are alive, {}",
            context.id, context.pool.in_use(), context.targets_in_use.load(),
            context.completions.empty() ? "nothing is queued" : "callbacks are queued");
        return HG_BUSY;
    }
    return free_context(&context);
}

}  // namespace cinnabar::hg
