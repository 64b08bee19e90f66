/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core level: RPCs as plain buffers, without encoding of arguments. A caller writes its payload
 * to where HG_Core_get_input() says and forwards that many bytes; the target reads them there, and
 * responds in the same way through HG_Core_get_output(). Everything else is as in mercury.h: a
 * function here does what the function of the same name there does, with the same promises. A class
 * is used through one of the two levels.
 */
#ifndef MERCURY_CORE_H
#define MERCURY_CORE_H

#include "mercury_core_header.h"
#include "mercury_core_types.h"
#include "na.h"

typedef struct hg_core_class hg_core_class_t;
typedef struct hg_core_context hg_core_context_t;
typedef struct hg_core_addr* hg_core_addr_t;
typedef struct hg_core_handle* hg_core_handle_t;
typedef struct hg_core_op_id* hg_core_op_id_t;

/* What a core handle refers to; everything is borrowed from the handle. */
struct hg_core_info {
    hg_core_class_t* core_class;
    hg_core_context_t* context;
    hg_core_addr_t addr;
    hg_id_t id;
    uint8_t context_id;
};

struct hg_core_cb_info_lookup {
    hg_core_addr_t addr; /* belongs to the callback's receiver */
};
struct hg_core_cb_info_forward {
    hg_core_handle_t handle; /* borrowed */
};
struct hg_core_cb_info_respond {
    hg_core_handle_t handle; /* borrowed */
};

/* What a core callback is told; valid until it returns. */
struct hg_core_cb_info {
    union {
        struct hg_core_cb_info_lookup lookup;
        struct hg_core_cb_info_forward forward;
        struct hg_core_cb_info_respond respond;
    } info; /* the member that `type` says */
    void* arg;
    hg_cb_type_t type;
    hg_return_t ret;
};

typedef hg_return_t (*hg_core_rpc_cb_t)(hg_core_handle_t handle);
typedef hg_return_t (*hg_core_cb_t)(const struct hg_core_cb_info* callback_info);

#define HG_CORE_ADDR_NULL ((hg_core_addr_t)0)
#define HG_CORE_HANDLE_NULL ((hg_core_handle_t)0)
#define HG_CORE_OP_ID_NULL ((hg_core_op_id_t)0)
#define HG_CORE_OP_ID_IGNORE ((hg_core_op_id_t*)1)

/* The payload continues outside the message. */
#define HG_CORE_MORE_DATA (1 << 0)

#ifdef __cplusplus
extern "C" {
#endif

/* --- Classes */

HG_PUBLIC hg_return_t HG_Core_get_na_protocol_info(const char* info_string,
                                                   struct na_protocol_info** na_protocol_info_p);
HG_PUBLIC void HG_Core_free_na_protocol_info(struct na_protocol_info* na_protocol_info);
HG_PUBLIC hg_core_class_t* HG_Core_init(const char* na_info_string,
                                        uint8_t na_listen) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_core_class_t* HG_Core_init_opt(const char* na_info_string, uint8_t na_listen,
                                            const struct hg_init_info* hg_init_info)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_core_class_t* HG_Core_init_opt2(
    const char* na_info_string, uint8_t na_listen, unsigned int version,
    const struct hg_init_info* hg_init_info) HG_WARN_UNUSED_RESULT;
/* NULL is a success. */
HG_PUBLIC hg_return_t HG_Core_finalize(hg_core_class_t* hg_core_class);
HG_PUBLIC void HG_Core_cleanup(void);

/*
 * What to do with a payload that was sent with HG_CORE_MORE_DATA. `acquire` is told whether it is
 * the input or the output, gets what is missing, and calls `done_callback` once, from any thread,
 * with how that went; only then the RPC is served, or the forward completes. An error of `acquire`
 * itself says that `done_callback` will not be called. `release` frees what was acquired, and what
 * the sender of such a payload keeps, when the handle is used anew or given back. Both run where
 * callbacks run. To be set before contexts are created, NULLs take it back.
 */
HG_PUBLIC hg_return_t HG_Core_set_more_data_callback(
    struct hg_core_class* hg_core_class,
    hg_return_t (*more_data_acquire_callback)(hg_core_handle_t, hg_op_t,
                                              void (*done_callback)(hg_core_handle_t, hg_return_t)),
    void (*more_data_release_callback)(hg_core_handle_t));

HG_PUBLIC const char* HG_Core_class_get_name(const hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC const char* HG_Core_class_get_protocol(const hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC bool HG_Core_class_is_listening(const hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
/* The network, with auto_sm the one made of both; borrowed. */
HG_PUBLIC na_class_t* HG_Core_class_get_na(const hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
/* NULL: with auto_sm too there is one network, which contains the second. */
HG_PUBLIC na_class_t* HG_Core_class_get_na_sm(const hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
/* The payload bytes of a message. */
HG_PUBLIC hg_size_t HG_Core_class_get_input_eager_size(const hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_size_t HG_Core_class_get_output_eager_size(const hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_class_set_data(hg_core_class_t* hg_core_class, void* data,
                                             void (*free_callback)(void*));
HG_PUBLIC void* HG_Core_class_get_data(const hg_core_class_t* hg_core_class) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_class_get_counters(const hg_core_class_t* hg_core_class,
                                                 struct hg_diag_counters* diag_counters);

/* --- Contexts */

/* Unlike HG_Context_create() it does not receive before HG_Core_context_post(). */
HG_PUBLIC hg_core_context_t* HG_Core_context_create(hg_core_class_t* hg_core_class)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_core_context_t* HG_Core_context_create_id(hg_core_class_t* hg_core_class,
                                                       uint8_t id) HG_WARN_UNUSED_RESULT;
/* NULL is a success. */
HG_PUBLIC hg_return_t HG_Core_context_destroy(hg_core_context_t* context);
HG_PUBLIC hg_core_class_t* HG_Core_context_get_class(const hg_core_context_t* context)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC na_context_t* HG_Core_context_get_na(const hg_core_context_t* context)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC na_context_t* HG_Core_context_get_na_sm(const hg_core_context_t* context)
    HG_WARN_UNUSED_RESULT;
HG_PUBLIC uint8_t HG_Core_context_get_id(const hg_core_context_t* context) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_context_set_data(hg_core_context_t* context, void* data,
                                               void (*free_callback)(void*));
HG_PUBLIC void* HG_Core_context_get_data(const hg_core_context_t* context) HG_WARN_UNUSED_RESULT;
/* Not 0 when there is something to trigger; it is not counted how much. */
HG_PUBLIC unsigned int HG_Core_context_get_completion_count(const hg_core_context_t* context)
    HG_WARN_UNUSED_RESULT;
/* As HG_Class_set_handle_create_callback(), for the handles of this context from now on. */
HG_PUBLIC hg_return_t HG_Core_context_set_handle_create_callback(
    hg_core_context_t* context, hg_return_t (*callback)(hg_core_handle_t, void*), void* arg);
/* Begins to receive requests. HG_OPNOTSUPPORTED when the class does not listen. */
HG_PUBLIC hg_return_t HG_Core_context_post(hg_core_context_t* context);
HG_PUBLIC hg_return_t HG_Core_context_unpost(hg_core_context_t* context);

/* --- Procedures */

HG_PUBLIC hg_return_t HG_Core_register(hg_core_class_t* hg_core_class, hg_id_t id,
                                       hg_core_rpc_cb_t rpc_cb);
HG_PUBLIC hg_return_t HG_Core_deregister(hg_core_class_t* hg_core_class, hg_id_t id);
HG_PUBLIC hg_return_t HG_Core_registered(hg_core_class_t* hg_core_class, hg_id_t id,
                                         uint8_t* flag_p);
HG_PUBLIC hg_return_t HG_Core_register_data(hg_core_class_t* hg_core_class, hg_id_t id, void* data,
                                            void (*free_callback)(void*));
HG_PUBLIC void* HG_Core_registered_data(hg_core_class_t* hg_core_class,
                                        hg_id_t id) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_registered_disable_response(hg_core_class_t* hg_core_class,
                                                          hg_id_t id, uint8_t disable);
HG_PUBLIC hg_return_t HG_Core_registered_disabled_response(hg_core_class_t* hg_core_class,
                                                           hg_id_t id, uint8_t* disabled_p);

/* --- Addresses */

HG_PUBLIC hg_return_t HG_Core_addr_lookup1(hg_core_context_t* context, hg_core_cb_t callback,
                                           void* arg, const char* name, hg_core_op_id_t* op_id);
HG_PUBLIC hg_return_t HG_Core_addr_lookup2(hg_core_class_t* hg_core_class, const char* name,
                                           hg_core_addr_t* addr_p);
/* NULL is a success. */
HG_PUBLIC hg_return_t HG_Core_addr_free(hg_core_addr_t addr);
HG_PUBLIC hg_return_t HG_Core_addr_set_remove(hg_core_addr_t addr);
/* The network's address; borrowed. */
HG_PUBLIC na_addr_t* HG_Core_addr_get_na(hg_core_addr_t addr) HG_WARN_UNUSED_RESULT;
HG_PUBLIC na_addr_t* HG_Core_addr_get_na_sm(hg_core_addr_t addr) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_addr_self(hg_core_class_t* hg_core_class, hg_core_addr_t* addr_p);
HG_PUBLIC hg_return_t HG_Core_addr_dup(hg_core_addr_t addr, hg_core_addr_t* new_addr_p);
HG_PUBLIC uint8_t HG_Core_addr_cmp(hg_core_addr_t addr1,
                                   hg_core_addr_t addr2) HG_WARN_UNUSED_RESULT;
/* Whether it came from HG_Core_addr_self(), a duplicate or a deserialised copy of it. */
HG_PUBLIC bool HG_Core_addr_is_self(hg_core_addr_t addr) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_addr_to_string(char* buf, hg_size_t* buf_size, hg_core_addr_t addr);
/*
 * Addresses as bytes, for a peer that uses the same network. `flags` (HG_CORE_SM) are not needed: a
 * composite address always travels whole. HG_OVERFLOW when the buffer is too small or cut short,
 * HG_PROTOCOL_ERROR when the bytes are no address.
 */
HG_PUBLIC hg_size_t HG_Core_addr_get_serialize_size(hg_core_addr_t addr,
                                                    unsigned long flags) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_addr_serialize(void* buf, hg_size_t buf_size, unsigned long flags,
                                             hg_core_addr_t addr);
HG_PUBLIC hg_return_t HG_Core_addr_deserialize(hg_core_class_t* hg_core_class,
                                               hg_core_addr_t* addr_p, const void* buf,
                                               hg_size_t buf_size, uint64_t flags);

/* --- Handles */

HG_PUBLIC hg_return_t HG_Core_create(hg_core_context_t* context, hg_core_addr_t addr, hg_id_t id,
                                     hg_core_handle_t* handle_p);
HG_PUBLIC hg_return_t HG_Core_destroy(hg_core_handle_t handle);
HG_PUBLIC hg_return_t HG_Core_reset(hg_core_handle_t handle, hg_core_addr_t addr, hg_id_t id);
HG_PUBLIC hg_return_t HG_Core_ref_incr(hg_core_handle_t handle);
HG_PUBLIC int32_t HG_Core_ref_get(hg_core_handle_t handle) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_set_data(hg_core_handle_t handle, void* data,
                                       void (*free_callback)(void*));
HG_PUBLIC void* HG_Core_get_data(hg_core_handle_t handle) HG_WARN_UNUSED_RESULT;
HG_PUBLIC const struct hg_core_info* HG_Core_get_info(hg_core_handle_t handle)
    HG_WARN_UNUSED_RESULT;
/* What HG_Core_register_data() attached to the handle's RPC, or NULL. */
HG_PUBLIC const void* HG_Core_get_rpc_data(hg_core_handle_t handle) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_set_target_id(hg_core_handle_t handle, uint8_t id);

/* The bytes of payload that were forwarded or have arrived. */
HG_PUBLIC size_t HG_Core_get_input_payload_size(hg_core_handle_t handle);
/* Where the payload lies, or is to be written, and the room there; borrowed from the handle. */
HG_PUBLIC hg_return_t HG_Core_get_input(hg_core_handle_t handle, void** in_buf_p,
                                        hg_size_t* in_buf_size_p);
HG_PUBLIC hg_return_t HG_Core_release_input(hg_core_handle_t handle);
HG_PUBLIC size_t HG_Core_get_output_payload_size(hg_core_handle_t handle);
HG_PUBLIC hg_return_t HG_Core_get_output(hg_core_handle_t handle, void** out_buf_p,
                                         hg_size_t* out_buf_size_p);

/*
 * Sends the first `payload_size` bytes of the input. `flags`: 0 or HG_CORE_MORE_DATA, which says
 * that the target needs more than these bytes. HG_MSGSIZE when they exceed the room.
 */
HG_PUBLIC hg_return_t HG_Core_forward(hg_core_handle_t handle, hg_core_cb_t callback, void* arg,
                                      uint8_t flags, hg_size_t payload_size);
/* The same with the output, as the response. */
HG_PUBLIC hg_return_t HG_Core_respond(hg_core_handle_t handle, hg_core_cb_t callback, void* arg,
                                      uint8_t flags, hg_size_t payload_size);
HG_PUBLIC hg_return_t HG_Core_cancel(hg_core_handle_t handle);

/* --- Progress */

HG_PUBLIC hg_return_t HG_Core_progress(hg_core_context_t* context, unsigned int timeout);
HG_PUBLIC hg_return_t HG_Core_trigger(hg_core_context_t* context, unsigned int timeout,
                                      unsigned int max_count, unsigned int* actual_count_p);
HG_PUBLIC int HG_Core_event_get_wait_fd(const hg_core_context_t* context) HG_WARN_UNUSED_RESULT;
HG_PUBLIC bool HG_Core_event_ready(hg_core_context_t* context) HG_WARN_UNUSED_RESULT;
HG_PUBLIC hg_return_t HG_Core_event_progress(hg_core_context_t* context, unsigned int* count_p);
HG_PUBLIC hg_return_t HG_Core_event_trigger(hg_core_context_t* context, unsigned int max_count,
                                            unsigned int* actual_count_p);

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_CORE_H */
