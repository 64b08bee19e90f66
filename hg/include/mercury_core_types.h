/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The types that every level of the RPC library shares: sizes, ids, options, counters and return
 * codes. Programs fill struct hg_init_info and read struct hg_diag_counters; their layouts are part
 * of the API and only ever grow at the end.
 */
#ifndef MERCURY_CORE_TYPES_H
#define MERCURY_CORE_TYPES_H

#include "mercury_config.h"
#include "na_types.h"

/* A size or offset in bytes; 64 bits on every platform. */
typedef uint64_t hg_size_t;

/* An RPC's id; all 64 bits are significant, 0 means "none". */
typedef uint64_t hg_id_t;

/* How much of a message is covered by a checksum. Both peers must use the same level. */
typedef enum hg_checksum_level {
    HG_CHECKSUM_NONE = 0,        /* nothing */
    HG_CHECKSUM_RPC_HEADERS = 1, /* the headers */
    HG_CHECKSUM_RPC_PAYLOAD = 2  /* the headers and the encoded arguments */
} hg_checksum_level_t;

/* What kind of operation a callback reports. */
typedef enum hg_cb_type {
    HG_CB_LOOKUP = 0,
    HG_CB_FORWARD = 1,
    HG_CB_RESPOND = 2,
    HG_CB_BULK = 3
} hg_cb_type_t;

/* A direction: the arguments of an RPC, or its result. */
typedef enum { HG_UNDEF = 0, HG_INPUT = 1, HG_OUTPUT = 2 } hg_op_t;

/* What a proc is asked to do with a value. */
typedef enum {
    HG_ENCODE = 0, /* write the value into the buffer */
    HG_DECODE = 1, /* read it from the buffer, allocating what it needs */
    HG_FREE = 2    /* release what decoding allocated */
} hg_proc_op_t;

/*
 * Options of HG_Init_opt() and HG_Init_opt2(). Start from HG_INIT_INFO_INITIALIZER or from all
 * zeros; zero is a usable default for every member. Strings are borrowed until the call returns.
 */
struct hg_init_info {
    /* Options of the network below, in the layout that every 2.x header has used. */
    struct na_init_info_4_0 na_init_info;

    /*
     * An open network to use instead of opening one; stays the caller's, and must outlive the
     * class.
     */
    na_class_t* na_class;

    /* Requests a listening context can hold before any is served; 0 means 512. */
    uint32_t request_post_init;

    /* By how much that grows when exhausted; 0 means 512, a negative value means never. */
    int32_t request_post_incr;

    /* Non-zero: also open shared memory and use it to reach peers on the same host. */
    uint8_t auto_sm;

    /* Host part of the shared-memory address when auto_sm is set; NULL for a generated one. */
    const char* sm_info_string;

    /* What checksums cover. */
    hg_checksum_level_t checksum_level;

    /* Non-zero: never send small bulk data along with its descriptor. */
    uint8_t no_bulk_eager;

    /* Non-zero: calls to oneself travel through the network like any other. */
    uint8_t no_loopback;

    /* Non-zero: print counters when the class is finalized. */
    uint8_t stats;

    /* Non-zero: one receive buffer for each expected request instead of shared large ones. */
    uint8_t no_multi_recv;

    /* Non-zero: HG_Get_input() gives the receive buffer back as soon as it has decoded it. */
    uint8_t release_input_early;

    /* Quality of service asked of the network (since 2.4). */
    enum na_traffic_class traffic_class;

    /* True: arguments that do not fit an eager message fail with HG_OVERFLOW (since 2.4). */
    bool no_overflow;

    /* Number of large receive buffers; 0 means 4 (since 2.4). */
    unsigned int multi_recv_op_max;

    /* Copy requests out of those buffers once this few are left; 0 means never (since 2.4). */
    unsigned int multi_recv_copy_threshold;
};

/* What a class has counted since it was initialised; filled by HG_Class_get_counters(). */
struct hg_diag_counters {
    uint64_t rpc_req_sent_count;        /* requests sent */
    uint64_t rpc_req_recv_count;        /* requests received */
    uint64_t rpc_resp_sent_count;       /* responses sent */
    uint64_t rpc_resp_recv_count;       /* responses received */
    uint64_t rpc_req_extra_count;       /* requests too large for an eager message */
    uint64_t rpc_resp_extra_count;      /* responses too large for an eager message */
    uint64_t rpc_req_recv_active_count; /* requests being served now */
    uint64_t rpc_multi_recv_copy_count; /* requests copied out of a shared receive buffer */
    uint64_t bulk_count;                /* bulk transfers started */
};

/*
 * Every return code once, in order of value; define X(name) before expanding the list. The first 24
 * are numerically those of na_return_t. Values below HG_RETURN_MAX travel in responses.
 */
#define HG_RETURN_VALUES                                                    \
    X(HG_SUCCESS)        /* done */                                         \
    X(HG_PERMISSION)     /* operation not permitted */                      \
    X(HG_NOENTRY)        /* no such entry */                                \
    X(HG_INTERRUPT)      /* interrupted */                                  \
    X(HG_AGAIN)          /* resource temporarily unavailable */             \
    X(HG_NOMEM)          /* out of memory */                                \
    X(HG_ACCESS)         /* access denied */                                \
    X(HG_FAULT)          /* bad address, or an object in the wrong state */ \
    X(HG_BUSY)           /* still in use */                                 \
    X(HG_EXIST)          /* exists already */                               \
    X(HG_NODEV)          /* no such device */                               \
    X(HG_INVALID_ARG)    /* an argument is not valid */                     \
    X(HG_PROTOCOL_ERROR) /* the peer broke the protocol */                  \
    X(HG_OVERFLOW)       /* a value does not fit its room */                \
    X(HG_MSGSIZE)        /* message too long */                             \
    X(HG_PROTONOSUPPORT) /* protocol not supported */                       \
    X(HG_OPNOTSUPPORTED) /* operation not supported */                      \
    X(HG_ADDRINUSE)      /* address in use */                               \
    X(HG_ADDRNOTAVAIL)   /* address not available */                        \
    X(HG_HOSTUNREACH)    /* peer cannot be reached */                       \
    X(HG_TIMEOUT)        /* nothing happened in time */                     \
    X(HG_CANCELED)       /* operation canceled */                           \
    X(HG_IO_ERROR)       /* input or output failed */                       \
    X(HG_HOSTFIREWALL)   /* peer is behind a firewall */                    \
    X(HG_CHECKSUM_ERROR) /* checksums differ */                             \
    X(HG_NA_ERROR)       /* unspecified error of the network */             \
    X(HG_OTHER_ERROR)    /* unspecified error */                            \
    X(HG_RETURN_MAX)     /* number of codes, no code itself */

#define X(a) a,
typedef enum hg_return { HG_RETURN_VALUES } hg_return_t;
#undef X

/* Names of older programs. */
#define HG_INVALID_PARAM HG_INVALID_ARG
#define HG_SIZE_ERROR HG_MSGSIZE
#define HG_NOMEM_ERROR HG_NOMEM
#define HG_NO_MATCH HG_NOENTRY

/* Serialise the shared-memory part of an address too. */
#define HG_CORE_SM (1 << 0)

/* API versions as numbers that can be compared. */
#define HG_VERSION(major, minor) (((major) << 16) | (minor))
#define HG_MAJOR(version) ((version) >> 16)
#define HG_MINOR(version) ((version)&0xffff)
#define HG_VERSION_GE(v1, v2) ((v1) >= (v2))
#define HG_VERSION_LT(v1, v2) ((v1) < (v2))

/* The longest time that a timeout can usefully say, in milliseconds. */
#define HG_MAX_IDLE_TIME (3600 * 1000)

#define HG_SIZE_MAX UINT64_MAX

/* All defaults, as an initialiser and as a value. */
#ifdef __cplusplus
/* C++ has no compound literals, so there the macro names the result of this function. */
static inline constexpr hg_init_info hg_init_info_default() {
    return hg_init_info{{nullptr, nullptr, 0, 0, 0, NA_ADDR_UNSPEC, 1, 0, false},
                        nullptr,
                        0,
                        0,
                        0,
                        nullptr,
                        HG_CHECKSUM_NONE,
                        0,
                        0,
                        0,
                        0,
                        0,
                        NA_TC_UNSPEC,
                        false,
                        0,
                        0};
}
#define HG_INIT_INFO_INITIALIZER hg_init_info_default()
#else
#define HG_INIT_INFO_INITIALIZER                                                              \
    (struct hg_init_info) {                                                                   \
        .na_init_info = {.ip_subnet = NULL, .max_contexts = 1}, .na_class = NULL,             \
        .request_post_init = 0, .request_post_incr = 0, .auto_sm = 0, .sm_info_string = NULL, \
        .checksum_level = HG_CHECKSUM_NONE, .no_bulk_eager = 0, .no_loopback = 0, .stats = 0, \
        .no_multi_recv = 0, .release_input_early = 0, .traffic_class = NA_TC_UNSPEC,          \
        .no_overflow = false, .multi_recv_op_max = 0, .multi_recv_copy_threshold = 0          \
    }
#endif

#endif /* MERCURY_CORE_TYPES_H */
