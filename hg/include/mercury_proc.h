/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encoding and decoding of arguments. A proc walks over a buffer: encoding appends values and grows
 * into an extra buffer when the first one is full, decoding reads them back and never reads past
 * the end. RPC handles own their procs; programs write callbacks of type hg_proc_cb_t from the
 * functions below, and may create procs of their own.
 *
 * Values travel in the machine's byte order (little-endian), packed, without type tags. A proc is
 * used by one thread at a time. No function here blocks or runs callbacks.
 */
#ifndef MERCURY_PROC_H
#define MERCURY_PROC_H

#include "mercury_types.h"

#include <string.h>

/* Which checksum accompanies the encoded bytes: of 2, 4 or 8 bytes, or none. */
typedef enum { HG_CRC16 = 0, HG_CRC32 = 1, HG_CRC64 = 2, HG_NOHASH = 3 } hg_proc_hash_t;

/* Flags of a proc: the peer is reached through shared memory; small bulk data may travel along. */
#define HG_PROC_SM (1 << 0)
#define HG_PROC_BULK_EAGER (1 << 1)

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* One buffer and the position in it. */
struct hg_proc_buf {
    void* buf;           /* start */
    void* buf_ptr;       /* next byte to write or read */
    hg_size_t size;      /* bytes in all */
    hg_size_t size_left; /* bytes from buf_ptr on */
    uint8_t is_mine;     /* the proc frees it */
};

struct hg_proc_checksum;

/*
 * Public only so that the functions and macros below compile to a few instructions; programs use
 * those and leave the members alone.
 */
struct hg_proc {
    struct hg_proc_buf proc_buf;  /* the buffer given at reset */
    struct hg_proc_buf extra_buf; /* holds everything once proc_buf has overflowed */
    hg_class_t* hg_class;
    struct hg_proc_buf* current_buf;   /* the one of the two that is in use */
    struct hg_proc_checksum* checksum; /* NULL when there is no checksum */
    void* checksum_hash;               /* the finished checksum */
    size_t checksum_size;              /* its size in bytes */
    hg_proc_op_t op;
    uint8_t flags;
    hg_handle_t handle;
};

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Creates a proc without a buffer; hg_proc_reset() gives it one. It is the caller's, to be freed
 * with hg_proc_free(). The class is only remembered, never used, for hg_proc_get_class().
 */
HG_PUBLIC hg_return_t hg_proc_create(hg_class_t* hg_class, hg_proc_hash_t hash, hg_proc_t* proc_p);

/* Creates a proc and resets it as hg_proc_reset() does. */
HG_PUBLIC hg_return_t hg_proc_create_set(hg_class_t* hg_class, void* buf, hg_size_t buf_size,
                                         hg_proc_op_t op, hg_proc_hash_t hash, hg_proc_t* proc_p);

/*
 * Frees a proc and the extra buffer if it still owns one, not the buffer it was given. NULL is
 * allowed.
 */
HG_PUBLIC hg_return_t hg_proc_free(hg_proc_t proc);

/*
 * Starts anew at the beginning of `buf`, which is borrowed; flags are cleared, an extra buffer that
 * the proc owns is freed. HG_INVALID_ARG when `buf` is NULL and `op` is not HG_FREE.
 */
HG_PUBLIC hg_return_t hg_proc_reset(hg_proc_t proc, void* buf, hg_size_t buf_size, hg_proc_op_t op);

/*
 * Makes the buffer at least `buf_size` bytes large, keeping what was encoded; it never shrinks.
 * When it grows, pointers from hg_proc_save_ptr() become invalid. HG_OVERFLOW when a buffer being
 * decoded would have to grow, HG_NOMEM when memory ran out.
 */
HG_PUBLIC hg_return_t hg_proc_set_size(hg_proc_t proc, hg_size_t buf_size);

/*
 * Makes sure that `data_size` more bytes fit, which the functions below call when they do not.
 * Errors as hg_proc_set_size().
 */
HG_PUBLIC hg_return_t hg_proc_make_room(hg_proc_t proc, hg_size_t data_size);

/*
 * Steps over `data_size` contiguous bytes and returns where they start: to be filled when encoding,
 * to be read in place when decoding. Valid until the proc grows or its buffer is released. Followed
 * by hg_proc_restore_ptr(). NULL when the bytes do not fit or the proc is freeing.
 */
HG_PUBLIC void* hg_proc_save_ptr(hg_proc_t proc, hg_size_t data_size);

/* Ends what hg_proc_save_ptr() began, with the same pointer and size. */
HG_PUBLIC hg_return_t hg_proc_restore_ptr(hg_proc_t proc, void* data, hg_size_t data_size);

/*
 * Non-zero `mine` hands the extra buffer to the caller, who frees it with free(); zero hands it
 * back to the proc. HG_INVALID_ARG when there is none.
 */
HG_PUBLIC hg_return_t hg_proc_set_extra_buf_is_mine(hg_proc_t proc, uint8_t mine);

/*
 * Ends encoding or decoding: computes the checksum, if there is one, over all bytes encoded or
 * decoded since the reset.
 */
HG_PUBLIC hg_return_t hg_proc_flush(hg_proc_t proc);

/* Copies the checksum after hg_proc_flush(). HG_INVALID_ARG when `hash_size` is not its size. */
HG_PUBLIC hg_return_t hg_proc_checksum_get(hg_proc_t proc, void* hash, hg_size_t hash_size);

/* Compares the checksum after hg_proc_flush(). HG_CHECKSUM_ERROR when it differs. */
HG_PUBLIC hg_return_t hg_proc_checksum_verify(hg_proc_t proc, const void* hash,
                                              hg_size_t hash_size);

/*
 * Takes bytes that are not in the buffer into the checksum, if there is one; the peer must do the
 * same. What passes through the buffer is covered without it.
 */
HG_PUBLIC void hg_proc_checksum_update(hg_proc_t proc, void* data, hg_size_t data_size);

/* The class given at creation. */
static HG_INLINE hg_class_t* hg_proc_get_class(hg_proc_t proc) {
    return proc ? proc->hg_class : (hg_class_t*)0;
}

/* Names the handle that a proc works for; the library does so for its own. */
static HG_INLINE void hg_proc_set_handle(hg_proc_t proc, hg_handle_t handle) {
    if (proc) proc->handle = handle;
}

/* The handle a proc works for, or HG_HANDLE_NULL. */
static HG_INLINE hg_handle_t hg_proc_get_handle(hg_proc_t proc) {
    return proc ? proc->handle : HG_HANDLE_NULL;
}

/* What the proc is doing. */
static HG_INLINE hg_proc_op_t hg_proc_get_op(hg_proc_t proc) {
    return proc ? proc->op : HG_FREE;
}

static HG_INLINE void hg_proc_set_flags(hg_proc_t proc, uint8_t flags) {
    if (proc) proc->flags = flags;
}

static HG_INLINE uint8_t hg_proc_get_flags(hg_proc_t proc) {
    return (uint8_t)(proc ? proc->flags : 0);
}

/* The size of the buffer in use, in bytes. */
static HG_INLINE hg_size_t hg_proc_get_size(hg_proc_t proc) {
    return (proc && proc->current_buf) ? proc->current_buf->size : 0;
}

/* The bytes encoded or decoded so far. */
static HG_INLINE hg_size_t hg_proc_get_size_used(hg_proc_t proc) {
    return (proc && proc->current_buf) ? proc->current_buf->size - proc->current_buf->size_left : 0;
}

/* The bytes left in the buffer in use. */
static HG_INLINE hg_size_t hg_proc_get_size_left(hg_proc_t proc) {
    return (proc && proc->current_buf) ? proc->current_buf->size_left : 0;
}

/* The buffer that holds everything after an overflow, or NULL; borrowed. */
static HG_INLINE void* hg_proc_get_extra_buf(hg_proc_t proc) {
    return proc ? proc->extra_buf.buf : (void*)0;
}

/* Its size in bytes, or 0. */
static HG_INLINE hg_size_t hg_proc_get_extra_size(hg_proc_t proc) {
    return proc ? proc->extra_buf.size : 0;
}

/*
 * The steps of a hand-written proc. CHECK_SIZE makes sure of `size` bytes or sets `ret` and jumps
 * to `label`; TYPE_ENCODE and TYPE_DECODE copy at the position; UPDATE moves it; CHECKSUM_UPDATE
 * does nothing, since hg_proc_flush() covers the buffer as a whole. TYPE and BYTES are all of these
 * for one value.
 */
#define HG_PROC_CHECK_SIZE(proc, data_size, label, ret)                          \
    do {                                                                         \
        if (unlikely((proc)->current_buf->size_left < (hg_size_t)(data_size))) { \
            ret = hg_proc_make_room(proc, (hg_size_t)(data_size));               \
            if (ret != HG_SUCCESS) goto label;                                   \
        }                                                                        \
    } while (0)

#define HG_PROC_TYPE_ENCODE(proc, data, data_size) \
    memcpy((proc)->current_buf->buf_ptr, data, (size_t)(data_size))

#define HG_PROC_TYPE_DECODE(proc, data, data_size) \
    memcpy(data, (proc)->current_buf->buf_ptr, (size_t)(data_size))

#define HG_PROC_UPDATE(proc, data_size)                                                   \
    do {                                                                                  \
        (proc)->current_buf->buf_ptr = (char*)(proc)->current_buf->buf_ptr + (data_size); \
        (proc)->current_buf->size_left -= (hg_size_t)(data_size);                         \
    } while (0)

#define HG_PROC_CHECKSUM_UPDATE(proc, data, data_size) \
    do {                                               \
        (void)(proc);                                  \
        (void)(data);                                  \
        (void)(data_size);                             \
    } while (0)

#define HG_PROC_BYTES(proc, data, data_size, label, ret)           \
    do {                                                           \
        if ((proc)->op == HG_FREE || (data_size) == 0) goto label; \
        HG_PROC_CHECK_SIZE(proc, data_size, label, ret);           \
        if ((proc)->op == HG_ENCODE)                               \
            HG_PROC_TYPE_ENCODE(proc, data, data_size);            \
        else                                                       \
            HG_PROC_TYPE_DECODE(proc, data, data_size);            \
        HG_PROC_UPDATE(proc, data_size);                           \
    } while (0)

#define HG_PROC_TYPE(proc, type, data, label, ret) \
    HG_PROC_BYTES(proc, data, sizeof(type), label, ret)

/*
 * Encodes, decodes or (doing nothing) frees `data_size` bytes at `data`; both may be anything when
 * the size is 0. HG_OVERFLOW when decoding past the end, HG_NOMEM when the buffer could not grow.
 * As all that follow, it takes a valid proc that has been reset.
 */
static HG_INLINE hg_return_t hg_proc_bytes(hg_proc_t proc, void* data, hg_size_t data_size) {
    hg_return_t ret = HG_SUCCESS;

    HG_PROC_BYTES(proc, data, data_size, done, ret);

done:
    return ret;
}

/* The same for one integer. */
static HG_INLINE hg_return_t hg_proc_int8_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(int8_t));
}

static HG_INLINE hg_return_t hg_proc_uint8_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(uint8_t));
}

static HG_INLINE hg_return_t hg_proc_int16_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(int16_t));
}

static HG_INLINE hg_return_t hg_proc_uint16_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(uint16_t));
}

static HG_INLINE hg_return_t hg_proc_int32_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(int32_t));
}

static HG_INLINE hg_return_t hg_proc_uint32_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(uint32_t));
}

static HG_INLINE hg_return_t hg_proc_int64_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(int64_t));
}

static HG_INLINE hg_return_t hg_proc_uint64_t(hg_proc_t proc, void* data) {
    return hg_proc_bytes(proc, data, sizeof(uint64_t));
}

#ifdef __cplusplus
}
#endif

/* The procs of the API's own types. Of an hg_id_t only the lower 32 bits travel. */
#define hg_proc_hg_int8_t hg_proc_int8_t
#define hg_proc_hg_uint8_t hg_proc_uint8_t
#define hg_proc_hg_int16_t hg_proc_int16_t
#define hg_proc_hg_uint16_t hg_proc_uint16_t
#define hg_proc_hg_int32_t hg_proc_int32_t
#define hg_proc_hg_uint32_t hg_proc_uint32_t
#define hg_proc_hg_int64_t hg_proc_int64_t
#define hg_proc_hg_uint64_t hg_proc_uint64_t
#define hg_proc_hg_bool_t hg_proc_uint8_t
#define hg_proc_hg_ptr_t hg_proc_uint64_t
#define hg_proc_hg_size_t hg_proc_uint64_t
#define hg_proc_hg_id_t hg_proc_uint32_t
#define hg_proc_raw hg_proc_bytes
#define hg_proc_memcpy hg_proc_raw

#endif /* MERCURY_PROC_H */
