// SPDX-License-Identifier: BSD-3-Clause
// Log control: the sink is libna's.
#include "hg/core/counters.hpp"
#include "mercury.h"

void HG_Set_log_level(const char* level) {
    NA_Set_log_level(level);
}

void HG_Set_log_subsys(const char* subsys) {
    NA_Set_log_subsys(subsys);
}

void HG_Set_log_func(int (*log_func)(FILE* stream, const char* format, ...)) {
    NA_Set_log_func(log_func);
}

void HG_Set_log_stream(const char* level, FILE* stream) {
    NA_Set_log_stream(level, stream);
}

void HG_Diag_dump_counters(void) {
    cinnabar::hg::dump_all_counters();
}
