// SPDX-License-Identifier: BSD-3-Clause
// The version of the utilities and their log level. Any thread.
#include "mercury_util.h"

#include "na.h"

void HG_Util_version_get(unsigned int* major_p, unsigned int* minor_p, unsigned int* patch_p) {
    if (major_p != nullptr) *major_p = HG_UTIL_VERSION_MAJOR;
    if (minor_p != nullptr) *minor_p = HG_UTIL_VERSION_MINOR;
    if (patch_p != nullptr) *patch_p = HG_UTIL_VERSION_PATCH;
}

void HG_Util_set_log_level(const char* level) {
    NA_Set_log_level(level);
}
