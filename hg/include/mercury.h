/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Remote procedure calls. A program initialises a class on a network, creates contexts, registers
 * its procedures and then calls peers: HG_Create, HG_Forward on the origin; a registered callback,
 * HG_Get_input and HG_Respond on the target. Nothing completes by itself: HG_Progress() moves the
 * network, HG_Trigger() runs the callbacks of what has completed.
 *
 * Promises that hold for every function here, where it does not say otherwise:
 * - it does not block, and runs no callback of the program; callbacks run only from HG_Trigger(),
 *   HG_Event_trigger() and HG_Context_destroy(), in the calling thread, with no lock held;
 * - it may be called from any thread; one handle is used by one thread at a time, HG_Cancel()
 *   excepted;
 * - a NULL class, context, handle, address or required pointer gives HG_INVALID_ARG, or for a
 *   getter NULL, 0 or false; it never crashes;
 * - on an error nothing has been started and the outputs are untouched;
 * - every operation that was started completes exactly once.
 */
#ifndef MERCURY_H
#define MERCURY_H

#include "mercury_header.h"
#include "mercury_types.h"

#include "mercury_core.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, which may be newer than the headers. NULLs are skipped. */
HG_PUBLIC hg_return_t HG_Version_get(unsigned int* major_p, unsigned int* minor_p,
                                     unsigned int* patch_p);

/* The name of a return code as a static string; NULL when there is no such code. */
HG_PUBLIC const char* HG_Error_to_string(hg_return_t errnum) HG_WARN_UNUSED_RESULT;

/*
 * Lists the networks that `info_string` ("tcp", "ofi+verbs://", ...) matches, or all when it is
 * NULL. The list is NULL when nothing matches, which is a success; it is the caller's and is freed
 * with HG_Free_na_protocol_info(). May load plugins and ask the system, hence block for a moment.
 */
HG_PUBLIC hg_return_t HG_Get_na_protocol_info(const char* info_string,
                                              struct na_protocol_info** na_protocol_info_p);

/* Frees such a list; NULL is allowed. */
HG_PUBLIC void HG_Free_na_protocol_info(struct na_protocol_info* na_protocol_info);

/*
 * Opens the network named by `na_info_string` ("tcp://127.0.0.1:0", "na+sm", ...) with default
 * options. With `na_listen` non-zero peers can call us. Returns NULL on failure, with the cause in
 * the log. The class is closed with HG_Finalize(). May block while the system resolves names or
 * opens devices.
 */
HG_PUBLIC hg_class_t* HG_Init(const char* na_info_string, uint8_t na_listen) HG_WARN_UNUSED_RESULT;

/*
 * As HG_Init(), with options; `hg_init_info` may be NULL and is not kept. This old entry point does
 * not know how new the caller's struct is and reads only the members that version 2.2 had, up to
 * `stats`.
 */
HG_PUBLIC hg_class_t* HG_Init_opt(const char* na_info_string, uint8_t na_listen,
                                  const struct hg_init_info* hg_init_info) HG_WARN_UNUSED_RESULT;

/*
 * As HG_Init_opt(), for a struct as declared by version `version` of the headers, normally
 * HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR). NULL when options are given and `version` is 0.
 */
HG_PUBLIC hg_class_t* HG_Init_opt2(const char* na_info_string, uint8_t na_listen,
                                   unsigned int version,
                                   const struct hg_init_info* hg_init_info) HG_WARN_UNUSED_RESULT;

/*
 * Closes the class and frees it, the data of its RPCs and the data attached to it. HG_BUSY, and
 * nothing has changed, while regions, contexts or addresses are left. A network given in the
 * options stays open.
 */
HG_PUBLIC hg_return_t HG_Finalize(hg_class_t* hg_class);

/* Removes what crashed processes of this user may have left behind on the system. */
HG_PUBLIC void HG_Cleanup(void);

/*
 * What is logged: "none", "error", "warning", "info" or "debug". Process-wide; an unknown name:
 * none.
 */
HG_PUBLIC void HG_Set_log_level(const char* level);

/* Which parts log: names separated by commas, `~name` to leave one out. Process-wide. */
HG_PUBLIC void HG_Set_log_subsys(const char* subsys);

/*
 * Replaces what writes log lines; NULL brings back the default. Must be callable from any thread.
 */
HG_PUBLIC void HG_Set_log_func(int (*log_func)(FILE* stream, const char* format, ...));

/*
 * Sends the lines of one level ("error", "warning", "debug") to `stream`, which stays the caller's.
 */
HG_PUBLIC void HG_Set_log_stream(const char* level, FILE* stream);

/* Writes the counters of each class of this process to the log. */
HG_PUBLIC void HG_Diag_dump_counters(void);

/* The name of the plugin that carries the class ("tcp", "ofi", ...); borrowed from the class. */
HG_PUBLIC const char* HG_Class_get_name(const hg_class_t* hg_class) HG_WARN_UNUSED_RESULT;

/* The name of the protocol within the plugin ("tcp", "sm", ...); borrowed from the class. */
HG_PUBLIC const char* HG_Class_get_protocol(const hg_class_t* hg_class) HG_WARN_UNUSED_RESULT;

/* Whether peers can call this class. */
HG_PUBLIC bool HG_Class_is_listening(const hg_class_t* hg_class) HG_WARN_UNUSED_RESULT;

/*
 * The bytes of encoded arguments that travel in one message; larger arguments are sent, but slower.
 */
HG_PUBLIC hg_size_t HG_Class_get_input_eager_size(const hg_class_t* hg_class) HG_WARN_UNUSED_RESULT;

/* The bytes of an encoded result that travel in one message. */
HG_PUBLIC hg_size_t HG_Class_get_output_eager_size(const hg_class_t* hg_class)
    HG_WARN_UNUSED_RESULT;

/*
 * Leaves `offset` bytes in front of the encoded arguments for a header of the program, reached with
 * HG_Get_input_buf(). To be called before handles are created, and alike on both peers.
 * HG_INVALID_ARG beyond the eager size.
 */
HG_PUBLIC hg_return_t HG_Class_set_input_offset(hg_class_t* hg_class, hg_size_t offset);

/* The same for results. */
HG_PUBLIC hg_return_t HG_Class_set_output_offset(hg_class_t* hg_class, hg_size_t offset);

/*
 * Attaches data of the program; `free_callback` (may be NULL) is given it when the class is
 * finalized. Earlier data is replaced, not freed.
 */
HG_PUBLIC hg_return_t HG_Class_set_data(hg_class_t* hg_class, void* data,
                                        void (*free_callback)(void*));

/* The data attached, or NULL. */
HG_PUBLIC void* HG_Class_get_data(const hg_class_t* hg_class) HG_WARN_UNUSED_RESULT;

/*
 * Copies the counters of the class: messages of all its contexts, and what it transferred. Calls to
 * oneself are no messages.
 */
HG_PUBLIC hg_return_t HG_Class_get_counters(const hg_class_t* hg_class,
                                            struct hg_diag_counters* diag_counters);

/*
 * `callback` is given every handle that contexts created from now on create, before it is used, for
 * instance to attach data; an error from it makes the creation fail. It runs where the handle is
 * created. NULL removes it.
 */
HG_PUBLIC hg_return_t HG_Class_set_handle_create_callback(
    hg_class_t* hg_class, hg_return_t (*callback)(hg_handle_t, void*), void* arg);

/* Creates context 0; on a listening class requests are received from here on. NULL on failure. */
HG_PUBLIC hg_context_t* HG_Context_create(hg_class_t* hg_class) HG_WARN_UNUSED_RESULT;

/* Creates the context that peers reach as `id`. NULL on failure. */
HG_PUBLIC hg_context_t* HG_Context_create_id(hg_class_t* hg_class,
                                             uint8_t id) HG_WARN_UNUSED_RESULT;

/*
 * Destroys a context and frees the data attached to it. Waits up to some seconds for its handles to
 * disappear and may run callbacks while it does; HG_BUSY, and nothing is destroyed, when some
 * remain or another thread is in HG_Progress().
 */
HG_PUBLIC hg_return_t HG_Context_destroy(hg_context_t* context);

/*
 * Stops receiving requests: none is delivered after the return. Blocks until receives are
 * withdrawn.
 */
HG_PUBLIC hg_return_t HG_Context_unpost(hg_context_t* context);

/* The class of a context; borrowed. */
HG_PUBLIC hg_class_t* HG_Context_get_class(const hg_context_t* context) HG_WARN_UNUSED_RESULT;

/* The id of a context. */
HG_PUBLIC uint8_t HG_Context_get_id(const hg_context_t* context) HG_WARN_UNUSED_RESULT;

/*
 * Attaches data; `free_callback` (may be NULL) runs in HG_Context_destroy(). Earlier data is
 * replaced.
 */
HG_PUBLIC hg_return_t HG_Context_set_data(hg_context_t* context, void* data,
                                          void (*free_callback)(void*));

/* The data attached, or NULL. */
HG_PUBLIC void* HG_Context_get_data(const hg_context_t* context) HG_WARN_UNUSED_RESULT;

/*
 * Registers an RPC under an id made from its name, the same on every peer, and returns the id; 0 on
 * failure. The procs encode and decode its arguments and result and may be NULL when there are
 * none; `rpc_cb` serves it and may be NULL where it is only called.
 */
HG_PUBLIC hg_id_t HG_Register_name(hg_class_t* hg_class, const char* func_name,
                                   hg_proc_cb_t in_proc_cb, hg_proc_cb_t out_proc_cb,
                                   hg_rpc_cb_t rpc_cb) HG_WARN_UNUSED_RESULT;

/* Whether a name is registered; `id_p` (may be NULL) gets its id either way. */
HG_PUBLIC hg_return_t HG_Registered_name(hg_class_t* hg_class, const char* func_name, hg_id_t* id_p,
                                         uint8_t* flag_p);

/*
 * Registers an RPC under an id of the program's choice, or gives a registered one new callbacks;
 * what is attached to it stays. May be called at any time, also while requests are being served.
 */
HG_PUBLIC hg_return_t HG_Register(hg_class_t* hg_class, hg_id_t id, hg_proc_cb_t in_proc_cb,
                                  hg_proc_cb_t out_proc_cb, hg_rpc_cb_t rpc_cb);

/* Removes an RPC and frees its data. Handles that use it stay valid. HG_NOENTRY when unknown. */
HG_PUBLIC hg_return_t HG_Deregister(hg_class_t* hg_class, hg_id_t id);

/* Whether an id is registered. */
HG_PUBLIC hg_return_t HG_Registered(hg_class_t* hg_class, hg_id_t id, uint8_t* flag_p);

/* The same, with the procs registered under it; the proc outputs may be NULL. */
HG_PUBLIC hg_return_t HG_Registered_proc_cb(hg_class_t* hg_class, hg_id_t id, uint8_t* flag_p,
                                            hg_proc_cb_t* in_proc_cb_p,
                                            hg_proc_cb_t* out_proc_cb_p);

/*
 * Attaches data to an RPC; `free_callback` (may be NULL) is given it when the RPC is deregistered
 * or the class finalized. Earlier data is replaced, not freed. HG_NOENTRY when the id is unknown.
 */
HG_PUBLIC hg_return_t HG_Register_data(hg_class_t* hg_class, hg_id_t id, void* data,
                                       void (*free_callback)(void*));

/* The data attached to an RPC, or NULL. */
HG_PUBLIC void* HG_Registered_data(hg_class_t* hg_class, hg_id_t id) HG_WARN_UNUSED_RESULT;

/*
 * With `disable` non-zero, calls from this process ask for no response and complete once sent.
 * Handles already created or reset for this RPC keep what they had. HG_NOENTRY when the id is
 * unknown.
 */
HG_PUBLIC hg_return_t HG_Registered_disable_response(hg_class_t* hg_class, hg_id_t id,
                                                     uint8_t disable);

/* Whether responses are disabled. HG_NOENTRY when the id is unknown. */
HG_PUBLIC hg_return_t HG_Registered_disabled_response(hg_class_t* hg_class, hg_id_t id,
                                                      uint8_t* disabled_p);

/*
 * Finds a peer and reports it to `callback` as HG_CB_LOOKUP; the address is the callback's to free.
 * No operation id is ever stored in `op_id_p`. Errors of the lookup itself are returned here.
 */
HG_PUBLIC hg_return_t HG_Addr_lookup1(hg_context_t* context, hg_cb_t callback, void* arg,
                                      const char* name, hg_op_id_t* op_id_p);

#ifndef HG_Addr_lookup
#define HG_Addr_lookup HG_Addr_lookup1
#endif

/*
 * Finds a peer by the string that HG_Addr_to_string() gave it. The address is the caller's, to be
 * freed with HG_Addr_free(). Does not wait for the peer; that it is gone shows when it is called.
 */
HG_PUBLIC hg_return_t HG_Addr_lookup2(hg_class_t* hg_class, const char* name, hg_addr_t* addr_p);

/* Drops one reference; handles and transfers keep their own. HG_ADDR_NULL is a success. */
HG_PUBLIC hg_return_t HG_Addr_free(hg_class_t* hg_class, hg_addr_t addr);

/* Says that the peer is gone for good, so that a later lookup of the same string starts afresh. */
HG_PUBLIC hg_return_t HG_Addr_set_remove(hg_class_t* hg_class, hg_addr_t addr);

/* Our own address; the caller's, to be freed. */
HG_PUBLIC hg_return_t HG_Addr_self(hg_class_t* hg_class, hg_addr_t* addr_p);

/* Another address of the same peer; the caller's, to be freed. */
HG_PUBLIC hg_return_t HG_Addr_dup(hg_class_t* hg_class, hg_addr_t addr, hg_addr_t* new_addr_p);

/* Non-zero when both are the same peer, or both are HG_ADDR_NULL. */
HG_PUBLIC uint8_t HG_Addr_cmp(hg_class_t* hg_class, hg_addr_t addr1,
                              hg_addr_t addr2) HG_WARN_UNUSED_RESULT;

/*
 * Writes the string of an address, NUL-terminated. `buf_size_p` holds the room and gets the length
 * used with the NUL; with `buf` NULL it only gets the length needed. HG_OVERFLOW when the room is
 * too small.
 */
HG_PUBLIC hg_return_t HG_Addr_to_string(hg_class_t* hg_class, char* buf, hg_size_t* buf_size_p,
                                        hg_addr_t addr);

/*
 * Creates a handle to call `id` at `addr`, with one reference, the caller's. HG_ADDR_NULL and id 0
 * may be given and supplied by HG_Reset() later. HG_NOENTRY when the id is not registered here. The
 * handle keeps its own reference of the address.
 */
HG_PUBLIC hg_return_t HG_Create(hg_context_t* context, hg_addr_t addr, hg_id_t id,
                                hg_handle_t* handle_p);

/*
 * Drops one reference; a handle in flight lives on until its callback has run. NULL is a success.
 */
HG_PUBLIC hg_return_t HG_Destroy(hg_handle_t handle);

/*
 * Readies a handle for a call of `id` at `addr`, keeping the data attached to it. The handle's own
 * address may be given. HG_BUSY while it is in flight or its callback has not run.
 */
HG_PUBLIC hg_return_t HG_Reset(hg_handle_t handle, hg_addr_t addr, hg_id_t id);

/* Adds one reference, to be dropped with HG_Destroy(). */
HG_PUBLIC hg_return_t HG_Ref_incr(hg_handle_t handle);

/* The references held now, by the program and by the library. */
HG_PUBLIC int32_t HG_Ref_get(hg_handle_t handle) HG_WARN_UNUSED_RESULT;

/* What the handle refers to; borrowed, and current for as long as the handle lives. */
HG_PUBLIC const struct hg_info* HG_Get_info(hg_handle_t handle) HG_WARN_UNUSED_RESULT;

/*
 * Attaches data; `free_callback` (may be NULL) is given it when the handle's memory is released,
 * which for a recycled handle can be much later. Earlier data is replaced, not freed.
 */
HG_PUBLIC hg_return_t HG_Set_data(hg_handle_t handle, void* data, void (*free_callback)(void*));

/* The data attached, or NULL; on the target possibly left by an earlier request. */
HG_PUBLIC void* HG_Get_data(hg_handle_t handle) HG_WARN_UNUSED_RESULT;

/* The bytes of the encoded arguments; 0 when there are none. */
HG_PUBLIC hg_size_t HG_Get_input_payload_size(hg_handle_t handle);

/*
 * Decodes the arguments into `in_struct` with the registered proc; each success is matched by one
 * HG_Free_input(). HG_FAULT when the RPC has no proc or the buffer was released; HG_OVERFLOW when
 * the message is too short; HG_CHECKSUM_ERROR when it was damaged; else what the proc returned.
 */
HG_PUBLIC hg_return_t HG_Get_input(hg_handle_t handle, void* in_struct);

/* Releases what decoding allocated and the reference it took. */
HG_PUBLIC hg_return_t HG_Free_input(hg_handle_t handle, void* in_struct);

/* The bytes of the encoded result; 0 when there is none. */
HG_PUBLIC hg_size_t HG_Get_output_payload_size(hg_handle_t handle);

/* As HG_Get_input(), for the result, once the forward callback has reported success. */
HG_PUBLIC hg_return_t HG_Get_output(hg_handle_t handle, void* out_struct);

/* Releases what decoding allocated and the reference it took. */
HG_PUBLIC hg_return_t HG_Free_output(hg_handle_t handle, void* out_struct);

/*
 * The raw message after the library's headers, from the area that HG_Class_set_input_offset()
 * reserves; borrowed until the handle is released.
 */
HG_PUBLIC hg_return_t HG_Get_input_buf(hg_handle_t handle, void** in_buf_p,
                                       hg_size_t* in_buf_size_p);

/*
 * Gives the memory that received the arguments back early; HG_Get_input() then fails with HG_FAULT.
 */
HG_PUBLIC hg_return_t HG_Release_input_buf(hg_handle_t handle);

/* The same view of the result's message. */
HG_PUBLIC hg_return_t HG_Get_output_buf(hg_handle_t handle, void** out_buf_p,
                                        hg_size_t* out_buf_size_p);

/* The buffer of arguments too large for a message, or NULL and 0; borrowed. */
HG_PUBLIC hg_return_t HG_Get_input_extra_buf(hg_handle_t handle, void** in_buf_p,
                                             hg_size_t* in_buf_size_p);

/* The same for results. */
HG_PUBLIC hg_return_t HG_Get_output_extra_buf(hg_handle_t handle, void** out_buf_p,
                                              hg_size_t* out_buf_size_p);

/* Chooses the peer's context; 0 after creation and after HG_Reset(). */
HG_PUBLIC hg_return_t HG_Set_target_id(hg_handle_t handle, uint8_t id);

/*
 * Calls: encodes `in_struct` (NULL for none; free to change on return) and sends it. `callback`
 * (may be NULL) is told the outcome once as HG_CB_FORWARD: HG_SUCCESS when the response is there,
 * the target's error, HG_CANCELED, or an error of the network. HG_BUSY while the handle is in
 * flight; HG_OVERFLOW when the arguments are too large and `no_overflow` was asked for.
 */
HG_PUBLIC hg_return_t HG_Forward(hg_handle_t handle, hg_cb_t callback, void* arg, void* in_struct);

/*
 * Answers the request of a handle with `out_struct` (NULL for none; free to change on return).
 * `callback` (may be NULL) is told once as HG_CB_RESPOND when the network has taken the
 * response; further progress carries it away.
 * HG_OPNOTSUPPORTED when the caller asked for no response.
 */
HG_PUBLIC hg_return_t HG_Respond(hg_handle_t handle, hg_cb_t callback, void* arg, void* out_struct);

/*
 * Asks for the operation in flight to end. Its callback still runs once, with HG_CANCELED or, when
 * that came first, its real outcome. Success when nothing is in flight; HG_OPNOTSUPPORTED for a
 * call to self.
 */
HG_PUBLIC hg_return_t HG_Cancel(hg_handle_t handle);

/*
 * Moves the network for up to `timeout` milliseconds and returns HG_SUCCESS once something is there
 * to trigger, HG_TIMEOUT when not. With 0 it only looks. Several threads may call it on one
 * context.
 */
HG_PUBLIC hg_return_t HG_Progress(hg_context_t* context, unsigned int timeout);

/*
 * Runs up to `max_count` callbacks, waiting up to `timeout` milliseconds for another thread's
 * progress to bring the first. `actual_count_p` (may be NULL) gets how many ran. HG_TIMEOUT when
 * none did.
 */
HG_PUBLIC hg_return_t HG_Trigger(hg_context_t* context, unsigned int timeout,
                                 unsigned int max_count, unsigned int* actual_count_p);

/*
 * A descriptor that becomes readable when HG_Event_progress() has work, for the program's own event
 * loop; it stays the library's and the same for the context's life. -1 when the network cannot
 * wait.
 */
HG_PUBLIC int HG_Event_get_wait_fd(const hg_context_t* context) HG_WARN_UNUSED_RESULT;

/*
 * Called before waiting on that descriptor: true when there is work, so do not wait. What it began
 * is ended by HG_Event_progress().
 */
HG_PUBLIC bool HG_Event_ready(hg_context_t* context) HG_WARN_UNUSED_RESULT;

/* Moves the network without waiting; `count_p` (may be NULL) gets how many callbacks are due. */
HG_PUBLIC hg_return_t HG_Event_progress(hg_context_t* context, unsigned int* count_p);

/* Runs up to `max_count` callbacks without waiting; success also when none was due. */
HG_PUBLIC hg_return_t HG_Event_trigger(hg_context_t* context, unsigned int max_count,
                                       unsigned int* actual_count_p);

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_H */
