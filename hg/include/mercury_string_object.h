/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A C string that knows whether it may be written to and whether it is to be freed, for arguments
 * whose origin the code that frees them no longer knows. Plain data; one thread at a time.
 */
#ifndef MERCURY_STRING_OBJECT_H
#define MERCURY_STRING_OBJECT_H

#include "mercury_types.h"

typedef struct hg_string_object {
    char* data;    /* NUL-terminated, or NULL */
    bool is_const; /* not to be written to */
    bool is_owned; /* hg_string_object_free() frees it, with free() */
} hg_string_object_t;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an object that holds no string. */
HG_PUBLIC hg_return_t hg_string_object_init(hg_string_object_t* string);

/* Holds `s` (may be NULL), which is handed over when `is_owned` is non-zero and else borrowed. */
HG_PUBLIC hg_return_t hg_string_object_init_char(hg_string_object_t* string, char* s,
                                                 uint8_t is_owned);

/* The same for a string that is not to be written to. */
HG_PUBLIC hg_return_t hg_string_object_init_const_char(hg_string_object_t* string, const char* s,
                                                       uint8_t is_owned);

/* Frees the string if it is owned, and leaves the object without one. */
HG_PUBLIC hg_return_t hg_string_object_free(hg_string_object_t* string);

/* Makes `new_string` own a copy. HG_NOMEM when memory ran out. */
HG_PUBLIC hg_return_t hg_string_object_dup(hg_string_object_t string,
                                           hg_string_object_t* new_string);

/*
 * Puts `s` in place of the string and returns the old one; ownership flags stay. NULL without
 * object.
 */
HG_PUBLIC char* hg_string_object_swap(hg_string_object_t* string, char* s);

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_STRING_OBJECT_H */
