// SPDX-License-Identifier: BSD-3-Clause
// HG_Init to HG_Finalize, and what can be asked of and set on a class.
#include <cstring>

#include "hg/core/class.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

hg_return_t HG_Version_get(unsigned int* major_p, unsigned int* minor_p, unsigned int* patch_p) {
    if (major_p != nullptr) *major_p = HG_VERSION_MAJOR;
    if (minor_p != nullptr) *minor_p = HG_VERSION_MINOR;
    if (patch_p != nullptr) *patch_p = HG_VERSION_PATCH;
    return HG_SUCCESS;
}

const char* HG_Error_to_string(hg_return_t errnum) {
#define X(a) #a,
    static const char* const names[] = {HG_RETURN_VALUES};
#undef X
    const auto index = static_cast<std::size_t>(errnum);
    return index < sizeof names / sizeof names[0] ? names[index] : nullptr;
}

hg_return_t HG_Get_na_protocol_info(const char* info_string,
                                    struct na_protocol_info** na_protocol_info_p) {
    return from_na(NA_Get_protocol_info(info_string, na_protocol_info_p));
}

void HG_Free_na_protocol_info(struct na_protocol_info* na_protocol_info) {
    NA_Free_protocol_info(na_protocol_info);
}

hg_class_t* HG_Init(const char* na_info_string, uint8_t na_listen) {
    return HG_Init_opt2(na_info_string, na_listen, 0, nullptr);
}

hg_class_t* HG_Init_opt(const char* na_info_string, uint8_t na_listen,
                        const struct hg_init_info* hg_init_info) {
    return HG_Init_opt2(na_info_string, na_listen, hg_init_info == nullptr ? 0 : HG_VERSION(2, 2),
                        hg_init_info);
}

hg_class_t* HG_Init_opt2(const char* na_info_string, uint8_t na_listen, unsigned int version,
                         const struct hg_init_info* hg_init_info) {
    return c_object("HG_Init", [&]() -> hg_class_t* {
        return open_class(na_info_string, na_listen != 0, version, hg_init_info);
    });
}

hg_return_t HG_Finalize(hg_class_t* hg_class) {
    if (hg_class == nullptr) return HG_INVALID_ARG;
    return border("HG_Finalize", [&] { return close_class(*hg_class); });
}

void HG_Cleanup(void) {
    NA_Cleanup();
}

const char* HG_Class_get_name(const hg_class_t* hg_class) {
    return hg_class == nullptr ? nullptr : NA_Get_class_name(hg_class->named);
}

const char* HG_Class_get_protocol(const hg_class_t* hg_class) {
    return hg_class == nullptr ? nullptr : NA_Get_class_protocol(hg_class->named);
}

bool HG_Class_is_listening(const hg_class_t* hg_class) {
    return hg_class != nullptr && NA_Is_listening(hg_class->na);
}

hg_size_t HG_Class_get_input_eager_size(const hg_class_t* hg_class) {
    return hg_class == nullptr ? 0 : hg_class->max_request_payload();
}

hg_size_t HG_Class_get_output_eager_size(const hg_class_t* hg_class) {
    return hg_class == nullptr ? 0 : hg_class->max_response_payload();
}

hg_return_t HG_Class_set_input_offset(hg_class_t* hg_class, hg_size_t offset) {
    if (hg_class == nullptr || offset > hg_class->max_request_payload()) return HG_INVALID_ARG;
    hg_class->in_offset = offset;
    return HG_SUCCESS;
}

hg_return_t HG_Class_set_output_offset(hg_class_t* hg_class, hg_size_t offset) {
    if (hg_class == nullptr || offset > hg_class->max_response_payload()) return HG_INVALID_ARG;
    hg_class->out_offset = offset;
    return HG_SUCCESS;
}

hg_return_t HG_Class_set_data(hg_class_t* hg_class, void* data, void (*free_callback)(void*)) {
    if (hg_class == nullptr) return HG_INVALID_ARG;
    hg_class->data = data;
    hg_class->data_free = free_callback;
    return HG_SUCCESS;
}

void* HG_Class_get_data(const hg_class_t* hg_class) {
    return hg_class == nullptr ? nullptr : hg_class->data;
}

hg_return_t HG_Class_get_counters(const hg_class_t* hg_class,
                                  struct hg_diag_counters* diag_counters) {
    if (hg_class == nullptr || diag_counters == nullptr) return HG_INVALID_ARG;
    *diag_counters = sum_counters(*hg_class);
    return HG_SUCCESS;
}

hg_return_t HG_Class_set_handle_create_callback(hg_class_t* hg_class,
                                                hg_return_t (*callback)(hg_handle_t, void*),
                                                void* arg) {
    if (hg_class == nullptr) return HG_INVALID_ARG;
    hg_class->handle_create = callback;
    hg_class->handle_create_arg = arg;
    return HG_SUCCESS;
}
