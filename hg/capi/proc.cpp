// SPDX-License-Identifier: BSD-3-Clause
// The C functions of mercury_proc.h, mercury_proc_string.h and mercury_string_object.h that are not
// inline: checks of arguments in front of hg/proc. Nothing behind them throws. One thread at a time
// for each proc.
#include <new>

#include "hg/proc/proc.hpp"
#include "hg/proc/string.hpp"

namespace hg = cinnabar::hg;

hg_return_t hg_proc_create(hg_class_t* hg_class, hg_proc_hash_t hash, hg_proc_t* proc_p) {
    if (hg_class == nullptr || proc_p == nullptr) return HG_INVALID_ARG;
    hg_proc* proc = new (std::nothrow) hg_proc;
    if (proc == nullptr) return HG_NOMEM;
    const hg_return_t ret = hg::proc_init(*proc, hg_class, hash);
    if (ret == HG_SUCCESS)
        *proc_p = proc;
    else
        delete proc;
    return ret;
}

hg_return_t hg_proc_create_set(hg_class_t* hg_class, void* buf, hg_size_t buf_size, hg_proc_op_t op,
                               hg_proc_hash_t hash, hg_proc_t* proc_p) {
    hg_proc_t proc = HG_PROC_NULL;
    hg_return_t ret = proc_p != nullptr ? hg_proc_create(hg_class, hash, &proc) : HG_INVALID_ARG;
    if (ret != HG_SUCCESS) return ret;
    ret = hg_proc_reset(proc, buf, buf_size, op);
    if (ret == HG_SUCCESS)
        *proc_p = proc;
    else
        (void)hg_proc_free(proc);
    return ret;
}

hg_return_t hg_proc_free(hg_proc_t proc) {
    if (proc == HG_PROC_NULL) return HG_SUCCESS;
    hg::proc_release(*proc);
    delete proc;
    return HG_SUCCESS;
}

hg_return_t hg_proc_reset(hg_proc_t proc, void* buf, hg_size_t buf_size, hg_proc_op_t op) {
    const bool op_exists = op == HG_ENCODE || op == HG_DECODE || op == HG_FREE;
    if (proc == HG_PROC_NULL || !op_exists || (buf == nullptr && op != HG_FREE))
        return HG_INVALID_ARG;
    hg::proc_reset(*proc, buf, buf_size, op);
    return HG_SUCCESS;
}

hg_return_t hg_proc_set_size(hg_proc_t proc, hg_size_t buf_size) {
    return proc != HG_PROC_NULL ? hg::proc_set_size(*proc, buf_size) : HG_INVALID_ARG;
}

hg_return_t hg_proc_make_room(hg_proc_t proc, hg_size_t data_size) {
    return proc != HG_PROC_NULL ? hg::proc_make_room(*proc, data_size) : HG_INVALID_ARG;
}

void* hg_proc_save_ptr(hg_proc_t proc, hg_size_t data_size) {
    return proc != HG_PROC_NULL ? hg::proc_save(*proc, data_size) : nullptr;
}

hg_return_t hg_proc_restore_ptr(hg_proc_t proc, void* data, hg_size_t data_size) {
    return proc != HG_PROC_NULL && (data != nullptr || data_size == 0) ? HG_SUCCESS
                                                                       : HG_INVALID_ARG;
}

hg_return_t hg_proc_set_extra_buf_is_mine(hg_proc_t proc, uint8_t mine) {
    return proc != HG_PROC_NULL ? hg::proc_give_extra(*proc, mine != 0) : HG_INVALID_ARG;
}

hg_return_t hg_proc_flush(hg_proc_t proc) {
    if (proc == HG_PROC_NULL) return HG_INVALID_ARG;
    hg::proc_flush(*proc);
    return HG_SUCCESS;
}

hg_return_t hg_proc_checksum_get(hg_proc_t proc, void* hash, hg_size_t hash_size) {
    if (proc == HG_PROC_NULL || hash == nullptr) return HG_INVALID_ARG;
    return hg::proc_digest_get(*proc, hash, hash_size);
}

hg_return_t hg_proc_checksum_verify(hg_proc_t proc, const void* hash, hg_size_t hash_size) {
    if (proc == HG_PROC_NULL || hash == nullptr) return HG_INVALID_ARG;
    return hg::proc_digest_verify(*proc, hash, hash_size);
}

void hg_proc_checksum_update(hg_proc_t proc, void* data, hg_size_t data_size) {
    if (proc != HG_PROC_NULL && data != nullptr) hg::proc_digest_also(*proc, data, data_size);
}

hg_return_t hg_proc_hg_const_string_t(hg_proc_t proc, void* data) {
    if (proc == HG_PROC_NULL || data == nullptr) return HG_INVALID_ARG;
    hg_const_string_t& string = *static_cast<hg_const_string_t*>(data);
    char* bytes = const_cast<char*>(string);
    bool is_const = true;
    const hg_return_t ret = hg::proc_string(*proc, bytes, is_const);
    string = bytes;
    return ret;
}

hg_return_t hg_proc_hg_string_t(hg_proc_t proc, void* data) {
    if (proc == HG_PROC_NULL || data == nullptr) return HG_INVALID_ARG;
    bool is_const = false;
    return hg::proc_string(*proc, *static_cast<hg_string_t*>(data), is_const);
}

hg_return_t hg_proc_hg_string_object_t(hg_proc_t proc, void* string) {
    if (proc == HG_PROC_NULL || string == nullptr) return HG_INVALID_ARG;
    return hg::proc_string_object(*proc, *static_cast<hg_string_object_t*>(string));
}

hg_return_t hg_string_object_init(hg_string_object_t* string) {
    return hg_string_object_init_char(string, nullptr, 0);
}

hg_return_t hg_string_object_init_char(hg_string_object_t* string, char* s, uint8_t is_owned) {
    if (string == nullptr) return HG_INVALID_ARG;
    *string = hg_string_object_t{s, false, is_owned != 0};
    return HG_SUCCESS;
}

hg_return_t hg_string_object_init_const_char(hg_string_object_t* string, const char* s,
                                             uint8_t is_owned) {
    if (string == nullptr) return HG_INVALID_ARG;
    *string = hg_string_object_t{const_cast<char*>(s), true, is_owned != 0};
    return HG_SUCCESS;
}

hg_return_t hg_string_object_free(hg_string_object_t* string) {
    if (string == nullptr) return HG_INVALID_ARG;
    hg::string_object_clear(*string);
    return HG_SUCCESS;
}

hg_return_t hg_string_object_dup(hg_string_object_t string, hg_string_object_t* new_string) {
    return new_string != nullptr ? hg::string_object_copy(string, *new_string) : HG_INVALID_ARG;
}

char* hg_string_object_swap(hg_string_object_t* string, char* s) {
    if (string == nullptr) return nullptr;
    char* old = string->data;
    string->data = s;
    return old;
}
