/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the utility headers share: version, return codes and visibility. The utilities are few and
 * thin, kept for programs that were written on them; new programs use C11 and POSIX directly.
 */
#ifndef MERCURY_UTIL_CONFIG_H
#define MERCURY_UTIL_CONFIG_H

#include "mercury_compiler_attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HG_UTIL_VERSION_MAJOR 4
#define HG_UTIL_VERSION_MINOR 1
#define HG_UTIL_VERSION_PATCH 0

/* What the utilities' functions of type int return. */
#define HG_UTIL_SUCCESS 0
#define HG_UTIL_FAIL (-1)

#define HG_UTIL_INLINE __inline__
#define HG_UTIL_ALIGNED(x, a) HG_ATTR_ALIGNED(x, a)
#define HG_UTIL_PRINTF(format, arguments) HG_ATTR_PRINTF(format, arguments)
#define HG_UTIL_PUBLIC HG_ATTR_ABI_EXPORT
#define HG_UTIL_PRIVATE HG_ATTR_ABI_HIDDEN

#endif /* MERCURY_UTIL_CONFIG_H */
