// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/host.hpp"

#include "na/base/log.hpp"

namespace cinnabar::na::sdk {

const na_host* host_table = nullptr;

}  // namespace cinnabar::na::sdk

namespace cinnabar {

bool LogSink::enabled(LogLevel level, const char* subsystem) noexcept {
    const na_host* host = na::sdk::host_table;
    return host != nullptr && host->log_enabled(static_cast<int>(level), subsystem);
}

void LogSink::write(LogLevel level, const char* subsystem, const char* text) noexcept {
    const na_host* host = na::sdk::host_table;
    if (host != nullptr) host->log_write(static_cast<int>(level), subsystem, text);
}

}  // namespace cinnabar
