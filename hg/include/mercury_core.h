/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The types and constants of the core level: RPCs as plain buffers, without encoding of arguments.
 * Its functions are not offered yet and therefore not declared; use those of mercury.h.
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

#endif /* MERCURY_CORE_H */
