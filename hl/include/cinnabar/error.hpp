// SPDX-License-Identifier: BSD-3-Clause
// Errors of the C++ API as values. An Error says what kind of thing happened, where (`remote`: at
// the peer that was called), the code of the C API beneath if there was one, and a text. A
// Result<T> is a value or an Error; value() throws Failure for those who prefer exceptions.
#pragma once

#include <mercury_core_types.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "cinnabar/export.hpp"

namespace cinnabar {
inline namespace v1 {

// What happened. Numbers below 100 travel between peers and never change.
enum class Errc : int {
    unknown_procedure = 1,   // the peer has no procedure of that name
    signature_mismatch = 2,  // the peer's procedure has other types
    bad_arguments = 3,       // the peer could not decode the arguments
    handler_failed = 4,      // the peer's handler threw; the text is what it said
    refused = 5,             // the peer is closing
    bad_result = 100,        // what the peer answered could not be decoded
    timeout = 101,           // the deadline came first
    canceled = 102,          // by cancel(), or because the engine closed
    peer_lost = 103,         // the peer cannot be reached, or its connection broke
    closed = 104,            // the engine that this belongs to is closed
    invalid = 105,           // an argument makes no sense; nothing was started
    no_memory = 106,
    other = 107  // see the C code and the text
};

// The name of a kind, as a static string.
CINNABAR_API const char* to_string(Errc code) noexcept;

struct Error {
    Errc code = Errc::other;
    hg_return_t hg = HG_OTHER_ERROR;  // of the C API, HG_SUCCESS when it had no part in it
    std::string text;
    bool remote = false;  // the peer said so

    // "handler_failed at the peer: no such key"
    CINNABAR_API std::string message() const;
};

// The error that a code of the C API stands for; `what` says what was being done.
CINNABAR_API Error error_of(hg_return_t code, const std::string& what);

// What value() throws.
class CINNABAR_API Failure : public std::runtime_error {
public:
    explicit Failure(Error error) : std::runtime_error(error.message()), error_(std::move(error)) {}
    const Error& error() const noexcept { return error_; }

private:
    Error error_;
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : outcome_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : outcome_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const noexcept { return outcome_.index() == 0; }
    // The value; throws Failure when there is none.
    T& value() & { return check(), std::get<0>(outcome_); }
    const T& value() const& { return check(), std::get<0>(outcome_); }
    T value() && { return check(), std::get<0>(std::move(outcome_)); }
    // So that `int r = call(...)` reads as it should; throws as value() does.
    operator T() && { return std::move(*this).value(); }
    // Only when !ok().
    const Error& error() const { return std::get<1>(outcome_); }

private:
    void check() const {
        if (!ok()) throw Failure(error());
    }

    std::variant<T, Error> outcome_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), ok_(false) {}

    bool ok() const noexcept { return ok_; }
    void value() const {
        if (!ok_) throw Failure(error_);
    }
    const Error& error() const noexcept { return error_; }

private:
    Error error_;
    bool ok_ = true;
};

}  // namespace v1
}  // namespace cinnabar
