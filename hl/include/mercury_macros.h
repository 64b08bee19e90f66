/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shorthand for programs: MERCURY_REGISTER registers an RPC by the names of its argument types, and
 * MERCURY_GEN_PROC writes a struct and its proc from one list of fields,
 *     MERCURY_GEN_PROC(open_in_t, ((hg_const_string_t)(path))((hg_int32_t)(mode)))
 * where each field's type T has a proc hg_proc_T. Only macros; the generated procs promise what the
 * fields' procs promise.
 */
#ifndef MERCURY_MACROS_H
#define MERCURY_MACROS_H

#include "mercury.h"
#include "mercury_bulk.h"
#include "mercury_proc.h"
#include "mercury_proc_bulk.h"

/* The proc of "no arguments", so that void can be given as a type. */
#define hg_proc_void NULL

/* Registers `func_name` with the procs of types `in_struct_t` and `out_struct_t`; gives the id. */
#define MERCURY_REGISTER(hg_class, func_name, in_struct_t, out_struct_t, rpc_cb) \
    HG_Register_name(hg_class, func_name, hg_proc_##in_struct_t, hg_proc_##out_struct_t, rpc_cb)

#ifdef HG_HAS_BOOST

#include <boost/preprocessor.hpp>

/* The type and the name of one field ((type)(name)). */
#define HG_GEN_GET_TYPE(field) BOOST_PP_SEQ_HEAD(field)
#define HG_GEN_GET_NAME(field) BOOST_PP_SEQ_CAT(BOOST_PP_SEQ_TAIL(field))

/* Declares one field, then all of them. */
#define HG_GEN_STRUCT_FIELD(r, data, field) HG_GEN_GET_TYPE(field) HG_GEN_GET_NAME(field);
#define HG_GEN_STRUCT(struct_type_name, fields)              \
    typedef struct {                                         \
        BOOST_PP_SEQ_FOR_EACH(HG_GEN_STRUCT_FIELD, , fields) \
    } struct_type_name;

/* Processes one field of `struct_name`, then all of them in order up to the first failure. */
#define HG_GEN_PROC(r, struct_name, field)                                                      \
    ret = BOOST_PP_CAT(hg_proc_, HG_GEN_GET_TYPE(field))(proc,                                  \
                                                         &struct_name->HG_GEN_GET_NAME(field)); \
    if (unlikely(ret != HG_SUCCESS)) return ret;
#define HG_GEN_STRUCT_PROC(struct_type_name, fields)                                      \
    static HG_INLINE hg_return_t BOOST_PP_CAT(hg_proc_, struct_type_name)(hg_proc_t proc, \
                                                                          void* data) {   \
        hg_return_t ret = HG_SUCCESS;                                                     \
        struct_type_name* struct_data = (struct_type_name*)data;                          \
                                                                                          \
        BOOST_PP_SEQ_FOR_EACH(HG_GEN_PROC, struct_data, fields)                           \
                                                                                          \
        return ret;                                                                       \
    }

/* The proc of a struct that exists already. */
#define MERCURY_GEN_STRUCT_PROC(struct_type_name, fields) \
    HG_GEN_STRUCT_PROC(struct_type_name, fields)

/* The struct and its proc. */
#define MERCURY_GEN_PROC(struct_type_name, fields) \
    HG_GEN_STRUCT(struct_type_name, fields)        \
    HG_GEN_STRUCT_PROC(struct_type_name, fields)

#endif /* HG_HAS_BOOST */

#endif /* MERCURY_MACROS_H */
