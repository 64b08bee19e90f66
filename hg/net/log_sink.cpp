// SPDX-License-Identifier: BSD-3-Clause
// The log front of libmercury reaches the one sink of the process, which lives in libna.
#include "na.h"
#include "na/base/log.hpp"

namespace cinnabar {

bool LogSink::enabled(LogLevel level, const char* subsystem) noexcept {
    return NA_Log_enabled(static_cast<int>(level), subsystem);
}

void LogSink::write(LogLevel level, const char* subsystem, const char* text) noexcept {
    NA_Log_write(static_cast<int>(level), subsystem, text);
}

}  // namespace cinnabar
