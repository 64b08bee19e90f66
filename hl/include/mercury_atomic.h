/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Atomic integers: names for what C11 and C++11 have. Reading acquires, writing releases, the
 * others do both.
 */
#ifndef MERCURY_ATOMIC_H
#define MERCURY_ATOMIC_H

#include "mercury_util_config.h"

#ifdef __cplusplus
#include <atomic>
typedef std::atomic<int32_t> hg_atomic_int32_t;
typedef std::atomic<int64_t> hg_atomic_int64_t;
#define HG_ATOMIC_STD_ std::
#else
#include <stdatomic.h>
/* On Linux these have 32 and 64 bits. */
typedef atomic_int hg_atomic_int32_t;
typedef atomic_long hg_atomic_int64_t;
#define HG_ATOMIC_STD_
#endif

/* Initialises a variable where it is defined. */
#ifdef __cplusplus
#define HG_ATOMIC_VAR_INIT(x) \
    { x }
#else
#define HG_ATOMIC_VAR_INIT(x) (x)
#endif

/* clang-format off */
#define HG_ATOMIC_DEFINE_(bits)                                                                    \
    static HG_UTIL_INLINE void hg_atomic_init##bits(hg_atomic_int##bits##_t* ptr,                  \
                                                    int##bits##_t value) {                         \
        HG_ATOMIC_STD_ atomic_init(ptr, value);                                                    \
    }                                                                                              \
    static HG_UTIL_INLINE void hg_atomic_set##bits(hg_atomic_int##bits##_t* ptr,                   \
                                                   int##bits##_t value) {                          \
        HG_ATOMIC_STD_ atomic_store_explicit(ptr, value, HG_ATOMIC_STD_ memory_order_release);     \
    }                                                                                              \
    static HG_UTIL_INLINE int##bits##_t hg_atomic_get##bits(const hg_atomic_int##bits##_t* ptr) {  \
        return HG_ATOMIC_STD_ atomic_load_explicit(HG_ATOMIC_UNCONST_(bits, ptr),                  \
                                                   HG_ATOMIC_STD_ memory_order_acquire);           \
    }                                                                                              \
    /* The new value. */                                                                           \
    static HG_UTIL_INLINE int##bits##_t hg_atomic_incr##bits(hg_atomic_int##bits##_t* ptr) {       \
        return (int##bits##_t)(HG_ATOMIC_STD_ atomic_fetch_add_explicit(                           \
            ptr, 1, HG_ATOMIC_STD_ memory_order_acq_rel) + 1);                                     \
    }                                                                                              \
    static HG_UTIL_INLINE int##bits##_t hg_atomic_decr##bits(hg_atomic_int##bits##_t* ptr) {       \
        return (int##bits##_t)(HG_ATOMIC_STD_ atomic_fetch_sub_explicit(                           \
            ptr, 1, HG_ATOMIC_STD_ memory_order_acq_rel) - 1);                                     \
    }                                                                                              \
    /* The old value. */                                                                           \
    static HG_UTIL_INLINE int##bits##_t hg_atomic_or##bits(hg_atomic_int##bits##_t* ptr,           \
                                                           int##bits##_t value) {                  \
        return HG_ATOMIC_STD_ atomic_fetch_or_explicit(ptr, value,                                 \
                                                       HG_ATOMIC_STD_ memory_order_acq_rel);       \
    }                                                                                              \
    static HG_UTIL_INLINE int##bits##_t hg_atomic_xor##bits(hg_atomic_int##bits##_t* ptr,          \
                                                            int##bits##_t value) {                 \
        return HG_ATOMIC_STD_ atomic_fetch_xor_explicit(ptr, value,                                \
                                                        HG_ATOMIC_STD_ memory_order_acq_rel);      \
    }                                                                                              \
    static HG_UTIL_INLINE int##bits##_t hg_atomic_and##bits(hg_atomic_int##bits##_t* ptr,          \
                                                            int##bits##_t value) {                 \
        return HG_ATOMIC_STD_ atomic_fetch_and_explicit(ptr, value,                                \
                                                        HG_ATOMIC_STD_ memory_order_acq_rel);      \
    }                                                                                              \
    /* True if the value was `compare_value` and is now `swap_value`. */                           \
    static HG_UTIL_INLINE bool hg_atomic_cas##bits(hg_atomic_int##bits##_t* ptr,                   \
                                                   int##bits##_t compare_value,                    \
                                                   int##bits##_t swap_value) {                     \
        return HG_ATOMIC_STD_ atomic_compare_exchange_strong_explicit(                             \
            ptr, &compare_value, swap_value,                             \
            HG_ATOMIC_STD_ memory_order_acq_rel, HG_ATOMIC_STD_ memory_order_acquire);             \
    }
/* clang-format on */

#ifdef __cplusplus
#define HG_ATOMIC_UNCONST_(bits, ptr) ptr
#else
/* C11 as first published could not load from a const object. */
#define HG_ATOMIC_UNCONST_(bits, ptr) (hg_atomic_int##bits##_t*)(uintptr_t)(ptr)
#endif

HG_ATOMIC_DEFINE_(32)
HG_ATOMIC_DEFINE_(64)

static HG_UTIL_INLINE void hg_atomic_fence(void) {
    HG_ATOMIC_STD_ atomic_thread_fence(HG_ATOMIC_STD_ memory_order_acq_rel);
}

#endif /* MERCURY_ATOMIC_H */
