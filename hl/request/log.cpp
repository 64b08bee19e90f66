// SPDX-License-Identifier: BSD-3-Clause
// Lines of programs in the library's log. A line is made in a buffer of fixed size; what does not
// fit is cut.
#include "mercury_log.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "na.h"

namespace {

// As na.h numbers them.
enum SinkLevel : int { none, error, warning, info, debug, trace };

struct Name {
    const char* name;
    const char* alias;
};

// In order of hg_log_level.
constexpr Name names[] = {{"none", "none"},    {"fatal", "ftl"},       {"error", "err"},
                          {"warning", "warn"}, {"min_debug", "trace"}, {"info", "inf"},
                          {"debug", "dbg"}};

// The level of the sink that stands for one of the outlets'.
SinkLevel sink_level(hg_log_level level) {
    switch (level) {
        case HG_LOG_LEVEL_FATAL:
        case HG_LOG_LEVEL_ERROR:
            return error;
        case HG_LOG_LEVEL_WARNING:
            return warning;
        case HG_LOG_LEVEL_MIN_DEBUG:
            return trace;
        case HG_LOG_LEVEL_INFO:
            return info;
        case HG_LOG_LEVEL_DEBUG:
            return debug;
        default:
            return none;
    }
}

bool writes(const hg_log_outlet& outlet, hg_log_level level) {
    if (outlet.state == HG_LOG_OFF || sink_level(level) == none) return false;
    if (outlet.state == HG_LOG_ON) return true;
    if (outlet.level != HG_LOG_LEVEL_NONE) return level <= outlet.level;
    return NA_Log_enabled(sink_level(level), outlet.name);
}

}  // namespace

void hg_log_set_level(enum hg_log_level log_level) {
    if (const char* name = hg_log_level_to_string(log_level)) NA_Set_log_level(name);
}

void hg_log_set_subsys(const char* log_subsys) {
    NA_Set_log_subsys(log_subsys);
}

void hg_log_set_func(hg_log_func_t log_func) {
    NA_Set_log_func(log_func);
}

void hg_log_set_stream_error(FILE* stream) {
    NA_Set_log_stream("error", stream);
}

void hg_log_set_stream_warning(FILE* stream) {
    NA_Set_log_stream("warning", stream);
}

void hg_log_set_stream_debug(FILE* stream) {
    for (const char* level : {"info", "debug", "trace"})
        NA_Set_log_stream(level, stream);
}

enum hg_log_level hg_log_name_to_level(const char* log_level) {
    if (log_level != nullptr)
        for (int level = 0; level < HG_LOG_LEVEL_MAX; ++level)
            if (std::strcmp(log_level, names[level].name) == 0 ||
                std::strcmp(log_level, names[level].alias) == 0)
                return static_cast<hg_log_level>(level);
    return HG_LOG_LEVEL_NONE;
}

const char* hg_log_level_to_string(enum hg_log_level level) {
    return level < HG_LOG_LEVEL_MAX ? names[level].name : nullptr;
}

void hg_log_outlet_register(struct hg_log_outlet* outlet) {
    if (outlet != nullptr) outlet->registered = true;
}

void hg_log_outlet_deregister(struct hg_log_outlet* outlet) {
    if (outlet != nullptr) outlet->registered = false;
}

void hg_log_write(struct hg_log_outlet* outlet, enum hg_log_level log_level, const char* module,
                  const char* file, unsigned int line, const char* func, bool no_return,
                  const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    hg_log_vwrite(outlet, log_level, module, file, line, func, no_return, format, arguments);
    va_end(arguments);
}

void hg_log_vwrite(struct hg_log_outlet* outlet, enum hg_log_level log_level, const char* module,
                   const char* file, unsigned int line, const char* func, bool no_return,
                   const char* format, va_list ap) {
    if (outlet == nullptr || format == nullptr || !writes(*outlet, log_level)) return;
    char text[2048];
    const int start = std::snprintf(text, sizeof text, "%s%s%s:%u %s() ",
                                    module == nullptr ? "" : module, module == nullptr ? "" : ":",
                                    file == nullptr ? "" : file, line, func == nullptr ? "" : func);
    if (start < 0) return;
    const std::size_t used = std::min(static_cast<std::size_t>(start), sizeof text - 1);
    (void)std::vsnprintf(text + used, sizeof text - used, format, ap);
    // The sink ends the line.
    const std::size_t length = std::strlen(text);
    if (no_return && length > 0 && text[length - 1] == '\n') text[length - 1] = '\0';
    NA_Log_write(sink_level(log_level), outlet->name, text);
}
