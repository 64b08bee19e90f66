/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash that makes an RPC id of a name: the id of HG_Register_name(). */
#ifndef MERCURY_HASH_STRING_H
#define MERCURY_HASH_STRING_H

#include "mercury_util_config.h"

/* h = h * 33 + c from 5381 (D. J. Bernstein), in 32 bits, characters counting as signed. */
static HG_UTIL_INLINE unsigned int hg_hash_string(const char* string) {
    uint32_t hash = 5381;
    for (; *string != '\0'; ++string)
        hash = (uint32_t)(hash * 33u + (uint32_t)(signed char)*string);
    return hash;
}

#endif /* MERCURY_HASH_STRING_H */
