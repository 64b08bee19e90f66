// SPDX-License-Identifier: BSD-3-Clause
// Life of handles: creating, binding to a peer and an RPC, counting, recycling.
#include "hg/core/handle.hpp"

#include <cstdlib>

#include "hg/core/context.hpp"
#include "hg/core/overflow.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {
namespace {

// Binds an origin handle; on error it is left unbound.
hg_return_t bind(hg_handle& handle, hg_addr* addr, hg_id_t id) {
    hg_addr* kept = nullptr;
    if (addr != nullptr) {
        if (addr->cls != &handle.cls())
            return fail(HG_INVALID_ARG, "hg_rpc", "the address belongs to another class");
        kept = dup_address(addr);
        if (kept == nullptr) return HG_NOMEM;
    }
    RpcRecord* rpc = nullptr;
    if (id != 0) {
        rpc = handle.cls().registry.find(id);
        if (rpc == nullptr) {
            release_address(kept);
            return fail(HG_NOENTRY, "hg_rpc", "RPC id {:#x} is not registered", id);
        }
    }
    handle.info.addr = kept;
    if (handle.rpc != rpc) handle.no_response = rpc != nullptr && rpc->no_response.load();
    handle.rpc = rpc;
    handle.info.id = id;
    handle.info.context_id = 0;
    return HG_SUCCESS;
}

void unbind(hg_handle& handle) noexcept {
    release_address(handle.info.addr);
    handle.info.addr = nullptr;
}

void recycle_origin(hg_handle& handle) noexcept {
    release_payloads(handle);
    unbind(handle);
    handle.rpc = nullptr;
    handle.local = false;
    handle.context().pool.release(handle);
}

void recycle_target(hg_handle& handle) noexcept {
    release_payloads(handle);
    hg_context& context = handle.context();
    if (handle.local) {
        unbind(handle);
        handle.local = false;
        handle.serial.fetch_add(1, std::memory_order_relaxed);
        context.pool.release_local(handle);
        context.targets_in_use.fetch_sub(1, std::memory_order_release);
        return;
    }
    if (handle.source.na != nullptr) NA_Addr_free(context.cls->na, handle.source.na);
    handle.source.na = nullptr;
    handle.info.addr = nullptr;
    handle.serial.fetch_add(1, std::memory_order_relaxed);
    if (handle.in.data == nullptr) {
        context.pool.release_shell(handle);
    } else if (context.receiving.load(std::memory_order_acquire)) {
        receive_again(handle);
    }
    context.targets_in_use.fetch_sub(1, std::memory_order_release);
}

}  // namespace

void release_payloads(hg_handle& handle) noexcept {
    if (handle.holds_more_data) {
        handle.holds_more_data = false;
        handle.more_data = false;
        if (auto* release = handle.cls().more_data_release; release != nullptr)
            release(reinterpret_cast<hg_core_handle_t>(&handle));
    }
    if (handle.in_overflow != nullptr) overflow_release(std::exchange(handle.in_overflow, nullptr));
    if (handle.out_overflow != nullptr)
        overflow_release(std::exchange(handle.out_overflow, nullptr));
    handle.input = {};
    handle.output = {};
}

hg_return_t create_handle(hg_context& context, hg_addr* addr, hg_id_t id, hg_handle** created) {
    hg_handle* handle = nullptr;
    if (const hg_return_t ret = context.pool.acquire(&handle); ret != HG_SUCCESS) return ret;
    handle->references.store(1, std::memory_order_relaxed);
    handle->cancelled.store(false, std::memory_order_relaxed);
    if (const hg_return_t ret = bind(*handle, addr, id); ret != HG_SUCCESS) {
        unref_handle(*handle);
        return ret;
    }
    *created = handle;
    return HG_SUCCESS;
}

hg_return_t reset_handle(hg_handle& handle, hg_addr* addr, hg_id_t id) {
    if (handle.role != Role::origin)
        return fail(HG_INVALID_ARG, "hg_rpc", "only handles from HG_Create() can be reset");
    if (handle.busy.load(std::memory_order_acquire)) return HG_BUSY;
    release_payloads(handle);
    // The new address may be the handle's own: bind() counts it before the old one is let go.
    hg_addr* old = std::exchange(handle.info.addr, nullptr);
    const hg_return_t ret = bind(handle, addr, id);
    release_address(old);
    return ret;
}

void recycle_handle(hg_handle& handle) noexcept {
    if (handle.role == Role::origin)
        recycle_origin(handle);
    else
        recycle_target(handle);
}

void release_input(hg_handle& handle) noexcept {
    if (handle.role != Role::target || handle.input_released) return;
    if (handle.local) {
        handle.input_released = true;
        return;
    }
    hg_context& context = handle.context();
    hg_handle* shell = nullptr;
    // Without a shell the buffer stays where it is, and is received into when the handle is free.
    if (border("release_input", [&] { return context.pool.acquire_shell(&shell); }) != HG_SUCCESS)
        return;
    handle.input_released = true;
    if (handle.in_overflow == nullptr) handle.input.data = nullptr;
    shell->in = std::exchange(handle.in, {});
    if (!context.receiving.load(std::memory_order_acquire)) return;
    receive_again(*shell);
}

hg_return_t provide_output(hg_handle& handle) noexcept {
    return handle.out.data != nullptr ? HG_SUCCESS : handle.context().pool.provide_output(handle);
}

void destroy_handle(hg_handle& handle) noexcept {
    const bool nobody_responds = handle.failure != HG_SUCCESS && !handle.responded &&
                                 !handle.no_response && handle.role == Role::target;
    if (nobody_responds) respond_error(handle, handle.failure);
    unref_handle(handle);
}

}  // namespace cinnabar::hg
