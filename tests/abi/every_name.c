/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every function of the API by name and prototype, as Mercury 2.4 declares them: what a program
 * that was written for it may say. It compiles only if each has the type that is written here,
 * links only if each exists, and runs to say so.
 */
#include <mercury.h>
#include <mercury_bulk.h>
#include <mercury_core.h>
#include <mercury_hash_string.h>
#include <mercury_macros.h>
#include <mercury_proc_string.h>
#include <mercury_request.h>
#include <mercury_util.h>
#include <na.h>
#include <na_sm.h>

#include <stdio.h>

typedef void (*function)(void);

static int count;
static int missing;

static void look(function each) {
    ++count;
    if (!each) ++missing;
}

/* A pointer of the expected type must accept the function. */
#define HAS(result, name, ...)                  \
    {                                           \
        result (*expected)(__VA_ARGS__) = name; \
        look((function)expected);               \
    }

static void check_classes_and_contexts(void) {
    HAS(hg_return_t, HG_Version_get, unsigned int*, unsigned int*, unsigned int*)
    HAS(const char*, HG_Error_to_string, hg_return_t)
    HAS(hg_return_t, HG_Get_na_protocol_info, const char*, struct na_protocol_info**)
    HAS(void, HG_Free_na_protocol_info, struct na_protocol_info*)
    HAS(hg_class_t*, HG_Init, const char*, uint8_t)
    HAS(hg_class_t*, HG_Init_opt, const char*, uint8_t, const struct hg_init_info*)
    HAS(hg_class_t*, HG_Init_opt2, const char*, uint8_t, unsigned int, const struct hg_init_info*)
    HAS(hg_return_t, HG_Finalize, hg_class_t*)
    HAS(void, HG_Cleanup, void)
    HAS(void, HG_Set_log_level, const char*)
    HAS(void, HG_Set_log_subsys, const char*)
    HAS(void, HG_Set_log_func, int (*log_func)(FILE * stream, const char* format, ...))
    HAS(void, HG_Set_log_stream, const char*, FILE*)
    HAS(void, HG_Diag_dump_counters, void)
    HAS(const char*, HG_Class_get_name, const hg_class_t*)
    HAS(const char*, HG_Class_get_protocol, const hg_class_t*)
    HAS(bool, HG_Class_is_listening, const hg_class_t*)
    HAS(hg_size_t, HG_Class_get_input_eager_size, const hg_class_t*)
    HAS(hg_size_t, HG_Class_get_output_eager_size, const hg_class_t*)
    HAS(hg_return_t, HG_Class_set_input_offset, hg_class_t*, hg_size_t)
    HAS(hg_return_t, HG_Class_set_output_offset, hg_class_t*, hg_size_t)
    HAS(hg_return_t, HG_Class_set_data, hg_class_t*, void*, void (*free_callback)(void*))
    HAS(void*, HG_Class_get_data, const hg_class_t*)
    HAS(hg_return_t, HG_Class_get_counters, const hg_class_t*, struct hg_diag_counters*)
    HAS(hg_return_t, HG_Class_set_handle_create_callback, hg_class_t*,
        hg_return_t(*callback)(hg_handle_t, void*), void*)
    HAS(hg_context_t*, HG_Context_create, hg_class_t*)
    HAS(hg_context_t*, HG_Context_create_id, hg_class_t*, uint8_t)
    HAS(hg_return_t, HG_Context_destroy, hg_context_t*)
    HAS(hg_return_t, HG_Context_unpost, hg_context_t*)
    HAS(hg_class_t*, HG_Context_get_class, const hg_context_t*)
    HAS(uint8_t, HG_Context_get_id, const hg_context_t*)
    HAS(hg_return_t, HG_Context_set_data, hg_context_t*, void*, void (*free_callback)(void*))
    HAS(void*, HG_Context_get_data, const hg_context_t*)
    HAS(hg_return_t, HG_Progress, hg_context_t*, unsigned int)
    HAS(hg_return_t, HG_Trigger, hg_context_t*, unsigned int, unsigned int, unsigned int*)
    HAS(int, HG_Event_get_wait_fd, const hg_context_t*)
    HAS(bool, HG_Event_ready, hg_context_t*)
    HAS(hg_return_t, HG_Event_progress, hg_context_t*, unsigned int*)
    HAS(hg_return_t, HG_Event_trigger, hg_context_t*, unsigned int, unsigned int*)
}

static void check_procedures_and_handles(void) {
    HAS(hg_id_t, HG_Register_name, hg_class_t*, const char*, hg_proc_cb_t, hg_proc_cb_t,
        hg_rpc_cb_t)
    HAS(hg_return_t, HG_Registered_name, hg_class_t*, const char*, hg_id_t*, uint8_t*)
    HAS(hg_return_t, HG_Register, hg_class_t*, hg_id_t, hg_proc_cb_t, hg_proc_cb_t, hg_rpc_cb_t)
    HAS(hg_return_t, HG_Deregister, hg_class_t*, hg_id_t)
    HAS(hg_return_t, HG_Registered, hg_class_t*, hg_id_t, uint8_t*)
    HAS(hg_return_t, HG_Registered_proc_cb, hg_class_t*, hg_id_t, uint8_t*, hg_proc_cb_t*,
        hg_proc_cb_t*)
    HAS(hg_return_t, HG_Register_data, hg_class_t*, hg_id_t, void*, void (*free_callback)(void*))
    HAS(void*, HG_Registered_data, hg_class_t*, hg_id_t)
    HAS(hg_return_t, HG_Registered_disable_response, hg_class_t*, hg_id_t, uint8_t)
    HAS(hg_return_t, HG_Registered_disabled_response, hg_class_t*, hg_id_t, uint8_t*)
    HAS(hg_return_t, HG_Addr_lookup1, hg_context_t*, hg_cb_t, void*, const char*, hg_op_id_t*)
    HAS(hg_return_t, HG_Addr_lookup2, hg_class_t*, const char*, hg_addr_t*)
    HAS(hg_return_t, HG_Addr_free, hg_class_t*, hg_addr_t)
    HAS(hg_return_t, HG_Addr_set_remove, hg_class_t*, hg_addr_t)
    HAS(hg_return_t, HG_Addr_self, hg_class_t*, hg_addr_t*)
    HAS(hg_return_t, HG_Addr_dup, hg_class_t*, hg_addr_t, hg_addr_t*)
    HAS(uint8_t, HG_Addr_cmp, hg_class_t*, hg_addr_t, hg_addr_t)
    HAS(hg_return_t, HG_Addr_to_string, hg_class_t*, char*, hg_size_t*, hg_addr_t)
    HAS(hg_return_t, HG_Create, hg_context_t*, hg_addr_t, hg_id_t, hg_handle_t*)
    HAS(hg_return_t, HG_Destroy, hg_handle_t)
    HAS(hg_return_t, HG_Reset, hg_handle_t, hg_addr_t, hg_id_t)
    HAS(hg_return_t, HG_Ref_incr, hg_handle_t)
    HAS(int32_t, HG_Ref_get, hg_handle_t)
    HAS(const struct hg_info*, HG_Get_info, hg_handle_t)
    HAS(hg_return_t, HG_Set_data, hg_handle_t, void*, void (*free_callback)(void*))
    HAS(void*, HG_Get_data, hg_handle_t)
    HAS(hg_size_t, HG_Get_input_payload_size, hg_handle_t)
    HAS(hg_return_t, HG_Get_input, hg_handle_t, void*)
    HAS(hg_return_t, HG_Free_input, hg_handle_t, void*)
    HAS(hg_size_t, HG_Get_output_payload_size, hg_handle_t)
    HAS(hg_return_t, HG_Get_output, hg_handle_t, void*)
    HAS(hg_return_t, HG_Free_output, hg_handle_t, void*)
    HAS(hg_return_t, HG_Get_input_buf, hg_handle_t, void**, hg_size_t*)
    HAS(hg_return_t, HG_Release_input_buf, hg_handle_t)
    HAS(hg_return_t, HG_Get_output_buf, hg_handle_t, void**, hg_size_t*)
    HAS(hg_return_t, HG_Get_input_extra_buf, hg_handle_t, void**, hg_size_t*)
    HAS(hg_return_t, HG_Get_output_extra_buf, hg_handle_t, void**, hg_size_t*)
    HAS(hg_return_t, HG_Set_target_id, hg_handle_t, uint8_t)
    HAS(hg_return_t, HG_Forward, hg_handle_t, hg_cb_t, void*, void*)
    HAS(hg_return_t, HG_Respond, hg_handle_t, hg_cb_t, void*, void*)
    HAS(hg_return_t, HG_Cancel, hg_handle_t)
}

static void check_bulk(void) {
    HAS(hg_return_t, HG_Bulk_create, hg_class_t*, uint32_t, void**, const hg_size_t*, uint8_t,
        hg_bulk_t*)
    HAS(hg_return_t, HG_Bulk_create_attr, hg_class_t*, uint32_t, void**, const hg_size_t*, uint8_t,
        const struct hg_bulk_attr*, hg_bulk_t*)
    HAS(hg_return_t, HG_Bulk_free, hg_bulk_t)
    HAS(hg_return_t, HG_Bulk_ref_incr, hg_bulk_t)
    HAS(hg_return_t, HG_Bulk_bind, hg_bulk_t, hg_context_t*)
    HAS(hg_addr_t, HG_Bulk_get_addr, hg_bulk_t)
    HAS(uint8_t, HG_Bulk_get_context_id, hg_bulk_t)
    HAS(hg_return_t, HG_Bulk_access, hg_bulk_t, hg_size_t, hg_size_t, uint8_t, uint32_t, void**,
        hg_size_t*, uint32_t*)
    HAS(hg_size_t, HG_Bulk_get_size, hg_bulk_t)
    HAS(uint32_t, HG_Bulk_get_segment_count, hg_bulk_t)
    HAS(uint8_t, HG_Bulk_get_flags, hg_bulk_t)
    HAS(hg_size_t, HG_Bulk_get_serialize_size, hg_bulk_t, unsigned long)
    HAS(hg_return_t, HG_Bulk_serialize, void*, hg_size_t, unsigned long, hg_bulk_t)
    HAS(hg_return_t, HG_Bulk_deserialize, hg_class_t*, hg_bulk_t*, const void*, hg_size_t)
    HAS(hg_return_t, HG_Bulk_transfer, hg_context_t*, hg_cb_t, void*, hg_bulk_op_t, hg_addr_t,
        hg_bulk_t, hg_size_t, hg_bulk_t, hg_size_t, hg_size_t, hg_op_id_t*)
    HAS(hg_return_t, HG_Bulk_bind_transfer, hg_context_t*, hg_cb_t, void*, hg_bulk_op_t, hg_bulk_t,
        hg_size_t, hg_bulk_t, hg_size_t, hg_size_t, hg_op_id_t*)
    HAS(hg_return_t, HG_Bulk_transfer_id, hg_context_t*, hg_cb_t, void*, hg_bulk_op_t, hg_addr_t,
        uint8_t, hg_bulk_t, hg_size_t, hg_bulk_t, hg_size_t, hg_size_t, hg_op_id_t*)
    HAS(hg_return_t, HG_Bulk_cancel, hg_op_id_t)
    HAS(hg_return_t, hg_proc_hg_bulk_t, hg_proc_t, void*)
}

static void check_procs(void) {
    HAS(hg_return_t, hg_proc_create, hg_class_t*, hg_proc_hash_t, hg_proc_t*)
    HAS(hg_return_t, hg_proc_create_set, hg_class_t*, void*, hg_size_t, hg_proc_op_t,
        hg_proc_hash_t, hg_proc_t*)
    HAS(hg_return_t, hg_proc_free, hg_proc_t)
    HAS(hg_return_t, hg_proc_reset, hg_proc_t, void*, hg_size_t, hg_proc_op_t)
    HAS(hg_class_t*, hg_proc_get_class, hg_proc_t)
    HAS(void, hg_proc_set_handle, hg_proc_t, hg_handle_t)
    HAS(hg_handle_t, hg_proc_get_handle, hg_proc_t)
    HAS(hg_proc_op_t, hg_proc_get_op, hg_proc_t)
    HAS(void, hg_proc_set_flags, hg_proc_t, uint8_t)
    HAS(uint8_t, hg_proc_get_flags, hg_proc_t)
    HAS(hg_size_t, hg_proc_get_size, hg_proc_t)
    HAS(hg_size_t, hg_proc_get_size_used, hg_proc_t)
    HAS(hg_return_t, hg_proc_set_size, hg_proc_t, hg_size_t)
    HAS(hg_size_t, hg_proc_get_size_left, hg_proc_t)
    HAS(void*, hg_proc_save_ptr, hg_proc_t, hg_size_t)
    HAS(hg_return_t, hg_proc_restore_ptr, hg_proc_t, void*, hg_size_t)
    HAS(void*, hg_proc_get_extra_buf, hg_proc_t)
    HAS(hg_size_t, hg_proc_get_extra_size, hg_proc_t)
    HAS(hg_return_t, hg_proc_set_extra_buf_is_mine, hg_proc_t, uint8_t)
    HAS(hg_return_t, hg_proc_flush, hg_proc_t)
    HAS(hg_return_t, hg_proc_checksum_get, hg_proc_t, void*, hg_size_t)
    HAS(hg_return_t, hg_proc_checksum_verify, hg_proc_t, const void*, hg_size_t)
    HAS(hg_return_t, hg_proc_int8_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_uint8_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_int16_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_uint16_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_int32_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_uint32_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_int64_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_uint64_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_bytes, hg_proc_t, void*, hg_size_t)
    HAS(void, hg_proc_checksum_update, hg_proc_t, void*, hg_size_t)
    HAS(hg_return_t, hg_proc_hg_const_string_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_hg_string_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_proc_hg_string_object_t, hg_proc_t, void*)
    HAS(hg_return_t, hg_string_object_init, hg_string_object_t*)
    HAS(hg_return_t, hg_string_object_init_char, hg_string_object_t*, char*, uint8_t)
    HAS(hg_return_t, hg_string_object_init_const_char, hg_string_object_t*, const char*, uint8_t)
    HAS(hg_return_t, hg_string_object_free, hg_string_object_t*)
    HAS(hg_return_t, hg_string_object_dup, hg_string_object_t, hg_string_object_t*)
    HAS(char*, hg_string_object_swap, hg_string_object_t*, char*)
}

static void check_core(void) {
    HAS(hg_return_t, HG_Core_get_na_protocol_info, const char*, struct na_protocol_info**)
    HAS(void, HG_Core_free_na_protocol_info, struct na_protocol_info*)
    HAS(hg_core_class_t*, HG_Core_init, const char*, uint8_t)
    HAS(hg_core_class_t*, HG_Core_init_opt, const char*, uint8_t, const struct hg_init_info*)
    HAS(hg_core_class_t*, HG_Core_init_opt2, const char*, uint8_t, unsigned int,
        const struct hg_init_info*)
    HAS(hg_return_t, HG_Core_finalize, hg_core_class_t*)
    HAS(void, HG_Core_cleanup, void)
    HAS(hg_return_t, HG_Core_set_more_data_callback, struct hg_core_class*,
        hg_return_t(*more_data_acquire_callback)(
            hg_core_handle_t, hg_op_t, void (*done_callback)(hg_core_handle_t, hg_return_t)),
        void (*more_data_release_callback)(hg_core_handle_t))
    HAS(const char*, HG_Core_class_get_name, const hg_core_class_t*)
    HAS(const char*, HG_Core_class_get_protocol, const hg_core_class_t*)
    HAS(bool, HG_Core_class_is_listening, const hg_core_class_t*)
    HAS(na_class_t*, HG_Core_class_get_na, const hg_core_class_t*)
    HAS(na_class_t*, HG_Core_class_get_na_sm, const hg_core_class_t*)
    HAS(hg_size_t, HG_Core_class_get_input_eager_size, const hg_core_class_t*)
    HAS(hg_size_t, HG_Core_class_get_output_eager_size, const hg_core_class_t*)
    HAS(hg_return_t, HG_Core_class_set_data, hg_core_class_t*, void*, void (*free_callback)(void*))
    HAS(void*, HG_Core_class_get_data, const hg_core_class_t*)
    HAS(hg_return_t, HG_Core_class_get_counters, const hg_core_class_t*, struct hg_diag_counters*)
    HAS(hg_core_context_t*, HG_Core_context_create, hg_core_class_t*)
    HAS(hg_core_context_t*, HG_Core_context_create_id, hg_core_class_t*, uint8_t)
    HAS(hg_return_t, HG_Core_context_destroy, hg_core_context_t*)
    HAS(hg_core_class_t*, HG_Core_context_get_class, const hg_core_context_t*)
    HAS(na_context_t*, HG_Core_context_get_na, const hg_core_context_t*)
    HAS(na_context_t*, HG_Core_context_get_na_sm, const hg_core_context_t*)
    HAS(uint8_t, HG_Core_context_get_id, const hg_core_context_t*)
    HAS(hg_return_t, HG_Core_context_set_data, hg_core_context_t*, void*,
        void (*free_callback)(void*))
    HAS(void*, HG_Core_context_get_data, const hg_core_context_t*)
    HAS(unsigned int, HG_Core_context_get_completion_count, const hg_core_context_t*)
    HAS(hg_return_t, HG_Core_context_set_handle_create_callback, hg_core_context_t*,
        hg_return_t(*callback)(hg_core_handle_t, void*), void*)
    HAS(hg_return_t, HG_Core_context_post, hg_core_context_t*)
    HAS(hg_return_t, HG_Core_context_unpost, hg_core_context_t*)
    HAS(hg_return_t, HG_Core_register, hg_core_class_t*, hg_id_t, hg_core_rpc_cb_t)
    HAS(hg_return_t, HG_Core_deregister, hg_core_class_t*, hg_id_t)
    HAS(hg_return_t, HG_Core_registered, hg_core_class_t*, hg_id_t, uint8_t*)
    HAS(hg_return_t, HG_Core_register_data, hg_core_class_t*, hg_id_t, void*,
        void (*free_callback)(void*))
    HAS(void*, HG_Core_registered_data, hg_core_class_t*, hg_id_t)
    HAS(hg_return_t, HG_Core_registered_disable_response, hg_core_class_t*, hg_id_t, uint8_t)
    HAS(hg_return_t, HG_Core_registered_disabled_response, hg_core_class_t*, hg_id_t, uint8_t*)
    HAS(hg_return_t, HG_Core_addr_lookup1, hg_core_context_t*, hg_core_cb_t, void*, const char*,
        hg_core_op_id_t*)
    HAS(hg_return_t, HG_Core_addr_lookup2, hg_core_class_t*, const char*, hg_core_addr_t*)
    HAS(hg_return_t, HG_Core_addr_free, hg_core_addr_t)
    HAS(hg_return_t, HG_Core_addr_set_remove, hg_core_addr_t)
    HAS(na_addr_t*, HG_Core_addr_get_na, hg_core_addr_t)
    HAS(na_addr_t*, HG_Core_addr_get_na_sm, hg_core_addr_t)
    HAS(hg_return_t, HG_Core_addr_self, hg_core_class_t*, hg_core_addr_t*)
    HAS(hg_return_t, HG_Core_addr_dup, hg_core_addr_t, hg_core_addr_t*)
    HAS(uint8_t, HG_Core_addr_cmp, hg_core_addr_t, hg_core_addr_t)
    HAS(bool, HG_Core_addr_is_self, hg_core_addr_t)
    HAS(hg_return_t, HG_Core_addr_to_string, char*, hg_size_t*, hg_core_addr_t)
    HAS(hg_size_t, HG_Core_addr_get_serialize_size, hg_core_addr_t, unsigned long)
    HAS(hg_return_t, HG_Core_addr_serialize, void*, hg_size_t, unsigned long, hg_core_addr_t)
    HAS(hg_return_t, HG_Core_addr_deserialize, hg_core_class_t*, hg_core_addr_t*, const void*,
        hg_size_t, uint64_t)
    HAS(hg_return_t, HG_Core_create, hg_core_context_t*, hg_core_addr_t, hg_id_t, hg_core_handle_t*)
    HAS(hg_return_t, HG_Core_destroy, hg_core_handle_t)
    HAS(hg_return_t, HG_Core_reset, hg_core_handle_t, hg_core_addr_t, hg_id_t)
    HAS(hg_return_t, HG_Core_ref_incr, hg_core_handle_t)
    HAS(int32_t, HG_Core_ref_get, hg_core_handle_t)
    HAS(hg_return_t, HG_Core_set_data, hg_core_handle_t, void*, void (*free_callback)(void*))
    HAS(void*, HG_Core_get_data, hg_core_handle_t)
    HAS(const struct hg_core_info*, HG_Core_get_info, hg_core_handle_t)
    HAS(const void*, HG_Core_get_rpc_data, hg_core_handle_t)
    HAS(hg_return_t, HG_Core_set_target_id, hg_core_handle_t, uint8_t)
    HAS(size_t, HG_Core_get_input_payload_size, hg_core_handle_t)
    HAS(hg_return_t, HG_Core_get_input, hg_core_handle_t, void**, hg_size_t*)
    HAS(hg_return_t, HG_Core_release_input, hg_core_handle_t)
    HAS(size_t, HG_Core_get_output_payload_size, hg_core_handle_t)
    HAS(hg_return_t, HG_Core_get_output, hg_core_handle_t, void**, hg_size_t*)
    HAS(hg_return_t, HG_Core_forward, hg_core_handle_t, hg_core_cb_t, void*, uint8_t, hg_size_t)
    HAS(hg_return_t, HG_Core_respond, hg_core_handle_t, hg_core_cb_t, void*, uint8_t, hg_size_t)
    HAS(hg_return_t, HG_Core_cancel, hg_core_handle_t)
    HAS(hg_return_t, HG_Core_progress, hg_core_context_t*, unsigned int)
    HAS(hg_return_t, HG_Core_trigger, hg_core_context_t*, unsigned int, unsigned int, unsigned int*)
    HAS(int, HG_Core_event_get_wait_fd, const hg_core_context_t*)
    HAS(bool, HG_Core_event_ready, hg_core_context_t*)
    HAS(hg_return_t, HG_Core_event_progress, hg_core_context_t*, unsigned int*)
    HAS(hg_return_t, HG_Core_event_trigger, hg_core_context_t*, unsigned int, unsigned int*)
}

static void check_na(void) {
    HAS(void, NA_Version_get, unsigned int*, unsigned int*, unsigned int*)
    HAS(na_return_t, NA_Get_protocol_info, const char*, struct na_protocol_info**)
    HAS(void, NA_Free_protocol_info, struct na_protocol_info*)
    HAS(na_class_t*, NA_Initialize, const char*, bool)
    HAS(na_class_t*, NA_Initialize_opt, const char*, bool, const struct na_init_info*)
    HAS(na_class_t*, NA_Initialize_opt2, const char*, bool, unsigned int,
        const struct na_init_info*)
    HAS(na_return_t, NA_Finalize, na_class_t*)
    HAS(void, NA_Cleanup, void)
    HAS(bool, NA_Has_opt_feature, na_class_t*, unsigned long)
    HAS(void, NA_Set_log_level, const char*)
    HAS(void, NA_Diag_dump_counters, void)
    HAS(const char*, NA_Get_class_name, const na_class_t*)
    HAS(const char*, NA_Get_class_protocol, const na_class_t*)
    HAS(bool, NA_Is_listening, const na_class_t*)
    HAS(na_context_t*, NA_Context_create, na_class_t*)
    HAS(na_context_t*, NA_Context_create_id, na_class_t*, uint8_t)
    HAS(na_return_t, NA_Context_destroy, na_class_t*, na_context_t*)
    HAS(unsigned int, NA_Context_get_completion_count, const na_context_t*)
    HAS(na_op_id_t*, NA_Op_create, na_class_t*, unsigned long)
    HAS(void, NA_Op_destroy, na_class_t*, na_op_id_t*)
    HAS(na_return_t, NA_Addr_lookup, na_class_t*, const char*, na_addr_t**)
    HAS(void, NA_Addr_free, na_class_t*, na_addr_t*)
    HAS(na_return_t, NA_Addr_set_remove, na_class_t*, na_addr_t*)
    HAS(na_return_t, NA_Addr_self, na_class_t*, na_addr_t**)
    HAS(na_return_t, NA_Addr_dup, na_class_t*, na_addr_t*, na_addr_t**)
    HAS(bool, NA_Addr_cmp, na_class_t*, na_addr_t*, na_addr_t*)
    HAS(bool, NA_Addr_is_self, na_class_t*, na_addr_t*)
    HAS(na_return_t, NA_Addr_to_string, na_class_t*, char*, size_t*, na_addr_t*)
    HAS(size_t, NA_Addr_get_serialize_size, na_class_t*, na_addr_t*)
    HAS(na_return_t, NA_Addr_serialize, na_class_t*, void*, size_t, na_addr_t*)
    HAS(na_return_t, NA_Addr_deserialize, na_class_t*, na_addr_t**, const void*, size_t, uint64_t)
    HAS(size_t, NA_Msg_get_max_unexpected_size, const na_class_t*)
    HAS(size_t, NA_Msg_get_max_expected_size, const na_class_t*)
    HAS(size_t, NA_Msg_get_unexpected_header_size, const na_class_t*)
    HAS(size_t, NA_Msg_get_expected_header_size, const na_class_t*)
    HAS(na_tag_t, NA_Msg_get_max_tag, const na_class_t*)
    HAS(void*, NA_Msg_buf_alloc, na_class_t*, size_t, unsigned long, void**)
    HAS(void, NA_Msg_buf_free, na_class_t*, void*, void*)
    HAS(na_return_t, NA_Msg_init_unexpected, na_class_t*, void*, size_t)
    HAS(na_return_t, NA_Msg_send_unexpected, na_class_t*, na_context_t*, na_cb_t, void*,
        const void*, size_t, void*, na_addr_t*, uint8_t, na_tag_t, na_op_id_t*)
    HAS(na_return_t, NA_Msg_recv_unexpected, na_class_t*, na_context_t*, na_cb_t, void*, void*,
        size_t, void*, na_op_id_t*)
    HAS(na_return_t, NA_Msg_multi_recv_unexpected, na_class_t*, na_context_t*, na_cb_t, void*,
        void*, size_t, void*, na_op_id_t*)
    HAS(na_return_t, NA_Msg_init_expected, na_class_t*, void*, size_t)
    HAS(na_return_t, NA_Msg_send_expected, na_class_t*, na_context_t*, na_cb_t, void*, const void*,
        size_t, void*, na_addr_t*, uint8_t, na_tag_t, na_op_id_t*)
    HAS(na_return_t, NA_Msg_recv_expected, na_class_t*, na_context_t*, na_cb_t, void*, void*,
        size_t, void*, na_addr_t*, uint8_t, na_tag_t, na_op_id_t*)
    HAS(na_return_t, NA_Mem_handle_create, na_class_t*, void*, size_t, unsigned long,
        na_mem_handle_t**)
    HAS(na_return_t, NA_Mem_handle_create_segments, na_class_t*, struct na_segment*, size_t,
        unsigned long, na_mem_handle_t**)
    HAS(void, NA_Mem_handle_free, na_class_t*, na_mem_handle_t*)
    HAS(size_t, NA_Mem_handle_get_max_segments, const na_class_t*)
    HAS(na_return_t, NA_Mem_register, na_class_t*, na_mem_handle_t*, enum na_mem_type, uint64_t)
    HAS(na_return_t, NA_Mem_deregister, na_class_t*, na_mem_handle_t*)
    HAS(size_t, NA_Mem_handle_get_serialize_size, na_class_t*, na_mem_handle_t*)
    HAS(na_return_t, NA_Mem_handle_serialize, na_class_t*, void*, size_t, na_mem_handle_t*)
    HAS(na_return_t, NA_Mem_handle_deserialize, na_class_t*, na_mem_handle_t**, const void*, size_t)
    HAS(na_return_t, NA_Put, na_class_t*, na_context_t*, na_cb_t, void*, na_mem_handle_t*,
        na_offset_t, na_mem_handle_t*, na_offset_t, size_t, na_addr_t*, uint8_t, na_op_id_t*)
    HAS(na_return_t, NA_Get, na_class_t*, na_context_t*, na_cb_t, void*, na_mem_handle_t*,
        na_offset_t, na_mem_handle_t*, na_offset_t, size_t, na_addr_t*, uint8_t, na_op_id_t*)
    HAS(int, NA_Poll_get_fd, na_class_t*, na_context_t*)
    HAS(bool, NA_Poll_try_wait, na_class_t*, na_context_t*)
    HAS(na_return_t, NA_Poll, na_class_t*, na_context_t*, unsigned int*)
    HAS(na_return_t, NA_Poll_wait, na_class_t*, na_context_t*, unsigned int, unsigned*)
    HAS(na_return_t, NA_Progress, na_class_t*, na_context_t*, unsigned int)
    HAS(na_return_t, NA_Trigger, na_context_t*, unsigned int, unsigned int*)
    HAS(na_return_t, NA_Cancel, na_class_t*, na_context_t*, na_op_id_t*)
    HAS(const char*, NA_Error_to_string, na_return_t)
    HAS(na_return_t, NA_SM_Host_id_get, na_sm_id_t*)
    HAS(na_return_t, NA_SM_Host_id_to_string, na_sm_id_t, char*)
    HAS(na_return_t, NA_SM_String_to_host_id, const char*, na_sm_id_t*)
    HAS(void, NA_SM_Host_id_copy, na_sm_id_t*, na_sm_id_t)
    HAS(bool, NA_SM_Host_id_cmp, na_sm_id_t, na_sm_id_t)
}

static void check_utilities(void) {
    HAS(void, hg_atomic_init32, hg_atomic_int32_t*, int32_t)
    HAS(void, hg_atomic_set32, hg_atomic_int32_t*, int32_t)
    HAS(int32_t, hg_atomic_get32, const hg_atomic_int32_t*)
    HAS(int32_t, hg_atomic_incr32, hg_atomic_int32_t*)
    HAS(int32_t, hg_atomic_decr32, hg_atomic_int32_t*)
    HAS(int32_t, hg_atomic_or32, hg_atomic_int32_t*, int32_t)
    HAS(int32_t, hg_atomic_xor32, hg_atomic_int32_t*, int32_t)
    HAS(int32_t, hg_atomic_and32, hg_atomic_int32_t*, int32_t)
    HAS(bool, hg_atomic_cas32, hg_atomic_int32_t*, int32_t, int32_t)
    HAS(void, hg_atomic_init64, hg_atomic_int64_t*, int64_t)
    HAS(void, hg_atomic_set64, hg_atomic_int64_t*, int64_t)
    HAS(int64_t, hg_atomic_get64, const hg_atomic_int64_t*)
    HAS(int64_t, hg_atomic_incr64, hg_atomic_int64_t*)
    HAS(int64_t, hg_atomic_decr64, hg_atomic_int64_t*)
    HAS(int64_t, hg_atomic_or64, hg_atomic_int64_t*, int64_t)
    HAS(int64_t, hg_atomic_xor64, hg_atomic_int64_t*, int64_t)
    HAS(int64_t, hg_atomic_and64, hg_atomic_int64_t*, int64_t)
    HAS(bool, hg_atomic_cas64, hg_atomic_int64_t*, int64_t, int64_t)
    HAS(void, hg_atomic_fence, void)
    HAS(unsigned int, hg_hash_string, const char*)
    HAS(hg_request_class_t*, hg_request_init, hg_request_progress_func_t, hg_request_trigger_func_t,
        void*)
    HAS(void, hg_request_finalize, hg_request_class_t*, void**)
    HAS(hg_request_t*, hg_request_create, hg_request_class_t*)
    HAS(void, hg_request_destroy, hg_request_t*)
    HAS(void, hg_request_reset, hg_request_t*)
    HAS(void, hg_request_complete, hg_request_t*)
    HAS(int, hg_request_wait, hg_request_t*, unsigned int, unsigned int*)
    HAS(int, hg_request_waitall, int, hg_request_t**, unsigned int, unsigned int*)
    HAS(void, hg_request_set_data, hg_request_t*, void*)
    HAS(void*, hg_request_get_data, hg_request_t*)
    HAS(void, HG_Util_version_get, unsigned int*, unsigned int*, unsigned int*)
    HAS(void, HG_Util_set_log_level, const char*)
}

int main(void) {
    check_classes_and_contexts();
    check_procedures_and_handles();
    check_bulk();
    check_procs();
    check_core();
    check_na();
    check_utilities();
    printf("%d functions, %d missing\n", count, missing);
    return missing == 0 ? 0 : 1;
}
