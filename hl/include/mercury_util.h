/* SPDX-License-Identifier: BSD-3-Clause */
/* The version of the utilities that run, and their log level, which is the library's. */
#ifndef MERCURY_UTIL_H
#define MERCURY_UTIL_H

#include "mercury_util_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NULLs are skipped. */
HG_UTIL_PUBLIC void HG_Util_version_get(unsigned int* major_p, unsigned int* minor_p,
                                        unsigned int* patch_p);

/* As HG_Set_log_level(). */
HG_UTIL_PUBLIC void HG_Util_set_log_level(const char* level);

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_UTIL_H */
