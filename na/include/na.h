/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network abstraction: classes (nets), contexts, addresses, unexpected and expected messages,
 * registered memory with put and get, progress.
 *
 * Users: the RPC layer, and programs that want messages without RPC. Every call may be made from
 * any thread unless its comment says otherwise. Every posted operation completes exactly once,
 * through its callback, with the result in na_cb_info.ret; a call that returns an error has posted
 * nothing. Callbacks run from NA_Trigger(), or, on a context opened by NA_Context_create_sink(), as
 * described there. NULL where an object is required gives NA_INVALID_ARG (or a null result), never
 * a crash.
 */
#ifndef NA_H
#define NA_H

#include "na_types.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library that is linked. Each pointer may be NULL. */
NA_PUBLIC void NA_Version_get(unsigned int* major_p, unsigned int* minor_p, unsigned int* patch_p);

/*
 * List the protocols and devices that an info string ("tcp", "na+sm://", NULL for all) could use.
 * No match is success with an empty list. Free the list with NA_Free_protocol_info().
 */
NA_PUBLIC na_return_t NA_Get_protocol_info(const char* info_string,
                                           struct na_protocol_info** na_protocol_info_p);
NA_PUBLIC void NA_Free_protocol_info(struct na_protocol_info* na_protocol_info);

/*
 * Open a net. info_string is "[class+]protocol[://[host part]]", for example "tcp://127.0.0.1:0" or
 * "na+sm". With listen, peers may connect to its address. Returns NULL on failure after one log
 * line that names the cause. May block for name resolution.
 */
NA_PUBLIC na_class_t* NA_Initialize(const char* info_string, bool listen) NA_WARN_UNUSED_RESULT;
/* The same with options in the NA 4.0 layout (struct na_init_info_4_0 fields are read). */
NA_PUBLIC na_class_t* NA_Initialize_opt(const char* info_string, bool listen,
                                        const struct na_init_info* na_init_info)
    NA_WARN_UNUSED_RESULT;
/* The same; version is NA_VERSION(major, minor) of the headers the caller was compiled with. */
NA_PUBLIC na_class_t* NA_Initialize_opt2(const char* info_string, bool listen, unsigned int version,
                                         const struct na_init_info* na_init_info)
    NA_WARN_UNUSED_RESULT;
/* Close a net. NA_BUSY, with nothing freed, while contexts or addresses of it exist. */
NA_PUBLIC na_return_t NA_Finalize(na_class_t* na_class);
/* Nothing is ever left behind on this system, so there is nothing to clean: kept for compatibility.
 */
NA_PUBLIC void NA_Cleanup(void);

/* Whether the net has a feature NA_OPT_*. */
NA_PUBLIC bool NA_Has_opt_feature(na_class_t* na_class, unsigned long flags) NA_WARN_UNUSED_RESULT;
/* Class name ("na"), protocol ("tcp"), listening or not. Strings live as long as the class. */
NA_PUBLIC const char* NA_Get_class_name(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;
NA_PUBLIC const char* NA_Get_class_protocol(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;
NA_PUBLIC bool NA_Is_listening(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;

/*
 * Logging: one sink for the whole process. Levels: none, error, warning, info, debug, trace (and
 * Mercury's aliases); the default is warning, or HG_LOG_LEVEL. Subsystems are a comma list, "~name"
 * excludes; HG_LOG_SUBSYS presets it. Text goes to stderr unless a function or stream is set.
 */
NA_PUBLIC void NA_Set_log_level(const char* level);
NA_PUBLIC void NA_Set_log_subsys(const char* subsys);
NA_PUBLIC void NA_Set_log_func(int (*log_func)(FILE* stream, const char* format, ...));
NA_PUBLIC void NA_Set_log_stream(const char* level, FILE* stream);
NA_PUBLIC bool NA_Log_enabled(int level, const char* subsys);
NA_PUBLIC void NA_Log_write(int level, const char* subsys, const char* text);
/* Write the diagnostic counters to the log at level info. */
NA_PUBLIC void NA_Diag_dump_counters(void);

/*
 * Contexts. Each has its own endpoint, completion queue and progress; id distinguishes the contexts
 * of a class to its peers. Destroy gives NA_BUSY while operations are posted on it.
 */
NA_PUBLIC na_context_t* NA_Context_create(na_class_t* na_class) NA_WARN_UNUSED_RESULT;
NA_PUBLIC na_context_t* NA_Context_create_id(na_class_t* na_class,
                                             uint8_t id) NA_WARN_UNUSED_RESULT;
/*
 * Extension: a context without a completion queue. A callback runs at once where the operation
 * completes: inside the posting call, inside NA_Cancel() or inside NA_Poll(), of any thread. It
 * must not block and may post further operations; it is never nested in itself for one operation.
 */
NA_PUBLIC na_context_t* NA_Context_create_sink(na_class_t* na_class,
                                               uint8_t id) NA_WARN_UNUSED_RESULT;
NA_PUBLIC na_return_t NA_Context_destroy(na_class_t* na_class, na_context_t* context);
NA_PUBLIC unsigned int NA_Context_get_completion_count(const na_context_t* context)
    NA_WARN_UNUSED_RESULT;

/* One reusable operation. Destroying one that is posted is refused with a log line. */
NA_PUBLIC na_op_id_t* NA_Op_create(na_class_t* na_class, unsigned long flags) NA_WARN_UNUSED_RESULT;
NA_PUBLIC void NA_Op_destroy(na_class_t* na_class, na_op_id_t* op_id);

/*
 * Addresses are counted: lookup, self, dup and deserialize give one reference, free returns it.
 * Lookup is local: it parses, resolves names (may block) and checks; the connection is made by the
 * first operation. set_remove says that the peer is gone: its connection is closed and forgotten.
 * An operation keeps what it needs: the address given to it may be freed once it is posted.
 */
NA_PUBLIC na_return_t NA_Addr_lookup(na_class_t* na_class, const char* name, na_addr_t** addr_p);
NA_PUBLIC void NA_Addr_free(na_class_t* na_class, na_addr_t* addr);
NA_PUBLIC na_return_t NA_Addr_set_remove(na_class_t* na_class, na_addr_t* addr);
NA_PUBLIC na_return_t NA_Addr_self(na_class_t* na_class, na_addr_t** addr_p);
NA_PUBLIC na_return_t NA_Addr_dup(na_class_t* na_class, na_addr_t* addr, na_addr_t** new_addr_p);
NA_PUBLIC bool NA_Addr_cmp(na_class_t* na_class, na_addr_t* addr1,
                           na_addr_t* addr2) NA_WARN_UNUSED_RESULT;
NA_PUBLIC bool NA_Addr_is_self(na_class_t* na_class, na_addr_t* addr) NA_WARN_UNUSED_RESULT;
/* buf NULL: *buf_size receives the size needed, NUL included. Too small: NA_OVERFLOW, same. */
NA_PUBLIC na_return_t NA_Addr_to_string(na_class_t* na_class, char* buf, size_t* buf_size,
                                        na_addr_t* addr);
NA_PUBLIC size_t NA_Addr_get_serialize_size(na_class_t* na_class,
                                            na_addr_t* addr) NA_WARN_UNUSED_RESULT;
NA_PUBLIC na_return_t NA_Addr_serialize(na_class_t* na_class, void* buf, size_t buf_size,
                                        na_addr_t* addr);
NA_PUBLIC na_return_t NA_Addr_deserialize(na_class_t* na_class, na_addr_t** addr_p, const void* buf,
                                          size_t buf_size, uint64_t flags);

/* Limits of the net, in bytes; they do not change while the class is open. */
NA_PUBLIC size_t NA_Msg_get_max_unexpected_size(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;
NA_PUBLIC size_t NA_Msg_get_max_expected_size(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;
NA_PUBLIC size_t NA_Msg_get_unexpected_header_size(const na_class_t* na_class)
    NA_WARN_UNUSED_RESULT;
NA_PUBLIC size_t NA_Msg_get_expected_header_size(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;
NA_PUBLIC na_tag_t NA_Msg_get_max_tag(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;

/* A message buffer in the transport's favourite memory; *plugin_data_p goes with it into each call.
 */
NA_PUBLIC void* NA_Msg_buf_alloc(na_class_t* na_class, size_t buf_size, unsigned long flags,
                                 void** plugin_data_p) NA_WARN_UNUSED_RESULT;
NA_PUBLIC void NA_Msg_buf_free(na_class_t* na_class, void* buf, void* plugin_data);

/*
 * Unexpected messages: received by whoever posted a receive, who learns source and tag. The buffer
 * belongs to the library from a successful call until the callback. A message larger than the
 * posted receive completes that receive with NA_MSGSIZE. dest_id is the peer's context id.
 */
NA_PUBLIC na_return_t NA_Msg_init_unexpected(na_class_t* na_class, void* buf, size_t buf_size);
NA_PUBLIC na_return_t NA_Msg_send_unexpected(na_class_t* na_class, na_context_t* context,
                                             na_cb_t callback, void* arg, const void* buf,
                                             size_t buf_size, void* plugin_data,
                                             na_addr_t* dest_addr, uint8_t dest_id, na_tag_t tag,
                                             na_op_id_t* op_id);
NA_PUBLIC na_return_t NA_Msg_recv_unexpected(na_class_t* na_class, na_context_t* context,
                                             na_cb_t callback, void* arg, void* buf,
                                             size_t buf_size, void* plugin_data, na_op_id_t* op_id);
NA_PUBLIC na_return_t NA_Msg_multi_recv_unexpected(na_class_t* na_class, na_context_t* context,
                                                   na_cb_t callback, void* arg, void* buf,
                                                   size_t buf_size, void* plugin_data,
                                                   na_op_id_t* op_id);

/*
 * Expected messages: matched by source address, source context id and tag. The receive must be
 * posted before the message arrives: one that finds no receive is dropped (a late answer to a
 * cancelled call).
 */
NA_PUBLIC na_return_t NA_Msg_init_expected(na_class_t* na_class, void* buf, size_t buf_size);
NA_PUBLIC na_return_t NA_Msg_send_expected(na_class_t* na_class, na_context_t* context,
                                           na_cb_t callback, void* arg, const void* buf,
                                           size_t buf_size, void* plugin_data, na_addr_t* dest_addr,
                                           uint8_t dest_id, na_tag_t tag, na_op_id_t* op_id);
NA_PUBLIC na_return_t NA_Msg_recv_expected(na_class_t* na_class, na_context_t* context,
                                           na_cb_t callback, void* arg, void* buf, size_t buf_size,
                                           void* plugin_data, na_addr_t* source_addr,
                                           uint8_t source_id, na_tag_t tag, na_op_id_t* op_id);

/*
 * Extension: the same sends without an operation, for messages that can leave at once. NA_SUCCESS:
 * the message has left in its order and the buffer may be used again; there is no callback, and a
 * loss of the peer after this shows elsewhere. NA_AGAIN: it would have to wait (no connection yet,
 * no room, another thread inside, a transport that cannot): nothing has happened, post it. Others:
 * as the posting calls. Never blocks. Any thread.
 */
NA_PUBLIC na_return_t NA_Msg_try_send_unexpected(na_class_t* na_class, na_context_t* context,
                                                 const void* buf, size_t buf_size,
                                                 void* plugin_data, na_addr_t* dest_addr,
                                                 uint8_t dest_id, na_tag_t tag);
NA_PUBLIC na_return_t NA_Msg_try_send_expected(na_class_t* na_class, na_context_t* context,
                                               const void* buf, size_t buf_size, void* plugin_data,
                                               na_addr_t* dest_addr, uint8_t dest_id, na_tag_t tag);

/*
 * Memory. A handle describes one or more segments of local memory (offsets run through them) and,
 * once registered, can be read or written by peers as its flags NA_MEM_* allow. Its serialised
 * form, given to a peer, becomes a remote handle there.
 */
NA_PUBLIC na_return_t NA_Mem_handle_create(na_class_t* na_class, void* buf, size_t buf_size,
                                           unsigned long flags, na_mem_handle_t** mem_handle_p);
NA_PUBLIC na_return_t NA_Mem_handle_create_segments(na_class_t* na_class,
                                                    struct na_segment* segments,
                                                    size_t segment_count, unsigned long flags,
                                                    na_mem_handle_t** mem_handle_p);
NA_PUBLIC void NA_Mem_handle_free(na_class_t* na_class, na_mem_handle_t* mem_handle);
NA_PUBLIC size_t NA_Mem_handle_get_max_segments(const na_class_t* na_class) NA_WARN_UNUSED_RESULT;
NA_PUBLIC na_return_t NA_Mem_register(na_class_t* na_class, na_mem_handle_t* mem_handle,
                                      enum na_mem_type mem_type, uint64_t device);
NA_PUBLIC na_return_t NA_Mem_deregister(na_class_t* na_class, na_mem_handle_t* mem_handle);
NA_PUBLIC size_t NA_Mem_handle_get_serialize_size(na_class_t* na_class, na_mem_handle_t* mem_handle)
    NA_WARN_UNUSED_RESULT;
NA_PUBLIC na_return_t NA_Mem_handle_serialize(na_class_t* na_class, void* buf, size_t buf_size,
                                              na_mem_handle_t* mem_handle);
/* Short or malformed input: NA_OVERFLOW or NA_PROTOCOL_ERROR. */
NA_PUBLIC na_return_t NA_Mem_handle_deserialize(na_class_t* na_class,
                                                na_mem_handle_t** mem_handle_p, const void* buf,
                                                size_t buf_size);
/*
 * Extension: zeroed memory that the transport can share cheaply (sm: mapped by the peer, so that
 * put and get are plain copies). NULL when out of memory. Size in bytes, not 0.
 */
NA_PUBLIC void* NA_Mem_alloc(na_class_t* na_class, size_t size) NA_WARN_UNUSED_RESULT;
NA_PUBLIC void NA_Mem_free(na_class_t* na_class, void* buf, size_t size);

/*
 * One-sided transfers of data_size bytes between a local and a remote handle. The callback of a put
 * means that the data is placed at the peer. A range outside a handle gives NA_INVALID_ARG, a
 * direction that its flags forbid NA_PERMISSION.
 */
NA_PUBLIC na_return_t NA_Put(na_class_t* na_class, na_context_t* context, na_cb_t callback,
                             void* arg, na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                             na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset,
                             size_t data_size, na_addr_t* remote_addr, uint8_t remote_id,
                             na_op_id_t* op_id);
NA_PUBLIC na_return_t NA_Get(na_class_t* na_class, na_context_t* context, na_cb_t callback,
                             void* arg, na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                             na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset,
                             size_t data_size, na_addr_t* remote_addr, uint8_t remote_id,
                             na_op_id_t* op_id);

/*
 * Extension: the same transfers without an operation, where they can be done inside the call.
 * NA_SUCCESS: the data is in place; there is no callback. NA_AGAIN: nothing has happened, post it.
 * Others: as the posting calls. May copy up to 1 MiB before it returns. Any thread.
 */
NA_PUBLIC na_return_t NA_Try_put(na_class_t* na_class, na_context_t* context,
                                 na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                                 na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset,
                                 size_t data_size, na_addr_t* remote_addr, uint8_t remote_id);
NA_PUBLIC na_return_t NA_Try_get(na_class_t* na_class, na_context_t* context,
                                 na_mem_handle_t* local_mem_handle, na_offset_t local_offset,
                                 na_mem_handle_t* remote_mem_handle, na_offset_t remote_offset,
                                 size_t data_size, na_addr_t* remote_addr, uint8_t remote_id);

/*
 * Progress. get_fd: a descriptor that is readable when progress can be made, constant for the life
 * of the context, -1 if the net was opened with NA_NO_BLOCK. try_wait arms it: false means do not
 * sleep; the next poll, of any thread, disarms it, so one thread at a time should sleep on the
 * descriptor. Poll never blocks; *count_p (may be NULL) is the number of completions to trigger, or
 * made on a sink context.
 */
NA_PUBLIC int NA_Poll_get_fd(na_class_t* na_class, na_context_t* context) NA_WARN_UNUSED_RESULT;
NA_PUBLIC bool NA_Poll_try_wait(na_class_t* na_class, na_context_t* context) NA_WARN_UNUSED_RESULT;
NA_PUBLIC na_return_t NA_Poll(na_class_t* na_class, na_context_t* context, unsigned int* count_p);
/* Polls until something completed or timeout_ms passed (then NA_SUCCESS with a count of 0). */
NA_PUBLIC na_return_t NA_Poll_wait(na_class_t* na_class, na_context_t* context,
                                   unsigned int timeout_ms, unsigned int* count_p);
/* Deprecated form: NA_SUCCESS when something can be triggered, else NA_TIMEOUT. */
NA_PUBLIC na_return_t NA_Progress(na_class_t* na_class, na_context_t* context,
                                  unsigned int timeout_ms);
/* Runs up to max_count callbacks; never blocks. Success also when there is none. */
NA_PUBLIC na_return_t NA_Trigger(na_context_t* context, unsigned int max_count,
                                 unsigned int* actual_count_p);
/* Asks for an operation to end early: its callback runs once, with NA_CANCELED or its result. */
NA_PUBLIC na_return_t NA_Cancel(na_class_t* na_class, na_context_t* context, na_op_id_t* op_id);

/* The name of a code ("NA_SUCCESS"), NULL if out of range. */
NA_PUBLIC const char* NA_Error_to_string(na_return_t errnum) NA_WARN_UNUSED_RESULT;

#ifdef __cplusplus
}
#endif

#endif /* NA_H */
