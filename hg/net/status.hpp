// SPDX-License-Identifier: BSD-3-Clause
// Codes of hg. They share their numbers with na up to HG_HOSTFIREWALL, so crossing is a cast; the
// border of exported functions is c_call, cast likewise.
#pragma once

#include "mercury_types.h"
#include "na/base/c_call.hpp"
#include "na/base/log.hpp"

namespace cinnabar::hg {

constexpr hg_return_t from_na(na_return_t ret) noexcept {
    return static_cast<hg_return_t>(ret);
}

// The birth of an error of hg: logs it and gives the code to return.
template <class... Args>
hg_return_t fail(hg_return_t code, const char* subsystem, fmt::format_string<Args...> format,
                 Args&&... args) noexcept {
    log(LogLevel::error, subsystem, format, std::forward<Args>(args)...);
    return code;
}

// The border: runs the body of an exported function, turning exceptions into codes.
template <class Body>
hg_return_t border(const char* function, Body&& body) noexcept {
    try {
        return body();
    } catch (...) {
        return from_na(code_of_current_exception(function));
    }
}

}  // namespace cinnabar::hg
