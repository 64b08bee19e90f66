/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bulk transfers: one side describes memory and sends the description as an argument, the other
 * moves data between that memory and its own without the first taking part. The one who described
 * the memory is the origin; the one who transfers is told the outcome.
 *
 * Regions are reference counted and may be used from any thread. No function blocks or runs
 * callbacks, though describing memory may make the system pin it. A NULL region gives
 * HG_INVALID_ARG, or for a getter 0 or HG_ADDR_NULL.
 */
#ifndef MERCURY_BULK_H
#define MERCURY_BULK_H

#include "mercury_types.h"

/* What a peer may do with the memory: pull from it, push to it, or both. */
#define HG_BULK_READ_ONLY (1 << 0)
#define HG_BULK_WRITE_ONLY (1 << 1)
#define HG_BULK_READWRITE (HG_BULK_READ_ONLY | HG_BULK_WRITE_ONLY)

/* How to serialise: with the data itself where that is allowed; for a peer on the same host. */
#define HG_BULK_EAGER (1 << 2)
#define HG_BULK_SM (1 << 3)

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Describes `count` pieces of memory, which stay the caller's and must live as long as the region.
 * With `buf_ptrs` NULL the library allocates zeroed memory that lives with the region. The region
 * has one reference, the caller's. HG_INVALID_ARG for no pieces or for flags that are not one of
 * the three.
 */
HG_PUBLIC hg_return_t HG_Bulk_create(hg_class_t* hg_class, uint32_t count, void** buf_ptrs,
                                     const hg_size_t* buf_sizes, uint8_t flags, hg_bulk_t* handle);

/*
 * As HG_Bulk_create(), for memory of a device. `attrs` may be NULL for host memory.
 * HG_OPNOTSUPPORTED when the network cannot reach such memory.
 */
HG_PUBLIC hg_return_t HG_Bulk_create_attr(hg_class_t* hg_class, uint32_t count, void** buf_ptrs,
                                          const hg_size_t* buf_sizes, uint8_t flags,
                                          const struct hg_bulk_attr* attrs, hg_bulk_t* handle);

/* Drops one reference; transfers in flight keep their own. HG_BULK_NULL is a success. */
HG_PUBLIC hg_return_t HG_Bulk_free(hg_bulk_t handle);

/* Adds one reference, to be dropped with HG_Bulk_free(). */
HG_PUBLIC hg_return_t HG_Bulk_ref_incr(hg_bulk_t handle);

/*
 * Puts our address and the context's id into the description, so that whoever receives it, at first
 * or at second hand, can use HG_Bulk_bind_transfer(). HG_INVALID_ARG when it is bound already.
 */
HG_PUBLIC hg_return_t HG_Bulk_bind(hg_bulk_t handle, hg_context_t* context);

/* The address a region is bound to, or HG_ADDR_NULL; borrowed from the region. */
HG_PUBLIC hg_addr_t HG_Bulk_get_addr(hg_bulk_t handle);

/* The context it is bound to, or 0. */
HG_PUBLIC uint8_t HG_Bulk_get_context_id(hg_bulk_t handle);

/*
 * The pieces of local memory that make up `size` bytes from `offset`, at most `max_count` of them;
 * the arrays and `actual_count` may be NULL and are untouched when `size` or `max_count` is 0.
 * HG_INVALID_ARG when the range is not within the region.
 */
HG_PUBLIC hg_return_t HG_Bulk_access(hg_bulk_t handle, hg_size_t offset, hg_size_t size,
                                     uint8_t flags, uint32_t max_count, void** buf_ptrs,
                                     hg_size_t* buf_sizes, uint32_t* actual_count);

/* The bytes of all pieces together. */
HG_PUBLIC hg_size_t HG_Bulk_get_size(hg_bulk_t handle);

/* The number of pieces. */
HG_PUBLIC uint32_t HG_Bulk_get_segment_count(hg_bulk_t handle);

/* What a peer may do with the memory: one of the three permissions. */
HG_PUBLIC uint8_t HG_Bulk_get_flags(hg_bulk_t handle);

/* The bytes that HG_Bulk_serialize() needs with the same `flags`: 0, HG_BULK_EAGER, HG_BULK_SM. */
HG_PUBLIC hg_size_t HG_Bulk_get_serialize_size(hg_bulk_t handle, unsigned long flags);

/* Writes the description into `buf`. HG_OVERFLOW when it does not fit. */
HG_PUBLIC hg_return_t HG_Bulk_serialize(void* buf, hg_size_t buf_size, unsigned long flags,
                                        hg_bulk_t handle);

/*
 * Makes a region from a description, which is not kept; the region has one reference, the caller's.
 * HG_OVERFLOW when `buf` ends too early, HG_PROTOCOL_ERROR when it is malformed.
 */
HG_PUBLIC hg_return_t HG_Bulk_deserialize(hg_class_t* hg_class, hg_bulk_t* handle, const void* buf,
                                          hg_size_t buf_size);

/*
 * Moves `size` bytes between the origin's memory at `origin_addr` and local memory, in the
 * direction of `op`. `callback` (may be NULL) is told once as HG_CB_BULK, when the data is in
 * place; with `size` 0 at the next trigger. `op_id` (NULL or HG_OP_ID_IGNORE for none) gets what
 * HG_Bulk_cancel() needs. The regions and the address may be freed at once. HG_INVALID_ARG when a
 * range is not within its region, HG_PERMISSION when a region's flags forbid it.
 */
HG_PUBLIC hg_return_t HG_Bulk_transfer(hg_context_t* context, hg_cb_t callback, void* arg,
                                       hg_bulk_op_t op, hg_addr_t origin_addr,
                                       hg_bulk_t origin_handle, hg_size_t origin_offset,
                                       hg_bulk_t local_handle, hg_size_t local_offset,
                                       hg_size_t size, hg_op_id_t* op_id);

/* As HG_Bulk_transfer(), with the address and context that the origin's region is bound to. */
HG_PUBLIC hg_return_t HG_Bulk_bind_transfer(hg_context_t* context, hg_cb_t callback, void* arg,
                                            hg_bulk_op_t op, hg_bulk_t origin_handle,
                                            hg_size_t origin_offset, hg_bulk_t local_handle,
                                            hg_size_t local_offset, hg_size_t size,
                                            hg_op_id_t* op_id);

/* As HG_Bulk_transfer(), with the origin's context. */
HG_PUBLIC hg_return_t HG_Bulk_transfer_id(hg_context_t* context, hg_cb_t callback, void* arg,
                                          hg_bulk_op_t op, hg_addr_t origin_addr, uint8_t origin_id,
                                          hg_bulk_t origin_handle, hg_size_t origin_offset,
                                          hg_bulk_t local_handle, hg_size_t local_offset,
                                          hg_size_t size, hg_op_id_t* op_id);

/*
 * Asks for a transfer to end; its callback still runs once, with HG_CANCELED or its real outcome.
 * The id is valid until that callback runs.
 */
HG_PUBLIC hg_return_t HG_Bulk_cancel(hg_op_id_t op_id);

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_BULK_H */
