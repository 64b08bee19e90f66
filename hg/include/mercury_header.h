/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kept so that programs which include this name compile. The format of the messages is private to
 * the library, so nothing is declared here beyond the types.
 */
#ifndef MERCURY_HEADER_H
#define MERCURY_HEADER_H

#include "mercury_types.h"

#endif /* MERCURY_HEADER_H */
