/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of a program's own in the log of the library, under the name of an outlet; levels, choice
 * of subsystems and streams are those of HG_Set_log_level() and its like. Any thread.
 */
#ifndef MERCURY_LOG_H
#define MERCURY_LOG_H

#include "mercury_util_config.h"

#include <stdarg.h>
#include <stdio.h>

enum hg_log_level {
    HG_LOG_LEVEL_NONE = 0,
    HG_LOG_LEVEL_FATAL = 1,
    HG_LOG_LEVEL_ERROR = 2,
    HG_LOG_LEVEL_WARNING = 3,
    HG_LOG_LEVEL_MIN_DEBUG = 4,
    HG_LOG_LEVEL_INFO = 5,
    HG_LOG_LEVEL_DEBUG = 6,
    HG_LOG_LEVEL_MAX = 7
};

/* Whether an outlet writes: as the settings say, never, or always. */
enum hg_log_state { HG_LOG_PASS = 0, HG_LOG_OFF = 1, HG_LOG_ON = 2 };

/* A name to write under. `parent` and `debug_log` are not used here. */
struct hg_log_outlet {
    const char* name;
    enum hg_log_state state;
    enum hg_log_level level; /* NONE: that of the process */
    struct hg_log_outlet* parent;
    void* debug_log;
    bool registered;
};

typedef int (*hg_log_func_t)(FILE* stream, const char* format, ...);

/* The variable of an outlet, its declaration and its definition. */
#define HG_LOG_OUTLET(name) name##_log_outlet_g
#define HG_LOG_OUTLET_DECL(name) struct hg_log_outlet HG_LOG_OUTLET(name)
#define HG_LOG_OUTLET_INITIALIZER(name, state, parent, dlog) \
    { #name, state, HG_LOG_LEVEL_NONE, parent, dlog, false }
#define HG_LOG_DECL_REGISTER(name) \
    HG_LOG_OUTLET_DECL(name) = HG_LOG_OUTLET_INITIALIZER(name, HG_LOG_PASS, NULL, NULL)
#define HG_LOG_SUBSYS_DECL_REGISTER(name, parent_name) \
    HG_LOG_OUTLET_DECL(name) =                         \
        HG_LOG_OUTLET_INITIALIZER(name, HG_LOG_PASS, &HG_LOG_OUTLET(parent_name), NULL)

/* Writes one line: HG_LOG_WRITE(outlet, level, format, ...). */
#define HG_LOG_WRITE(name, log_level, ...)                                                   \
    hg_log_write(&HG_LOG_OUTLET(name), log_level, NULL, __FILE__, __LINE__, __func__, false, \
                 __VA_ARGS__)
#define HG_LOG_SUBSYS_WRITE(name, log_level, ...) HG_LOG_WRITE(name, log_level, __VA_ARGS__)

#ifdef __cplusplus
extern "C" {
#endif

/* Process-wide, like the functions of mercury.h. */
HG_UTIL_PUBLIC void hg_log_set_level(enum hg_log_level log_level);
HG_UTIL_PUBLIC void hg_log_set_subsys(const char* log_subsys);
HG_UTIL_PUBLIC void hg_log_set_func(hg_log_func_t log_func);
HG_UTIL_PUBLIC void hg_log_set_stream_error(FILE* stream);
HG_UTIL_PUBLIC void hg_log_set_stream_warning(FILE* stream);
HG_UTIL_PUBLIC void hg_log_set_stream_debug(FILE* stream);

/* "error" and so on; an unknown name is NONE, an unknown level NULL. */
HG_UTIL_PUBLIC enum hg_log_level hg_log_name_to_level(const char* log_level);
HG_UTIL_PUBLIC const char* hg_log_level_to_string(enum hg_log_level level);

/* Outlets work without being registered; these only mark them. */
HG_UTIL_PUBLIC void hg_log_outlet_register(struct hg_log_outlet* outlet);
HG_UTIL_PUBLIC void hg_log_outlet_deregister(struct hg_log_outlet* outlet);

/* One line; `module` may be NULL, `no_return` says that the format brings its own end of line. */
HG_UTIL_PUBLIC void hg_log_write(struct hg_log_outlet* hg_log_outlet, enum hg_log_level log_level,
                                 const char* module, const char* file, unsigned int line,
                                 const char* func, bool no_return, const char* format, ...)
    __attribute__((format(printf, 8, 9)));
HG_UTIL_PUBLIC void hg_log_vwrite(struct hg_log_outlet* hg_log_outlet, enum hg_log_level log_level,
                                  const char* module, const char* file, unsigned int line,
                                  const char* func, bool no_return, const char* format, va_list ap)
    __attribute__((format(printf, 8, 0)));

#ifdef __cplusplus
}
#endif

#endif /* MERCURY_LOG_H */
