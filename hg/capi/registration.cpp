// SPDX-License-Identifier: BSD-3-Clause
// Registering RPCs by name and id, with data.
#include "hg/core/class.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

hg_id_t HG_Register_name(hg_class_t* hg_class, const char* func_name, hg_proc_cb_t in_proc_cb,
                         hg_proc_cb_t out_proc_cb, hg_rpc_cb_t rpc_cb) {
    if (hg_class == nullptr || func_name == nullptr) return 0;
    const hg_id_t id = id_of_name(func_name);
    if (HG_Register(hg_class, id, in_proc_cb, out_proc_cb, rpc_cb) != HG_SUCCESS) return 0;
    return id;
}

hg_return_t HG_Registered_name(hg_class_t* hg_class, const char* func_name, hg_id_t* id_p,
                               uint8_t* flag_p) {
    if (hg_class == nullptr || func_name == nullptr || flag_p == nullptr) return HG_INVALID_ARG;
    const hg_id_t id = id_of_name(func_name);
    if (id_p != nullptr) *id_p = id;
    *flag_p = hg_class->registry.find(id) != nullptr ? 1 : 0;
    return HG_SUCCESS;
}

hg_return_t HG_Register(hg_class_t* hg_class, hg_id_t id, hg_proc_cb_t in_proc_cb,
                        hg_proc_cb_t out_proc_cb, hg_rpc_cb_t rpc_cb) {
    if (hg_class == nullptr || id == 0) return HG_INVALID_ARG;
    return border("HG_Register", [&] {
        hg_class->registry.put(id, in_proc_cb, out_proc_cb, rpc_cb);
        return HG_SUCCESS;
    });
}

hg_return_t HG_Deregister(hg_class_t* hg_class, hg_id_t id) {
    if (hg_class == nullptr) return HG_INVALID_ARG;
    return border("HG_Deregister",
                  [&] { return hg_class->registry.remove(id) ? HG_SUCCESS : HG_NOENTRY; });
}

hg_return_t HG_Registered(hg_class_t* hg_class, hg_id_t id, uint8_t* flag_p) {
    if (hg_class == nullptr || flag_p == nullptr) return HG_INVALID_ARG;
    *flag_p = hg_class->registry.find(id) != nullptr ? 1 : 0;
    return HG_SUCCESS;
}

hg_return_t HG_Registered_proc_cb(hg_class_t* hg_class, hg_id_t id, uint8_t* flag_p,
                                  hg_proc_cb_t* in_proc_cb_p, hg_proc_cb_t* out_proc_cb_p) {
    if (hg_class == nullptr || flag_p == nullptr) return HG_INVALID_ARG;
    const RpcRecord* rpc = hg_class->registry.find(id);
    *flag_p = rpc != nullptr ? 1 : 0;
    if (in_proc_cb_p != nullptr) *in_proc_cb_p = rpc == nullptr ? nullptr : rpc->in_proc.load();
    if (out_proc_cb_p != nullptr) *out_proc_cb_p = rpc == nullptr ? nullptr : rpc->out_proc.load();
    return HG_SUCCESS;
}

hg_return_t HG_Register_data(hg_class_t* hg_class, hg_id_t id, void* data,
                             void (*free_callback)(void*)) {
    if (hg_class == nullptr) return HG_INVALID_ARG;
    RpcRecord* rpc = hg_class->registry.find(id);
    if (rpc == nullptr) return HG_NOENTRY;
    rpc->data.store(data);
    rpc->data_free.store(free_callback);
    return HG_SUCCESS;
}

void* HG_Registered_data(hg_class_t* hg_class, hg_id_t id) {
    if (hg_class == nullptr) return nullptr;
    const RpcRecord* rpc = hg_class->registry.find(id);
    return rpc == nullptr ? nullptr : rpc->data.load();
}

hg_return_t HG_Registered_disable_response(hg_class_t* hg_class, hg_id_t id, uint8_t disable) {
    if (hg_class == nullptr) return HG_INVALID_ARG;
    RpcRecord* rpc = hg_class->registry.find(id);
    if (rpc == nullptr) return HG_NOENTRY;
    rpc->no_response.store(disable != 0);
    return HG_SUCCESS;
}

hg_return_t HG_Registered_disabled_response(hg_class_t* hg_class, hg_id_t id, uint8_t* disabled_p) {
    if (hg_class == nullptr || disabled_p == nullptr) return HG_INVALID_ARG;
    const RpcRecord* rpc = hg_class->registry.find(id);
    if (rpc == nullptr) return HG_NOENTRY;
    *disabled_p = rpc->no_response.load() ? 1 : 0;
    return HG_SUCCESS;
}
