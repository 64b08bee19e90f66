// SPDX-License-Identifier: BSD-3-Clause
// Formatting front of the log. The sink (levels, subsystems, stream) lives in libna; each library
// or plugin links this front and a definition of the two LogSink functions that reach the sink.
// Subsystem names are "<layer>_<folder>": na_tcp, hg_rpc, ...; a disabled line costs one call and
// is not formatted. Any thread.
#pragma once

#include <fmt/format.h>

#include <string>

#include "na/base/result.hpp"

namespace cinnabar {

enum class LogLevel : int { none = 0, error = 1, warning = 2, info = 3, debug = 4, trace = 5 };

// Defined once per shared object: in libna itself, in libmercury over NA_Log_*, in plugins over
// na_host.
struct LogSink {
    static bool enabled(LogLevel level, const char* subsystem) noexcept;
    static void write(LogLevel level, const char* subsystem, const char* text) noexcept;
};

template <class... Args>
void log(LogLevel level, const char* subsystem, fmt::format_string<Args...> format,
         Args&&... args) noexcept {
    if (!LogSink::enabled(level, subsystem)) return;
    try {
        const std::string text = fmt::format(format, std::forward<Args>(args)...);
        LogSink::write(level, subsystem, text.c_str());
    } catch (...) {
        LogSink::write(level, subsystem, "(a log line could not be formatted)");
    }
}

// The birth of an error: logs it and gives the Status to return.
template <class... Args>
Status log_error(na_return_t code, const char* subsystem, fmt::format_string<Args...> format,
                 Args&&... args) noexcept {
    log(LogLevel::error, subsystem, format, std::forward<Args>(args)...);
    return Status(code);
}

template <class... Args>
void log_warning(const char* subsystem, fmt::format_string<Args...> format,
                 Args&&... args) noexcept {
    log(LogLevel::warning, subsystem, format, std::forward<Args>(args)...);
}

template <class... Args>
void log_debug(const char* subsystem, fmt::format_string<Args...> format, Args&&... args) noexcept {
    log(LogLevel::debug, subsystem, format, std::forward<Args>(args)...);
}

}  // namespace cinnabar
