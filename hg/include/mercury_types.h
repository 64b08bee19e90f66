/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The objects and callbacks of the RPC API. Classes, contexts, addresses, handles, regions, procs
 * and operation ids are opaque; the structs below are filled by the library and read by programs.
 */
#ifndef MERCURY_TYPES_H
#define MERCURY_TYPES_H

#include "mercury_core_types.h"

typedef struct hg_class hg_class_t;     /* an initialised library with its network */
typedef struct hg_context hg_context_t; /* one queue of completions and its progress */
typedef struct hg_addr* hg_addr_t;      /* a peer */
typedef struct hg_handle* hg_handle_t;  /* one RPC */
typedef struct hg_bulk* hg_bulk_t;      /* described memory, local or remote */
typedef struct hg_proc* hg_proc_t;      /* an encoding or decoding in progress */
typedef struct hg_op_id* hg_op_id_t;    /* a bulk transfer or lookup in flight */

/* What a handle refers to; everything is borrowed from the handle. */
struct hg_info {
    hg_class_t* hg_class;
    hg_context_t* context;
    hg_addr_t addr;     /* on the origin the target, on the target the origin */
    hg_id_t id;         /* the RPC */
    uint8_t context_id; /* the peer's context */
};

/* Where memory lives. */
typedef enum hg_mem_type {
    HG_MEM_TYPE_HOST = 0,
    HG_MEM_TYPE_CUDA = 1,
    HG_MEM_TYPE_ROCM = 2,
    HG_MEM_TYPE_ZE = 3,
    HG_MEM_TYPE_MAX = 4,
    HG_MEM_TYPE_UNKNOWN = HG_MEM_TYPE_MAX
} hg_mem_type_t;

struct hg_bulk_attr {
    hg_mem_type_t mem_type;
    uint64_t device; /* which device of that type; 0 for host memory */
};

/* Direction of a transfer, as seen by the one who starts it. */
typedef enum hg_bulk_op {
    HG_BULK_PUSH = 0, /* local memory to the origin's */
    HG_BULK_PULL = 1  /* the origin's memory to local */
} hg_bulk_op_t;

/* The address found; it belongs to the callback's receiver, who frees it with HG_Addr_free(). */
struct hg_cb_info_lookup {
    hg_addr_t addr;
};

/* The handle forwarded or responded; borrowed for the duration of the callback. */
struct hg_cb_info_forward {
    hg_handle_t handle;
};
struct hg_cb_info_respond {
    hg_handle_t handle;
};

/* The transfer as it was asked for; both regions are borrowed for the duration of the callback. */
struct hg_cb_info_bulk {
    hg_bulk_t origin_handle;
    hg_bulk_t local_handle;
    hg_bulk_op_t op;
    hg_size_t size; /* bytes */
};

/* What a callback is told; valid until it returns. */
struct hg_cb_info {
    union {
        struct hg_cb_info_lookup lookup;
        struct hg_cb_info_forward forward;
        struct hg_cb_info_respond respond;
        struct hg_cb_info_bulk bulk;
    } info; /* the member that `type` says */
    void* arg;
    hg_cb_type_t type;
    hg_return_t ret; /* how the operation ended */
};

/*
 * Serves one request, in the thread that triggers, with no lock held. Owns one reference of
 * `handle` and gives it up with HG_Destroy(), in the callback or later. The return value is not
 * used.
 */
typedef hg_return_t (*hg_rpc_cb_t)(hg_handle_t handle);

/*
 * Learns how an operation ended, exactly once, in the thread that triggers, with no lock held. May
 * call any function of the API. The return value is not used.
 */
typedef hg_return_t (*hg_cb_t)(const struct hg_cb_info* callback_info);

/*
 * Encodes, decodes or releases `data` as hg_proc_get_op() says; an error code ends the whole proc.
 */
typedef hg_return_t (*hg_proc_cb_t)(hg_proc_t proc, void* data);

#define HG_ADDR_NULL ((hg_addr_t)0)
#define HG_HANDLE_NULL ((hg_handle_t)0)
#define HG_BULK_NULL ((hg_bulk_t)0)
#define HG_PROC_NULL ((hg_proc_t)0)
#define HG_OP_ID_NULL ((hg_op_id_t)0)

/* Passed where an operation id is returned, to say that none is wanted; NULL says the same. */
#define HG_OP_ID_IGNORE ((hg_op_id_t*)1)

#endif /* MERCURY_TYPES_H */
