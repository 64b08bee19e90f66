// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/handle_pool.hpp"

#include "hg/core/context.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

constexpr std::size_t buffers_per_slab = 64;

std::size_t stride_of(std::size_t size) {
    // One cache line more than a multiple of the page, so that equal offsets fall into different
    // sets.
    return (size + 63) / 64 * 64 + 64;
}

}  // namespace

HandlePool::~HandlePool() {
    hg_class& cls = *context_.cls;
    for (hg_handle* handle : all_)
        destroy(cls, handle);
    for (const Slab& slab : slabs_)
        NA_Msg_buf_free(cls.na, slab.memory, slab.plugin_data);
}

void HandlePool::destroy(hg_class& cls, hg_handle* handle) noexcept {
    if (handle->data_free != nullptr && handle->data != nullptr) handle->data_free(handle->data);
    proc_release(handle->in_proc);
    proc_release(handle->out_proc);
    for (na_op_id_t* op : {handle->send_op, handle->recv_op, handle->ack_op})
        if (op != nullptr) NA_Op_destroy(cls.na, op);
    delete handle;
}

hg_return_t HandlePool::make_buffer(std::size_t size, unsigned long flags, MessageBuffer* buffer) {
    const std::size_t stride = stride_of(size);
    if (slab_left_ == 0 || stride > slab_stride_) {
        void* plugin_data = nullptr;
        void* memory =
            NA_Msg_buf_alloc(context_.cls->na, stride * buffers_per_slab, flags, &plugin_data);
        if (memory == nullptr) return fail(HG_NOMEM, "hg_rpc", "out of memory for message buffers");
        slabs_.push_back({memory, plugin_data});
        slab_next_ = static_cast<char*>(memory);
        slab_left_ = buffers_per_slab;
        slab_stride_ = stride;
    }
    buffer->data = slab_next_;
    buffer->plugin_data = slabs_.back().plugin_data;
    slab_next_ += slab_stride_;
    --slab_left_;
    return HG_SUCCESS;
}

hg_return_t HandlePool::make(Role role, bool with_input, hg_handle** made) {
    hg_class& cls = *context_.cls;
    auto handle = std::make_unique<hg_handle>();
    handle->info.hg_class = &cls;
    handle->info.context = &context_;
    handle->role = role;
    handle->completion.owner = handle.get();
    handle->source.cls = &cls;
    handle->source.embedded = true;
    // What checksum_level asks for is computed over whole messages (hg/wire/digest.hpp).
    (void)proc_init(handle->in_proc, &cls, HG_NOHASH);
    (void)proc_init(handle->out_proc, &cls, HG_NOHASH);
    handle->send_op = NA_Op_create(cls.na, NA_OP_SINGLE);
    handle->recv_op = NA_Op_create(cls.na, NA_OP_SINGLE);
    hg_return_t ret =
        handle->send_op == nullptr || handle->recv_op == nullptr ? HG_NOMEM : HG_SUCCESS;
    const std::size_t in_size = cls.request_start + cls.request_room;
    const std::size_t out_size = cls.response_start + cls.response_room;
    {
        MutexLock lock(mutex_);
        if (ret == HG_SUCCESS && with_input)
            ret = make_buffer(std::max(in_size, out_size), NA_SEND | NA_RECV, &handle->in);
        // A target's output buffer comes with its first response: most pre-posted handles never
        // need one.
        if (ret == HG_SUCCESS && role == Role::origin)
            ret = make_buffer(std::max(in_size, out_size), NA_SEND | NA_RECV, &handle->out);
        if (ret == HG_SUCCESS) all_.push_back(handle.get());
        if (ret == HG_SUCCESS && role == Role::target) targets_.push_back(handle.get());
    }
    if (ret != HG_SUCCESS) {
        destroy(cls, handle.release());
        return ret;
    }
    // From here on the handle is the pool's, whatever the user's callback says.
    *made = handle.release();
    if (role == Role::target && context_.handle_create != nullptr)
        return context_.handle_create(*made, context_.handle_create_arg);
    return HG_SUCCESS;
}

hg_return_t HandlePool::provide_output(hg_handle& handle) noexcept {
    if (handle.out.data != nullptr) return HG_SUCCESS;
    const hg_class& cls = *context_.cls;
    const std::size_t size =
        std::max(cls.request_start + cls.request_room, cls.response_start + cls.response_room);
    return border("respond", [&] {
        MutexLock lock(mutex_);
        return make_buffer(size, NA_SEND | NA_RECV, &handle.out);
    });
}

hg_return_t HandlePool::acquire(hg_handle** acquired) {
    hg_handle* handle = free_.take();
    if (handle == nullptr)
        if (const hg_return_t ret = make(Role::origin, true, &handle); ret != HG_SUCCESS)
            return ret;
    if (context_.handle_create != nullptr) {
        if (const hg_return_t ret = context_.handle_create(handle, context_.handle_create_arg);
            ret != HG_SUCCESS) {
            in_use_.fetch_add(1, std::memory_order_relaxed);
            release(*handle);
            return ret;
        }
    }
    in_use_.fetch_add(1, std::memory_order_relaxed);
    *acquired = handle;
    return HG_SUCCESS;
}

void HandlePool::release(hg_handle& handle) noexcept {
    if (handle.data_free != nullptr && handle.data != nullptr) handle.data_free(handle.data);
    handle.data = nullptr;
    handle.data_free = nullptr;
    free_.put(handle);
    in_use_.fetch_sub(1, std::memory_order_release);
}

hg_return_t HandlePool::acquire_local(hg_handle** handle) {
    *handle = local_targets_.take();
    return *handle != nullptr ? HG_SUCCESS : make(Role::target, true, handle);
}

hg_return_t HandlePool::make_target(hg_handle** handle) {
    return make(Role::target, true, handle);
}

hg_return_t HandlePool::acquire_shell(hg_handle** handle) {
    *handle = shells_.take();
    return *handle != nullptr ? HG_SUCCESS : make(Role::target, false, handle);
}

}  // namespace cinnabar::hg
