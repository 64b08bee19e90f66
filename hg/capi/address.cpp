// SPDX-License-Identifier: BSD-3-Clause
// Addresses.
#include <memory>

#include "hg/core/address.hpp"
#include "hg/core/context.hpp"
#include "hg/core/route.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

namespace {

bool belongs(const hg_class* cls, const hg_addr* addr) {
    return cls != nullptr && addr != nullptr && addr->cls == cls;
}

// The callback form of lookup: the result is known at once, the callback runs at trigger.
struct LookupCompletion : Completion {
    hg_cb_t callback;
    void* arg;
    hg_addr* addr;
};

void run_lookup_callback(Completion& completion) noexcept {
    const std::unique_ptr<LookupCompletion> lookup(static_cast<LookupCompletion*>(&completion));
    hg_cb_info info{};
    info.info.lookup.addr = lookup->addr;
    info.arg = lookup->arg;
    info.type = HG_CB_LOOKUP;
    info.ret = HG_SUCCESS;
    (void)lookup->callback(&info);
}

}  // namespace

hg_return_t HG_Addr_lookup1(hg_context_t* context, hg_cb_t callback, void* arg, const char* name,
                            hg_op_id_t* op_id_p) {
    // Without a callback nobody would own the address.
    if (context == nullptr || callback == nullptr || name == nullptr) return HG_INVALID_ARG;
    return border("HG_Addr_lookup1", [&] {
        auto lookup = std::make_unique<LookupCompletion>();
        if (const hg_return_t ret = lookup_address(*context->cls, name, &lookup->addr);
            ret != HG_SUCCESS)
            return ret;
        lookup->callback = callback;
        lookup->arg = arg;
        lookup->run = run_lookup_callback;
        if (op_id_p != nullptr && op_id_p != HG_OP_ID_IGNORE) *op_id_p = HG_OP_ID_NULL;
        context->completions.push(*lookup.release());
        return HG_SUCCESS;
    });
}

hg_return_t HG_Addr_lookup2(hg_class_t* hg_class, const char* name, hg_addr_t* addr_p) {
    if (hg_class == nullptr || name == nullptr || addr_p == nullptr) return HG_INVALID_ARG;
    return border("HG_Addr_lookup2", [&] { return lookup_address(*hg_class, name, addr_p); });
}

hg_return_t HG_Addr_free(hg_class_t* hg_class, hg_addr_t addr) {
    if (addr == HG_ADDR_NULL) return HG_SUCCESS;
    if (!belongs(hg_class, addr)) return HG_INVALID_ARG;
    release_address(addr);
    return HG_SUCCESS;
}

hg_return_t HG_Addr_set_remove(hg_class_t* hg_class, hg_addr_t addr) {
    if (!belongs(hg_class, addr)) return HG_INVALID_ARG;
    return from_na(NA_Addr_set_remove(hg_class->na, addr->na));
}

hg_return_t HG_Addr_self(hg_class_t* hg_class, hg_addr_t* addr_p) {
    if (hg_class == nullptr || addr_p == nullptr) return HG_INVALID_ARG;
    return border("HG_Addr_self", [&] { return self_address(*hg_class, addr_p); });
}

hg_return_t HG_Addr_dup(hg_class_t* hg_class, hg_addr_t addr, hg_addr_t* new_addr_p) {
    if (!belongs(hg_class, addr) || new_addr_p == nullptr) return HG_INVALID_ARG;
    hg_addr* copy = dup_address(addr);
    if (copy == nullptr) return HG_NOMEM;
    *new_addr_p = copy;
    return HG_SUCCESS;
}

uint8_t HG_Addr_cmp(hg_class_t* hg_class, hg_addr_t addr1, hg_addr_t addr2) {
    if (addr1 == addr2) return 1;
    if (!belongs(hg_class, addr1) || !belongs(hg_class, addr2)) return 0;
    if (addr1->self && addr2->self) return 1;
    return NA_Addr_cmp(hg_class->na, addr1->na, addr2->na) ? 1 : 0;
}

hg_return_t HG_Addr_to_string(hg_class_t* hg_class, char* buf, hg_size_t* buf_size_p,
                              hg_addr_t addr) {
    if (!belongs(hg_class, addr) || buf_size_p == nullptr) return HG_INVALID_ARG;
    return border("HG_Addr_to_string", [&] {
        size_t size = *buf_size_p;
        const na_return_t ret = hg_class->routed
                                    ? route_to_string(hg_class->na, buf, &size, addr->na)
                                    : NA_Addr_to_string(hg_class->na, buf, &size, addr->na);
        *buf_size_p = size;
        return from_na(ret);
    });
}
