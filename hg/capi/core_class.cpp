// SPDX-License-Identifier: BSD-3-Clause
// The core level's classes, contexts and procedures.
#include "hg/capi/core_cast.hpp"
#include "hg/core/context.hpp"
#include "hg/core/handle.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

namespace {

hg_return_t run_core_rpc(hg_handle_t handle) {
    const hg_core_rpc_cb_t callback = handle->rpc->core_callback.load(std::memory_order_relaxed);
    return callback == nullptr ? HG_INVALID_ARG : callback(core(handle));
}

hg_return_t run_core_handle_create(hg_handle_t handle, void* arg) {
    const hg_context& context = *static_cast<hg_context*>(arg);
    return context.core_handle_create(core(handle), context.core_handle_create_arg);
}

}  // namespace

hg_return_t HG_Core_get_na_protocol_info(const char* info_string,
                                         struct na_protocol_info** na_protocol_info_p) {
    return HG_Get_na_protocol_info(info_string, na_protocol_info_p);
}

void HG_Core_free_na_protocol_info(struct na_protocol_info* na_protocol_info) {
    HG_Free_na_protocol_info(na_protocol_info);
}

hg_core_class_t* HG_Core_init(const char* na_info_string, uint8_t na_listen) {
    return core(HG_Init(na_info_string, na_listen));
}

hg_core_class_t* HG_Core_init_opt(const char* na_info_string, uint8_t na_listen,
                                  const struct hg_init_info* hg_init_info) {
    return core(HG_Init_opt(na_info_string, na_listen, hg_init_info));
}

hg_core_class_t* HG_Core_init_opt2(const char* na_info_string, uint8_t na_listen,
                                   unsigned int version, const struct hg_init_info* hg_init_info) {
    return core(HG_Init_opt2(na_info_string, na_listen, version, hg_init_info));
}

hg_return_t HG_Core_finalize(hg_core_class_t* hg_core_class) {
    return hg_core_class == nullptr ? HG_SUCCESS : HG_Finalize(of(hg_core_class));
}

void HG_Core_cleanup(void) {
    HG_Cleanup();
}

hg_return_t HG_Core_set_more_data_callback(
    struct hg_core_class* hg_core_class,
    hg_return_t (*more_data_acquire_callback)(hg_core_handle_t, hg_op_t,
                                              void (*done_callback)(hg_core_handle_t, hg_return_t)),
    void (*more_data_release_callback)(hg_core_handle_t)) {
    if (hg_core_class == nullptr) return HG_INVALID_ARG;
    of(hg_core_class)->more_data_acquire = more_data_acquire_callback;
    of(hg_core_class)->more_data_release = more_data_release_callback;
    return HG_SUCCESS;
}

const char* HG_Core_class_get_name(const hg_core_class_t* hg_core_class) {
    return HG_Class_get_name(of(hg_core_class));
}

const char* HG_Core_class_get_protocol(const hg_core_class_t* hg_core_class) {
    return HG_Class_get_protocol(of(hg_core_class));
}

bool HG_Core_class_is_listening(const hg_core_class_t* hg_core_class) {
    return HG_Class_is_listening(of(hg_core_class));
}

na_class_t* HG_Core_class_get_na(const hg_core_class_t* hg_core_class) {
    return hg_core_class == nullptr ? nullptr : of(hg_core_class)->na;
}

na_class_t* HG_Core_class_get_na_sm(const hg_core_class_t*) {
    return nullptr;
}

hg_size_t HG_Core_class_get_input_eager_size(const hg_core_class_t* hg_core_class) {
    return HG_Class_get_input_eager_size(of(hg_core_class));
}

hg_size_t HG_Core_class_get_output_eager_size(const hg_core_class_t* hg_core_class) {
    return HG_Class_get_output_eager_size(of(hg_core_class));
}

hg_return_t HG_Core_class_set_data(hg_core_class_t* hg_core_class, void* data,
                                   void (*free_callback)(void*)) {
    return HG_Class_set_data(of(hg_core_class), data, free_callback);
}

void* HG_Core_class_get_data(const hg_core_class_t* hg_core_class) {
    return HG_Class_get_data(of(hg_core_class));
}

hg_return_t HG_Core_class_get_counters(const hg_core_class_t* hg_core_class,
                                       struct hg_diag_counters* diag_counters) {
    return HG_Class_get_counters(of(hg_core_class), diag_counters);
}

hg_core_context_t* HG_Core_context_create(hg_core_class_t* hg_core_class) {
    return HG_Core_context_create_id(hg_core_class, 0);
}

hg_core_context_t* HG_Core_context_create_id(hg_core_class_t* hg_core_class, uint8_t id) {
    if (hg_core_class == nullptr) return nullptr;
    return core(c_object("HG_Core_context_create", [&]() -> hg_context_t* {
        return open_context(*of(hg_core_class), id, false);
    }));
}

hg_return_t HG_Core_context_destroy(hg_core_context_t* context) {
    return context == nullptr ? HG_SUCCESS : HG_Context_destroy(of(context));
}

hg_core_class_t* HG_Core_context_get_class(const hg_core_context_t* context) {
    return core(HG_Context_get_class(of(context)));
}

na_context_t* HG_Core_context_get_na(const hg_core_context_t* context) {
    return context == nullptr ? nullptr : of(context)->na;
}

na_context_t* HG_Core_context_get_na_sm(const hg_core_context_t*) {
    return nullptr;
}

uint8_t HG_Core_context_get_id(const hg_core_context_t* context) {
    return HG_Context_get_id(of(context));
}

hg_return_t HG_Core_context_set_data(hg_core_context_t* context, void* data,
                                     void (*free_callback)(void*)) {
    return HG_Context_set_data(of(context), data, free_callback);
}

void* HG_Core_context_get_data(const hg_core_context_t* context) {
    return HG_Context_get_data(of(context));
}

unsigned int HG_Core_context_get_completion_count(const hg_core_context_t* context) {
    return context == nullptr || of(context)->completions.empty() ? 0 : 1;
}

hg_return_t HG_Core_context_set_handle_create_callback(
    hg_core_context_t* context, hg_return_t (*callback)(hg_core_handle_t, void*), void* arg) {
    if (context == nullptr) return HG_INVALID_ARG;
    hg_context& target = *of(context);
    target.core_handle_create = callback;
    target.core_handle_create_arg = arg;
    target.handle_create = callback == nullptr ? nullptr : run_core_handle_create;
    target.handle_create_arg = &target;
    return HG_SUCCESS;
}

hg_return_t HG_Core_context_post(hg_core_context_t* context) {
    if (context == nullptr) return HG_INVALID_ARG;
    return border("HG_Core_context_post", [&] { return post(*of(context)); });
}

hg_return_t HG_Core_context_unpost(hg_core_context_t* context) {
    return HG_Context_unpost(of(context));
}

hg_return_t HG_Core_register(hg_core_class_t* hg_core_class, hg_id_t id, hg_core_rpc_cb_t rpc_cb) {
    if (hg_core_class == nullptr || id == 0) return HG_INVALID_ARG;
    return border("HG_Core_register", [&] {
        of(hg_core_class)
            ->registry.put(id, nullptr, nullptr, rpc_cb == nullptr ? nullptr : run_core_rpc,
                           rpc_cb);
        return HG_SUCCESS;
    });
}

hg_return_t HG_Core_deregister(hg_core_class_t* hg_core_class, hg_id_t id) {
    return HG_Deregister(of(hg_core_class), id);
}

hg_return_t HG_Core_registered(hg_core_class_t* hg_core_class, hg_id_t id, uint8_t* flag_p) {
    return HG_Registered(of(hg_core_class), id, flag_p);
}

hg_return_t HG_Core_register_data(hg_core_class_t* hg_core_class, hg_id_t id, void* data,
                                  void (*free_callback)(void*)) {
    return HG_Register_data(of(hg_core_class), id, data, free_callback);
}

void* HG_Core_registered_data(hg_core_class_t* hg_core_class, hg_id_t id) {
    return HG_Registered_data(of(hg_core_class), id);
}

hg_return_t HG_Core_registered_disable_response(hg_core_class_t* hg_core_class, hg_id_t id,
                                                uint8_t disable) {
    return HG_Registered_disable_response(of(hg_core_class), id, disable);
}

hg_return_t HG_Core_registered_disabled_response(hg_core_class_t* hg_core_class, hg_id_t id,
                                                 uint8_t* disabled_p) {
    return HG_Registered_disabled_response(of(hg_core_class), id, disabled_p);
}
