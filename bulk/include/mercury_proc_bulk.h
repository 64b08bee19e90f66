/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The proc of a region, so that a description of memory can be an argument of an RPC. Threads as
 * for any proc.
 */
#ifndef MERCURY_PROC_BULK_H
#define MERCURY_PROC_BULK_H

#include "mercury_bulk.h"
#include "mercury_proc.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * `data` points to an hg_bulk_t, which may be HG_BULK_NULL. Decoding creates a region with one
 * reference, freeing drops one. HG_OVERFLOW when the buffer ends too early, HG_PROTOCOL_ERROR when
 * the description is malformed.
 */
HG_PUBLIC hg_return_t hg_proc_hg_bulk_t(hg_proc_t proc, void* data);

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_PROC_BULK_H */
