/* SPDX-License-Identifier: BSD-3-Clause */
/* The procedure "sum", as both sides know it. */
#ifndef EXAMPLES_SUM_H
#define EXAMPLES_SUM_H

#include "common.h"

MERCURY_GEN_PROC(sum_in_t, ((hg_int64_t)(a))((hg_int64_t)(b)))
MERCURY_GEN_PROC(sum_out_t, ((hg_int64_t)(sum))((hg_bool_t)(failed)))

#endif /* EXAMPLES_SUM_H */
