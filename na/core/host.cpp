// SPDX-License-Identifier: BSD-3-Clause
// What libna lends to plugins: completing operations and counting addresses.
#include "na/base/local_atomic.hpp"
#include "na/core/class.hpp"

namespace cinnabar::na {
namespace {

inline void fill_info(na_cb_info& info, const na_completion& completion) noexcept {
    info.ret = completion.ret;
    switch (info.type) {
        case NA_CB_RECV_UNEXPECTED:
            info.info.recv_unexpected = {
                completion.size,
                completion.source == nullptr ? nullptr : header_of<na_addr>(completion.source),
                completion.tag};
            break;
        case NA_CB_MULTI_RECV_UNEXPECTED:
            info.info.multi_recv_unexpected = {
                completion.size,
                completion.source == nullptr ? nullptr : header_of<na_addr>(completion.source),
                completion.tag, completion.buf, !completion.more};
            break;
        case NA_CB_RECV_EXPECTED:
            info.info.recv_expected = {completion.size};
            break;
        default:
            break;
    }
}

void addr_unref(void* addr_part) noexcept;

void complete(void* op_part, const na_completion* given) noexcept {
    auto* op = header_of<na_op_id>(op_part);
    na_context* context = op->context;
    const na_completion* completion = given;
    na_completion failed;
    if (given->source != nullptr) {
        if (given->ret == NA_SUCCESS) {
            addr_lend(header_of<na_addr>(given->source));
        } else {
            // Callbacks get no source on error.
            failed = *given;
            failed.source = nullptr;
            completion = &failed;
            addr_unref(given->source);
        }
    }
    if (context->sink) {
        const na_cb_t callback = op->callback;
        na_cb_info info;
        info.arg = op->info.arg;
        info.type = op->info.type;
        fill_info(info, *completion);
        if (!completion->more) op->posted.store(false, std::memory_order_release);
        if (callback != nullptr)
            callback(&info);
        else if (completion->source != nullptr)
            addr_release(header_of<na_addr>(completion->source));
        return;
    }
    fill_info(op->info, *completion);
    context->completion_count.fetch_add(1, std::memory_order_seq_cst);
    context->completions.push(op->node);
    if (context->sleepers.load(std::memory_order_seq_cst) > 0 ||
        context->armed.load(std::memory_order_seq_cst))
        context->cls->plugin->progress.wake(part(context));
}

void* addr_create(void* cls_part) noexcept {
    auto* cls = header_of<na_class>(cls_part);
    auto* addr = new_object<na_addr>(cls->plugin->table->addr_size, cls, one_reference);
    return addr == nullptr ? nullptr : part(addr);
}

void drop(na_addr* addr, std::uint64_t amount) noexcept {
    // Read first: once the reference is back, another thread may free the address.
    na_class* cls = addr->cls;
    const std::uint64_t before = addr->references.fetch_sub(amount, std::memory_order_acq_rel);
    const bool last_user = amount == one_user && (before >> 32) == 1;
    if ((before & 0xffffffffu) == 1) {
        cls->plugin->address.destroy(part(cls), part(addr));
        delete_object(addr);
    }
    if (last_user) cls->addresses_in_use.fetch_sub(1, std::memory_order_release);
}

void addr_ref(void* addr_part) noexcept {
    header_of<na_addr>(addr_part)->references.fetch_add(one_reference, std::memory_order_relaxed);
}

bool addr_try_ref(void* addr_part) noexcept {
    LocalAtomic<std::uint64_t>& references = header_of<na_addr>(addr_part)->references;
    std::uint64_t seen = references.load(std::memory_order_relaxed);
    while ((seen & 0xffffffffu) != 0)
        if (references.compare_exchange_weak(seen, seen + one_reference, std::memory_order_acq_rel))
            return true;
    return false;
}

void addr_unref(void* addr_part) noexcept {
    drop(header_of<na_addr>(addr_part), one_reference);
}

}  // namespace

void addr_lend(na_addr* addr) noexcept {
    const std::uint64_t before =
        addr->references.fetch_add(one_user - one_reference, std::memory_order_relaxed);
    if ((before >> 32) == 0) addr->cls->addresses_in_use.fetch_add(1, std::memory_order_relaxed);
}

void addr_acquire(na_addr* addr) noexcept {
    const std::uint64_t before = addr->references.fetch_add(one_user, std::memory_order_relaxed);
    if ((before >> 32) == 0) addr->cls->addresses_in_use.fetch_add(1, std::memory_order_relaxed);
}

void addr_release(na_addr* addr) noexcept {
    drop(addr, one_user);
}

const na_host host_functions{sizeof(na_host), complete,       addr_create,  addr_ref,
                             addr_unref,      NA_Log_enabled, NA_Log_write, addr_try_ref};

}  // namespace cinnabar::na
