// SPDX-License-Identifier: BSD-3-Clause
// Errors as values. A Status is one of the library's codes (na_return_t and hg_return_t share their
// numbers, so crossing to C is a cast); a Result<T> is a value or such a code. Used by every layer;
// nothing here allocates or throws.
#pragma once

#include <new>
#include <optional>
#include <utility>

#include "na_types.h"

namespace cinnabar {

class [[nodiscard]] Status {
public:
    constexpr Status() noexcept = default;
    constexpr Status(na_return_t code) noexcept
        : code_(code) {}  // NOLINT(google-explicit-constructor)

    constexpr bool ok() const noexcept { return code_ == NA_SUCCESS; }
    constexpr na_return_t code() const noexcept { return code_; }
    friend constexpr bool operator==(Status, Status) noexcept = default;

private:
    na_return_t code_ = NA_SUCCESS;
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
    Result(Status error) noexcept : error_(error) {}       // NOLINT(google-explicit-constructor)
    Result(na_return_t error) noexcept : error_(error) {}  // NOLINT(google-explicit-constructor)

    bool ok() const noexcept { return value_.has_value(); }
    Status status() const noexcept { return error_; }
    T& value() noexcept { return *value_; }
    const T& value() const noexcept { return *value_; }
    T& operator*() noexcept { return *value_; }
    T* operator->() noexcept { return &*value_; }

private:
    std::optional<T> value_;
    Status error_;
};

}  // namespace cinnabar

// Leaves the function with the error of a Status expression, if it has one.
#define CINNABAR_TRY(expression)                                                        \
    do {                                                                                \
        if (::cinnabar::Status cinnabar_status_ = (expression); !cinnabar_status_.ok()) \
            return cinnabar_status_;                                                    \
    } while (false)
