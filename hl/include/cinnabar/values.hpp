// SPDX-License-Identifier: BSD-3-Clause
// Arguments and results without their types: what can be written as bytes, or copied as it is for a
// handler in the same engine. Used by calls and handlers; not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <typeinfo>

#include "cinnabar/signature.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class Writable {
public:
    virtual void write(Writer& writer) const = 0;
    // A std::tuple of the values.
    virtual const std::type_info& type() const noexcept = 0;
    // The same values, owned; null if they cannot be copied.
    virtual std::unique_ptr<Writable> own() const = 0;
    // Copies them to a std::optional of such a tuple.
    virtual void copy_to(void* values) const = 0;
    virtual ~Writable() = default;
};

class Readable {
public:
    virtual void read(Reader& reader) = 0;
    // The values of something of the very same type.
    virtual void take(const Writable& from) = 0;
    virtual ~Readable() = default;
};

// What holds the values: references, or the values themselves.
template <class Holder, class... T>
class WritableBy final : public Writable {
public:
    template <class... Given>
    explicit WritableBy(std::in_place_t, Given&&... values)
        : values_(std::forward<Given>(values)...) {}
    void write(Writer& writer) const override {
        std::apply([&](const T&... values) { writer(values...); }, values_);
    }
    const std::type_info& type() const noexcept override { return typeid(std::tuple<T...>); }
    std::unique_ptr<Writable> own() const override {
        if constexpr ((std::is_copy_constructible_v<T> && ...))
            return std::apply(
                [](const T&... values) {
                    return std::make_unique<WritableBy<std::tuple<T...>, T...>>(std::in_place,
                                                                                values...);
                },
                values_);
        else
            return nullptr;
    }
    void copy_to([[maybe_unused]] void* values) const override {
        if constexpr ((std::is_copy_constructible_v<T> && ...))
            std::apply(
                [values](const T&... each) {
                    static_cast<std::optional<std::tuple<T...>>*>(values)->emplace(each...);
                },
                values_);
    }

private:
    Holder values_;
};

template <class... T>
using WritableOf = WritableBy<std::tuple<const T&...>, T...>;

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
