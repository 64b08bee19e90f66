// SPDX-License-Identifier: BSD-3-Clause
// The core level's addresses, and addresses as bytes.
#include <memory>

#include "hg/capi/core_cast.hpp"
#include "hg/core/address.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

namespace {

struct CoreLookup {
    hg_core_cb_t callback;
    void* arg;
};

hg_return_t run_core_lookup(const hg_cb_info* info) {
    const std::unique_ptr<CoreLookup> lookup(static_cast<CoreLookup*>(info->arg));
    hg_core_cb_info core_info{};
    core_info.info.lookup.addr = core(info->info.lookup.addr);
    core_info.arg = lookup->arg;
    core_info.type = info->type;
    core_info.ret = info->ret;
    return lookup->callback(&core_info);
}

}  // namespace

hg_return_t HG_Core_addr_lookup1(hg_core_context_t* context, hg_core_cb_t callback, void* arg,
                                 const char* name, hg_core_op_id_t* op_id) {
    if (callback == nullptr) return HG_INVALID_ARG;
    return border("HG_Core_addr_lookup1", [&] {
        auto lookup = std::make_unique<CoreLookup>(CoreLookup{callback, arg});
        const hg_return_t ret =
            HG_Addr_lookup1(of(context), run_core_lookup, lookup.get(), name, HG_OP_ID_IGNORE);
        if (ret != HG_SUCCESS) return ret;
        (void)lookup.release();
        if (op_id != nullptr && op_id != HG_CORE_OP_ID_IGNORE) *op_id = HG_CORE_OP_ID_NULL;
        return ret;
    });
}

hg_return_t HG_Core_addr_lookup2(hg_core_class_t* hg_core_class, const char* name,
                                 hg_core_addr_t* addr_p) {
    return HG_Addr_lookup2(of(hg_core_class), name, reinterpret_cast<hg_addr_t*>(addr_p));
}

hg_return_t HG_Core_addr_free(hg_core_addr_t addr) {
    release_address(of(addr));
    return HG_SUCCESS;
}

hg_return_t HG_Core_addr_set_remove(hg_core_addr_t addr) {
    return addr == nullptr ? HG_INVALID_ARG : HG_Addr_set_remove(of(addr)->cls, of(addr));
}

na_addr_t* HG_Core_addr_get_na(hg_core_addr_t addr) {
    return addr == nullptr ? nullptr : of(addr)->na;
}

na_addr_t* HG_Core_addr_get_na_sm(hg_core_addr_t) {
    return nullptr;
}

hg_return_t HG_Core_addr_self(hg_core_class_t* hg_core_class, hg_core_addr_t* addr_p) {
    return HG_Addr_self(of(hg_core_class), reinterpret_cast<hg_addr_t*>(addr_p));
}

hg_return_t HG_Core_addr_dup(hg_core_addr_t addr, hg_core_addr_t* new_addr_p) {
    if (addr == nullptr) return HG_INVALID_ARG;
    return HG_Addr_dup(of(addr)->cls, of(addr), reinterpret_cast<hg_addr_t*>(new_addr_p));
}

uint8_t HG_Core_addr_cmp(hg_core_addr_t addr1, hg_core_addr_t addr2) {
    if (addr1 == addr2) return 1;
    return addr1 == nullptr ? uint8_t{0} : HG_Addr_cmp(of(addr1)->cls, of(addr1), of(addr2));
}

bool HG_Core_addr_is_self(hg_core_addr_t addr) {
    return addr != nullptr && of(addr)->self;
}

hg_return_t HG_Core_addr_to_string(char* buf, hg_size_t* buf_size, hg_core_addr_t addr) {
    if (addr == nullptr) return HG_INVALID_ARG;
    return HG_Addr_to_string(of(addr)->cls, buf, buf_size, of(addr));
}

hg_size_t HG_Core_addr_get_serialize_size(hg_core_addr_t addr, unsigned long) {
    return addr == nullptr ? 0 : NA_Addr_get_serialize_size(of(addr)->cls->na, of(addr)->na);
}

hg_return_t HG_Core_addr_serialize(void* buf, hg_size_t buf_size, unsigned long,
                                   hg_core_addr_t addr) {
    if (addr == nullptr || buf == nullptr) return HG_INVALID_ARG;
    return from_na(NA_Addr_serialize(of(addr)->cls->na, buf, buf_size, of(addr)->na));
}

hg_return_t HG_Core_addr_deserialize(hg_core_class_t* hg_core_class, hg_core_addr_t* addr_p,
                                     const void* buf, hg_size_t buf_size, uint64_t flags) {
    if (hg_core_class == nullptr || addr_p == nullptr || buf == nullptr) return HG_INVALID_ARG;
    return border("HG_Core_addr_deserialize", [&] {
        hg_class& cls = *of(hg_core_class);
        na_addr_t* na = nullptr;
        if (const na_return_t ret = NA_Addr_deserialize(cls.na, &na, buf, buf_size, flags);
            ret != NA_SUCCESS)
            return from_na(ret);
        *addr_p = core(new_address(cls, na, NA_Addr_is_self(cls.na, na)));
        return HG_SUCCESS;
    });
}
