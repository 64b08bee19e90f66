/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Procs of strings. All three share one format: the length with the NUL as 64 bits (0 for a NULL
 * string), the bytes, and two flags. A received length is checked against the bytes that are there
 * before anything is allocated, and the NUL is checked too. Threads as for any proc.
 */
#ifndef MERCURY_PROC_STRING_H
#define MERCURY_PROC_STRING_H

#include "mercury_proc.h"
#include "mercury_string_object.h"

typedef const char* hg_const_string_t;
typedef char* hg_string_t;

#ifdef __cplusplus
extern "C" {
#endif

/*
 * `data` points to an hg_const_string_t. Decoding allocates, freeing frees and leaves NULL.
 * HG_OVERFLOW when the buffer ends too early, HG_PROTOCOL_ERROR when the string is malformed,
 * HG_NOMEM.
 */
HG_PUBLIC hg_return_t hg_proc_hg_const_string_t(hg_proc_t proc, void* data);

/* The same for an hg_string_t. */
HG_PUBLIC hg_return_t hg_proc_hg_string_t(hg_proc_t proc, void* data);

/*
 * The same for an hg_string_object_t, whose flags travel along; what was decoded is always owned.
 */
HG_PUBLIC hg_return_t hg_proc_hg_string_object_t(hg_proc_t proc, void* string);

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_PROC_STRING_H */
