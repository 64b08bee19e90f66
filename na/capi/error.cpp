// SPDX-License-Identifier: BSD-3-Clause
#include "na.h"

const char* NA_Error_to_string(na_return_t errnum) {
#define X(a) #a,
    static const char* const names[] = {NA_RETURN_VALUES};
#undef X
    if (static_cast<int>(errnum) < 0 || errnum > NA_RETURN_MAX) return nullptr;
    return names[errnum];
}
