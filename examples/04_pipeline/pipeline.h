/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The procedure "save_stream", as both sides know it: a name and a region of many pieces of memory
 * go to the server; what was saved, or why not (empty: it was), comes back.
 */
#ifndef EXAMPLES_PIPELINE_H
#define EXAMPLES_PIPELINE_H

#include "common.h"

MERCURY_GEN_PROC(stream_in_t, ((hg_string_t)(name))((hg_bulk_t)(pieces)))
MERCURY_GEN_PROC(stream_out_t, ((hg_uint64_t)(size))((hg_string_t)(error)))

#endif /* EXAMPLES_PIPELINE_H */
