/* SPDX-License-Identifier: BSD-3-Clause */
/* The smaller and larger of two values, where the system's headers have not named them. */
#ifndef MERCURY_PARAM_H
#define MERCURY_PARAM_H

#include <sys/param.h>

#ifndef MIN
#define MIN(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef powerof2
#define powerof2(x) ((((x)-1) & (x)) == 0)
#endif

#endif /* MERCURY_PARAM_H */
