/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Types, constants and error codes of the network abstraction. Names, values and layouts are those
 * of Mercury's NA 6.0, so that programs written for it compile unchanged.
 */
#ifndef NA_TYPES_H
#define NA_TYPES_H

#include "na_config.h"

#include <limits.h>

/* Objects of the library: opaque, always used through pointers. */
typedef struct na_class na_class_t;           /* an opened network ("net") */
typedef struct na_context na_context_t;       /* an endpoint of it with its own progress */
typedef struct na_addr na_addr_t;             /* a peer, counted */
typedef struct na_op_id na_op_id_t;           /* one operation, reusable once completed */
typedef struct na_mem_handle na_mem_handle_t; /* described memory, local or remote */

typedef uint32_t na_tag_t;    /* matches an expected message to its receive */
typedef uint64_t na_offset_t; /* bytes from the start of a memory handle */

enum na_addr_format { NA_ADDR_UNSPEC = 0, NA_ADDR_IPV4 = 1, NA_ADDR_IPV6 = 2, NA_ADDR_NATIVE = 3 };

enum na_addr_flags { NA_ADDR_FIREWALL = 1 };

enum na_traffic_class {
    NA_TC_UNSPEC = 0,
    NA_TC_BEST_EFFORT,
    NA_TC_LOW_LATENCY,
    NA_TC_BULK_DATA,
    NA_TC_DEDICATED_ACCESS,
    NA_TC_SCAVENGER,
    NA_TC_NETWORK_CTRL
};

enum na_mem_type {
    NA_MEM_TYPE_HOST = 0,
    NA_MEM_TYPE_CUDA,
    NA_MEM_TYPE_ROCM,
    NA_MEM_TYPE_ZE,
    NA_MEM_TYPE_MAX,
    NA_MEM_TYPE_UNKNOWN = NA_MEM_TYPE_MAX
};

/* Options of NA_Initialize_opt2(); all zero means defaults. Strings are copied. */
struct na_init_info {
    const char* ip_subnet;               /* "10.1.0.0/16": choose the interface; NULL: any */
    const char* auth_key;                /* passed to transports that have keys */
    size_t max_unexpected_size;          /* bytes; 0: the transport's default */
    size_t max_expected_size;            /* bytes; 0: the transport's default */
    uint8_t progress_mode;               /* NA_NO_BLOCK: busy polling */
    enum na_addr_format addr_format;     /* preferred address family */
    uint8_t max_contexts;                /* 0 is taken as 1 */
    uint8_t thread_mode;                 /* NA_THREAD_MODE_* promises of the caller */
    bool request_mem_device;             /* device memory will be registered */
    enum na_traffic_class traffic_class; /* hint */
};

/* Layout that NA 4.0 used: the same without traffic_class. */
struct na_init_info_4_0 {
    const char* ip_subnet;
    const char* auth_key;
    size_t max_unexpected_size;
    size_t max_expected_size;
    uint8_t progress_mode;
    enum na_addr_format addr_format;
    uint8_t max_contexts;
    uint8_t thread_mode;
    bool request_mem_device;
};

struct na_segment {
    void* base;
    size_t len;
};

/* Entry of the list made by NA_Get_protocol_info(). */
struct na_protocol_info {
    struct na_protocol_info* next;
    char* class_name;    /* "na", "ofi", ... */
    char* protocol_name; /* "sm", "tcp", ... */
    char* device_name;   /* "shm", "eth0", ... */
};

/* Values 0 to 23 are also those of hg_return_t. */
#define NA_RETURN_VALUES                                        \
    X(NA_SUCCESS)        /* operation succeeded */              \
    X(NA_PERMISSION)     /* operation not permitted */          \
    X(NA_NOENTRY)        /* no such file or directory */        \
    X(NA_INTERRUPT)      /* operation interrupted */            \
    X(NA_AGAIN)          /* resource temporarily unavailable */ \
    X(NA_NOMEM)          /* not enough memory */                \
    X(NA_ACCESS)         /* permission denied */                \
    X(NA_FAULT)          /* bad address */                      \
    X(NA_BUSY)           /* device or resource busy */          \
    X(NA_EXIST)          /* entry already exists */             \
    X(NA_NODEV)          /* no such device */                   \
    X(NA_INVALID_ARG)    /* invalid argument */                 \
    X(NA_PROTOCOL_ERROR) /* protocol error */                   \
    X(NA_OVERFLOW)       /* value too large */                  \
    X(NA_MSGSIZE)        /* message size too long */            \
    X(NA_PROTONOSUPPORT) /* protocol not supported */           \
    X(NA_OPNOTSUPPORTED) /* operation not supported */          \
    X(NA_ADDRINUSE)      /* address already in use */           \
    X(NA_ADDRNOTAVAIL)   /* cannot assign requested address */  \
    X(NA_HOSTUNREACH)    /* cannot reach host */                \
    X(NA_TIMEOUT)        /* operation reached timeout */        \
    X(NA_CANCELED)       /* operation was canceled */           \
    X(NA_IO_ERROR)       /* I/O error */                        \
    X(NA_HOSTFIREWALL)   /* host is behind a firewall */        \
    X(NA_RETURN_MAX)

#define X(a) a,
typedef enum na_return { NA_RETURN_VALUES } na_return_t;
#undef X

#define NA_CB_TYPES                \
    X(NA_CB_SEND_UNEXPECTED)       \
    X(NA_CB_RECV_UNEXPECTED)       \
    X(NA_CB_MULTI_RECV_UNEXPECTED) \
    X(NA_CB_SEND_EXPECTED)         \
    X(NA_CB_RECV_EXPECTED)         \
    X(NA_CB_PUT)                   \
    X(NA_CB_GET)                   \
    X(NA_CB_MAX)

#define X(a) a,
typedef enum na_cb_type { NA_CB_TYPES } na_cb_type_t;
#undef X

struct na_cb_info_recv_unexpected {
    size_t actual_buf_size; /* bytes received */
    na_addr_t* source;      /* the sender; the callback owns this reference (NULL on error) */
    na_tag_t tag;
};

struct na_cb_info_multi_recv_unexpected {
    size_t actual_buf_size;
    na_addr_t* source;
    na_tag_t tag;
    void* actual_buf; /* where in the posted buffer this message lies */
    bool last;        /* the buffer is exhausted and the operation complete */
};

struct na_cb_info_recv_expected {
    size_t actual_buf_size;
};

/* What a callback is told; valid during the callback only. */
struct na_cb_info {
    union {
        struct na_cb_info_recv_unexpected recv_unexpected;
        struct na_cb_info_multi_recv_unexpected multi_recv_unexpected;
        struct na_cb_info_recv_expected recv_expected;
    } info;
    void* arg;
    na_cb_type_t type;
    na_return_t ret;
};

typedef void (*na_cb_t)(const struct na_cb_info* na_cb_info);

#define NA_VERSION(maj, min) (((unsigned int)(maj) << 16) | (unsigned int)(min))
#define NA_MAJOR(version) ((unsigned int)(version) >> 16)
#define NA_MINOR(version) ((unsigned int)(version)&0xffff)
#define NA_VERSION_GE(v1, v2) ((v1) >= (v2))
#define NA_VERSION_LT(v1, v2) ((v1) < (v2))

/* Optional features, for NA_Has_opt_feature(). */
#define NA_OPT_MULTI_RECV (1 << 0)
#define NA_OPT_FIREWALL_ADDR (1 << 1)

#define NA_MAX_IDLE_TIME (3600 * 1000) /* ms */
#define NA_CONTEXT_ID_MAX UINT8_MAX
#define NA_TAG_MAX UINT_MAX

/* Flags of NA_Msg_buf_alloc(). */
#define NA_SEND (1 << 0)
#define NA_RECV (1 << 1)
#define NA_MULTI_RECV (1 << 2)
#define NA_ALLOC_MAX (1 << 3)

/* Flags of NA_Op_create(). */
#define NA_OP_SINGLE 0
#define NA_OP_MULTI (1 << 0)

/* Who may do what with registered memory, seen from the remote side. */
#define NA_MEM_READ_ONLY (1 << 0)
#define NA_MEM_WRITE_ONLY (1 << 1)
#define NA_MEM_READWRITE (NA_MEM_READ_ONLY | NA_MEM_WRITE_ONLY)

/* progress_mode */
#define NA_NO_BLOCK (1 << 0)
#define NA_NO_RETRY (1 << 1)

/* thread_mode */
#define NA_THREAD_MODE_SINGLE_CLS (1 << 0)
#define NA_THREAD_MODE_SINGLE_CTX (1 << 1)
#define NA_THREAD_MODE_SINGLE (NA_THREAD_MODE_SINGLE_CLS | NA_THREAD_MODE_SINGLE_CTX)

/* All defaults: one context. C++ has no compound literals, so there the macros name functions. */
#ifdef __cplusplus
static inline constexpr na_init_info na_init_info_default() {
    return na_init_info{nullptr, nullptr, 0, 0, 0, NA_ADDR_UNSPEC, 1, 0, false, NA_TC_UNSPEC};
}
static inline constexpr na_init_info_4_0 na_init_info_4_0_default() {
    return na_init_info_4_0{nullptr, nullptr, 0, 0, 0, NA_ADDR_UNSPEC, 1, 0, false};
}
#define NA_INIT_INFO_INITIALIZER na_init_info_default()
#define NA_INIT_INFO_INITIALIZER_4_0 na_init_info_4_0_default()
#else
#define NA_INIT_INFO_INITIALIZER                                                                \
    (struct na_init_info) {                                                                     \
        .ip_subnet = NULL, .auth_key = NULL, .max_unexpected_size = 0, .max_expected_size = 0,  \
        .progress_mode = 0, .addr_format = NA_ADDR_UNSPEC, .max_contexts = 1, .thread_mode = 0, \
        .request_mem_device = false, .traffic_class = NA_TC_UNSPEC                              \
    }

#define NA_INIT_INFO_INITIALIZER_4_0                                                            \
    (struct na_init_info_4_0) {                                                                 \
        .ip_subnet = NULL, .auth_key = NULL, .max_unexpected_size = 0, .max_expected_size = 0,  \
        .progress_mode = 0, .addr_format = NA_ADDR_UNSPEC, .max_contexts = 1, .thread_mode = 0, \
        .request_mem_device = false                                                             \
    }
#endif

#endif /* NA_TYPES_H */
