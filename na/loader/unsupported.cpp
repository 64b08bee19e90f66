// SPDX-License-Identifier: BSD-3-Clause
// What an absent slot of a plugin does: "not supported", or the default that na_plugin.h names.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "na/loader/loader.hpp"

namespace cinnabar::na {
namespace {

// A function of any slot's type that gives NA_OPNOTSUPPORTED.
template <class... Args>
na_return_t unsupported(Args...) {
    return NA_OPNOTSUPPORTED;
}
template <class... Args>
na_return_t succeed(Args...) {
    return NA_SUCCESS;
}
template <class... Args>
na_return_t not_now(Args...) {
    return NA_AGAIN;
}
template <class... Args>
void nothing(Args...) {}
template <class... Args>
bool no(Args...) {
    return false;
}
template <class... Args>
std::size_t zero(Args...) {
    return 0;
}

template <class Slot>
void or_else(Slot& slot, Slot fallback) {
    if (slot == nullptr) slot = fallback;
}

void* buf_alloc(void*, std::size_t size, unsigned long, void** plugin_data) {
    *plugin_data = nullptr;
    // Not page aligned: buffers that all start at the same page offset would fight for the same
    // cache sets.
    return std::aligned_alloc(64, (size + 63) / 64 * 64);
}

void buf_free(void*, void* buf, void*) {
    std::free(buf);
}

void* mem_alloc(void*, std::size_t size) {
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

void mem_free(void*, void* buf, std::size_t size) {
    ::munmap(buf, size);
}

void get_limits(void*, na_limits* limits) {
    const std::size_t size = limits->size;
    std::memset(limits, 0, size);
    limits->size = size;
}

int no_descriptor(void*) {
    return -1;
}
bool same_object(void*, void* a, void* b) {
    return a == b;
}

}  // namespace

void fill_unsupported(Plugin& p) {
    or_else(p.cls.list, nothing);
    or_else(p.cls.close, nothing);
    or_else(p.cls.get_limits, get_limits);
    or_else(p.cls.has_feature, no);
    or_else(p.cls.context_open, succeed);
    or_else(p.cls.context_close, succeed);
    or_else(p.cls.op_open, succeed);
    or_else(p.cls.op_close, nothing);

    or_else(p.address.lookup, unsupported);
    or_else(p.address.self, unsupported);
    or_else(p.address.destroy, nothing);
    or_else(p.address.set_remove, succeed);
    or_else(p.address.equal, same_object);
    or_else(p.address.is_self, no);
    or_else(p.address.to_string, unsupported);
    or_else(p.address.serialize_size, zero);
    or_else(p.address.serialize, unsupported);
    or_else(p.address.deserialize, unsupported);

    if (p.message.buf_alloc == nullptr || p.message.buf_free == nullptr) {
        p.message.buf_alloc = buf_alloc;
        p.message.buf_free = buf_free;
    }
    or_else(p.message.init_unexpected, succeed);
    or_else(p.message.init_expected, succeed);
    or_else(p.message.send_unexpected, unsupported);
    or_else(p.message.recv_unexpected, unsupported);
    or_else(p.message.multi_recv_unexpected, unsupported);
    or_else(p.message.send_expected, unsupported);
    or_else(p.message.recv_expected, unsupported);
    or_else(p.message.try_send, not_now);

    if (p.memory.alloc == nullptr || p.memory.free == nullptr) {
        p.memory.alloc = mem_alloc;
        p.memory.free = mem_free;
    }
    or_else(p.memory.create, unsupported);
    or_else(p.memory.destroy, nothing);
    or_else(p.memory.register_, succeed);
    or_else(p.memory.deregister, succeed);
    or_else(p.memory.serialize_size, zero);
    or_else(p.memory.serialize, unsupported);
    or_else(p.memory.deserialize, unsupported);

    or_else(p.rma.put, unsupported);
    or_else(p.rma.get, unsupported);
    or_else(p.rma.try_put, not_now);
    or_else(p.rma.try_get, not_now);

    or_else(p.progress.get_fd, no_descriptor);
    or_else(p.progress.try_wait, no);
    or_else(p.progress.poll, succeed);
    or_else(p.progress.wake, nothing);
    or_else(p.progress.cancel, unsupported);
    if (p.forked == nullptr) p.forked = [] {};
}

}  // namespace cinnabar::na
