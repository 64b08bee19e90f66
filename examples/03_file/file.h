/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The procedure "save_file", as both sides know it: a name and a region with the file's bytes go to
 * the server; what was saved, or why not (empty: it was), comes back.
 */
#ifndef EXAMPLES_FILE_H
#define EXAMPLES_FILE_H

#include "common.h"

MERCURY_GEN_PROC(save_in_t, ((hg_string_t)(name))((hg_bulk_t)(bytes)))
MERCURY_GEN_PROC(save_out_t, ((hg_uint64_t)(size))((hg_string_t)(error)))

#endif /* EXAMPLES_FILE_H */
