// SPDX-License-Identifier: BSD-3-Clause
// The border between C++ and C: exported functions run their body through c_call(), so that nothing
// is ever thrown across C. Exceptions become codes here and nowhere else.
#pragma once

#include <new>
#include <system_error>

#include "na/base/log.hpp"
#include "na/base/result.hpp"

namespace cinnabar {

// Result of an exception that reached the border; logs it, since it says that a check was
// forgotten.
na_return_t code_of_current_exception(const char* function) noexcept;

template <class Body>
na_return_t c_call(const char* function, Body&& body) noexcept {
    try {
        if constexpr (requires { Status(body()); })
            return Status(body()).code();
        else
            return static_cast<na_return_t>(body());
    } catch (...) {
        return code_of_current_exception(function);
    }
}

// For exported functions that return an object or null.
template <class Body>
auto c_object(const char* function, Body&& body) noexcept -> decltype(body()) {
    try {
        return body();
    } catch (...) {
        (void)code_of_current_exception(function);
        return nullptr;
    }
}

}  // namespace cinnabar
