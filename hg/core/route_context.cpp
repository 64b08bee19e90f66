// SPDX-License-Identifier: BSD-3-Clause
// Contexts and operations of a routed net. An operation is posted to one of the nets, whose
// callback completes it at once: its context is a sink too.
#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "hg/core/route_parts.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg::route {
namespace {

Context& context_of(void* block) noexcept {
    return *static_cast<Context*>(block);
}

na_return_t watch_both(Context& context) {
    int fds[net_count];
    for (int net = 0; net < net_count; ++net) {
        fds[net] = NA_Poll_get_fd(context.cls->net[net], context.part[net]);
        if (fds[net] < 0) return NA_SUCCESS;
    }
    context.epoll.reset(::epoll_create1(EPOLL_CLOEXEC));
    for (const int fd : fds) {
        epoll_event event{};
        event.events = EPOLLIN;
        if (!context.epoll || ::epoll_ctl(context.epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0)
            return static_cast<na_return_t>(
                fail(HG_IO_ERROR, "hg_ctx", "epoll: {}", std::strerror(errno)));
    }
    return NA_SUCCESS;
}

// The address of a sender, whose part it takes over, with a reference for the completion; nullptr
// when out of memory.
Address* sender(Context& context, int net, na_addr_t* part) noexcept {
    Address*& kept =
        context.senders[net][(reinterpret_cast<std::uintptr_t>(part) >> 6) % Context::kept];
    if (kept == nullptr || kept->part[net] != part) {
        auto* made = static_cast<Address*>(host().addr_create(context.cls));
        if (made == nullptr) {
            NA_Addr_free(context.cls->net[net], part);
            return nullptr;
        }
        made->cls = context.cls;
        made->part[net] = part;
        if (kept != nullptr) host().addr_unref(kept);
        kept = made;
    } else {
        NA_Addr_free(context.cls->net[net], part);
    }
    host().addr_ref(kept);
    return kept;
}

void on_done(const na_cb_info* info) noexcept {
    Op& op = *static_cast<Op*>(info->arg);
    na_completion completion{};
    completion.ret = info->ret;
    if (info->type == NA_CB_RECV_UNEXPECTED) {
        const int net = op.net.load(std::memory_order_relaxed);
        op.context->receives[net].fetch_sub(1, std::memory_order_relaxed);
        if (info->ret == NA_SUCCESS) {
            completion.size = info->info.recv_unexpected.actual_buf_size;
            completion.tag = info->info.recv_unexpected.tag;
            completion.source = sender(*op.context, net, info->info.recv_unexpected.source);
            if (completion.source == nullptr) completion.ret = NA_NOMEM;
        }
    } else if (info->type == NA_CB_RECV_EXPECTED) {
        completion.size = info->info.recv_expected.actual_buf_size;
    }
    host().complete(&op, &completion);
}

// Hands an operation to one of the nets.
template <class Post>
na_return_t post_to(Context& context, void* block, int net, Post&& post) {
    Op& op = *static_cast<Op*>(block);
    op.cls = context.cls;
    op.context = &context;
    if (op.part[net] == nullptr) op.part[net] = NA_Op_create(context.cls->net[net], NA_OP_SINGLE);
    if (op.part[net] == nullptr) return NA_NOMEM;
    op.net.store(net, std::memory_order_release);
    return post(context.cls->net[net], context.part[net], op.part[net]);
}

// Buffers are those of the first net; only it knows their plugin data.
void* data_for(int net, void* plugin_data) noexcept {
    return net == 0 ? plugin_data : nullptr;
}

template <na_return_t (*function)(na_class_t*, na_context_t*, na_cb_t, void*, const void*, size_t,
                                  void*, na_addr_t*, uint8_t, na_tag_t, na_op_id_t*)>
na_return_t send(void* ctx, void* op, const na_send* send) {
    const Address& to = *static_cast<Address*>(send->dest);
    const int net = net_of(to);
    return post_to(context_of(ctx), op, net,
                   [&](na_class_t* cls, na_context_t* context, na_op_id_t* part) {
                       return function(cls, context, on_done, op, send->buf, send->size,
                                       data_for(net, send->plugin_data), to.part[net],
                                       send->dest_id, send->tag, part);
                   });
}

na_return_t try_send(void* ctx, const na_send* send, bool expected) {
    const Context& context = context_of(ctx);
    const Address& to = *static_cast<Address*>(send->dest);
    const int net = net_of(to);
    const auto function = expected ? NA_Msg_try_send_expected : NA_Msg_try_send_unexpected;
    return function(context.cls->net[net], context.part[net], send->buf, send->size,
                    data_for(net, send->plugin_data), to.part[net], send->dest_id, send->tag);
}

na_return_t recv_unexpected(void* ctx, void* op, const na_recv* recv) {
    Context& context = context_of(ctx);
    const int net = context.receives[1].load(std::memory_order_relaxed) <
                            context.receives[0].load(std::memory_order_relaxed)
                        ? 1
                        : 0;
    context.receives[net].fetch_add(1, std::memory_order_relaxed);
    const na_return_t ret =
        post_to(context, op, net, [&](na_class_t* cls, na_context_t* below, na_op_id_t* part) {
            return NA_Msg_recv_unexpected(cls, below, on_done, op, recv->buf, recv->size,
                                          data_for(net, recv->plugin_data), part);
        });
    if (ret != NA_SUCCESS) context.receives[net].fetch_sub(1, std::memory_order_relaxed);
    return ret;
}

na_return_t recv_expected(void* ctx, void* op, const na_recv* recv) {
    const Address& from = *static_cast<Address*>(recv->source);
    const int net = net_of(from);
    return post_to(context_of(ctx), op, net,
                   [&](na_class_t* cls, na_context_t* context, na_op_id_t* part) {
                       return NA_Msg_recv_expected(cls, context, on_done, op, recv->buf, recv->size,
                                                   data_for(net, recv->plugin_data), from.part[net],
                                                   recv->source_id, recv->tag, part);
                   });
}

void* alloc_buffer(void* cls, std::size_t size, unsigned long flags, void** plugin_data) {
    return NA_Msg_buf_alloc(static_cast<Class*>(cls)->net[0], size, flags, plugin_data);
}

void free_buffer(void* cls, void* buf, void* plugin_data) {
    NA_Msg_buf_free(static_cast<Class*>(cls)->net[0], buf, plugin_data);
}

template <na_return_t (*function)(na_class_t*, na_context_t*, na_cb_t, void*, na_mem_handle_t*,
                                  na_offset_t, na_mem_handle_t*, na_offset_t, size_t, na_addr_t*,
                                  uint8_t, na_op_id_t*)>
na_return_t move(void* ctx, void* op, const na_rma* rma) {
    const Address& peer = *static_cast<Address*>(rma->remote);
    const int net = net_of(peer);
    na_mem_handle_t* local = static_cast<Memory*>(rma->local_mem)->part[net];
    na_mem_handle_t* remote = static_cast<Memory*>(rma->remote_mem)->part[net];
    // A description from elsewhere may lack what its sender should have had.
    if (local == nullptr || remote == nullptr) return NA_PROTOCOL_ERROR;
    return post_to(
        context_of(ctx), op, net, [&](na_class_t* cls, na_context_t* context, na_op_id_t* part) {
            return function(cls, context, on_done, op, local, rma->local_offset, remote,
                            rma->remote_offset, rma->size, peer.part[net], rma->remote_id, part);
        });
}

template <na_return_t (*function)(na_class_t*, na_context_t*, na_mem_handle_t*, na_offset_t,
                                  na_mem_handle_t*, na_offset_t, size_t, na_addr_t*, uint8_t)>
na_return_t try_move(void* ctx, const na_rma* rma) {
    const Context& context = context_of(ctx);
    const Address& peer = *static_cast<Address*>(rma->remote);
    const int net = net_of(peer);
    na_mem_handle_t* local = static_cast<Memory*>(rma->local_mem)->part[net];
    na_mem_handle_t* remote = static_cast<Memory*>(rma->remote_mem)->part[net];
    if (local == nullptr || remote == nullptr) return NA_PROTOCOL_ERROR;
    return function(context.cls->net[net], context.part[net], local, rma->local_offset, remote,
                    rma->remote_offset, rma->size, peer.part[net], rma->remote_id);
}

int get_fd(void* ctx) {
    return context_of(ctx).epoll.get();
}

bool try_wait(void* ctx) {
    const Context& context = context_of(ctx);
    for (int net = 0; net < net_count; ++net)
        if (!NA_Poll_try_wait(context.cls->net[net], context.part[net])) return false;
    return true;
}

na_return_t poll(void* ctx, unsigned int* count) {
    const Context& context = context_of(ctx);
    for (int net = 0; net < net_count; ++net) {
        unsigned int made = 0;
        const na_return_t ret = NA_Poll(context.cls->net[net], context.part[net], &made);
        if (count != nullptr) *count += made;
        if (ret != NA_SUCCESS) return ret;
    }
    return NA_SUCCESS;
}

na_return_t cancel(void* ctx, void* block) {
    const Op& op = *static_cast<Op*>(block);
    const int net = op.net.load(std::memory_order_acquire);
    return NA_Cancel(op.cls->net[net], context_of(ctx).part[net], op.part[net]);
}

}  // namespace

thread_local const LocalAtomic<int>* opened_receives = nullptr;

na_return_t open_context(void* cls, void* ctx, std::uint8_t id) {
    auto* context = new (ctx) Context{static_cast<Class*>(cls), {}, {}, {}, {}};
    opened_receives = context->receives;
    na_return_t ret = NA_SUCCESS;
    for (int net = 0; net < net_count && ret == NA_SUCCESS; ++net) {
        context->part[net] = NA_Context_create_sink(context->cls->net[net], id);
        if (context->part[net] == nullptr) ret = NA_IO_ERROR;
    }
    if (ret == NA_SUCCESS) ret = watch_both(*context);
    if (ret != NA_SUCCESS) (void)close_context(cls, ctx);
    return ret;
}

na_return_t close_context(void*, void* ctx) {
    Context& context = context_of(ctx);
    for (auto& senders : context.senders)
        for (Address*& kept : senders)
            if (Address* address = std::exchange(kept, nullptr)) host().addr_unref(address);
    for (int net = 0; net < net_count; ++net) {
        if (context.part[net] == nullptr) continue;
        if (const na_return_t ret = NA_Context_destroy(context.cls->net[net], context.part[net]);
            ret != NA_SUCCESS)
            return ret;
        context.part[net] = nullptr;
    }
    context.~Context();
    return NA_SUCCESS;
}

void close_op(void* cls, void* block) {
    Op& op = *static_cast<Op*>(block);
    for (int net = 0; net < net_count; ++net)
        if (op.part[net] != nullptr)
            NA_Op_destroy(static_cast<Class*>(cls)->net[net], op.part[net]);
}

const na_plugin_message_ops message_ops = {sizeof(na_plugin_message_ops),
                                           alloc_buffer,
                                           free_buffer,
                                           nullptr,
                                           nullptr,
                                           send<NA_Msg_send_unexpected>,
                                           recv_unexpected,
                                           nullptr,
                                           send<NA_Msg_send_expected>,
                                           recv_expected,
                                           try_send};

const na_plugin_rma_ops rma_ops = {sizeof(na_plugin_rma_ops), move<NA_Put>, move<NA_Get>,
                                   try_move<NA_Try_put>, try_move<NA_Try_get>};

const na_plugin_progress_ops progress_ops = {
    sizeof(na_plugin_progress_ops), get_fd, try_wait, poll, nullptr, cancel};

}  // namespace cinnabar::hg::route
