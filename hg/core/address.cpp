// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/address.hpp"

#include "hg/core/route.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::hg {

hg_addr* new_address(hg_class& cls, na_addr_t* na, bool self) {
    auto* addr = new (std::nothrow) hg_addr;
    if (addr == nullptr) {
        NA_Addr_free(cls.na, na);
        throw std::bad_alloc();
    }
    addr->cls = &cls;
    addr->na = na;
    addr->self = self;
    cls.addresses.fetch_add(1, std::memory_order_relaxed);
    return addr;
}

hg_addr* dup_address(hg_addr* addr) noexcept {
    if (!addr->embedded) {
        addr->references.fetch_add(1, std::memory_order_relaxed);
        return addr;
    }
    na_addr_t* na = nullptr;
    if (NA_Addr_dup(addr->cls->na, addr->na, &na) != NA_SUCCESS) return nullptr;
    try {
        return new_address(*addr->cls, na, addr->self);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void release_address(hg_addr* addr) noexcept {
    if (addr == nullptr || addr->embedded) return;
    if (addr->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    hg_class& cls = *addr->cls;
    NA_Addr_free(cls.na, addr->na);
    delete addr;
    cls.addresses.fetch_sub(1, std::memory_order_release);
}

hg_return_t lookup_address(hg_class& cls, const char* name, hg_addr** addr) {
    na_addr_t* na = nullptr;
    if (const na_return_t ret =
            cls.routed ? route_lookup(cls.na, name, &na) : NA_Addr_lookup(cls.na, name, &na);
        ret != NA_SUCCESS)
        return from_na(ret);
    *addr = new_address(cls, na, false);
    return HG_SUCCESS;
}

hg_return_t self_address(hg_class& cls, hg_addr** addr) {
    na_addr_t* na = nullptr;
    if (const na_return_t ret = NA_Addr_self(cls.na, &na); ret != NA_SUCCESS) return from_na(ret);
    *addr = new_address(cls, na, true);
    return HG_SUCCESS;
}

}  // namespace cinnabar::hg
