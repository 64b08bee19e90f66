/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which peers can be reached through shared memory: those whose host id is ours. Two processes have
 * the same id when they run on the same running system, for the same user and in the same network
 * namespace, which is what the transport needs. Any thread.
 */
#ifndef NA_SM_H
#define NA_SM_H

#include "na_types.h"

/* Positive, and below 2^32. */
typedef long na_sm_id_t;

/* The room for an id as a string, with the NUL. */
#define NA_SM_HOST_ID_LEN 11

#ifdef __cplusplus
extern "C" {
#endif

/* The id of this process; it does not change. */
NA_PUBLIC na_return_t NA_SM_Host_id_get(na_sm_id_t* id_p);

/* Writes an id to `string`, which has room for NA_SM_HOST_ID_LEN characters. */
NA_PUBLIC na_return_t NA_SM_Host_id_to_string(na_sm_id_t id, char* string);

/* Reads it back. NA_PROTOCOL_ERROR when it is no id. */
NA_PUBLIC na_return_t NA_SM_String_to_host_id(const char* string, na_sm_id_t* id_p);

NA_PUBLIC void NA_SM_Host_id_copy(na_sm_id_t* dst_p, na_sm_id_t src);

/* Whether both are the same. */
NA_PUBLIC bool NA_SM_Host_id_cmp(na_sm_id_t id1, na_sm_id_t id2);

#ifdef __cplusplus
}
#endif

#endif /* NA_SM_H */
