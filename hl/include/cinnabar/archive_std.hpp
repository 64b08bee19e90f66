// SPDX-License-Identifier: BSD-3-Clause
// The standard library's types in an archive: string, vector, array, deque, list, set, map and
// their unordered kin, pair, tuple, optional, variant, unique_ptr. A vector or array of what lies
// in memory as it is written (numbers, enums, aggregates of these without gaps) is one copy. On the
// wire: a length of 8 bytes in front of what varies, an index of 4 in front of a variant, a byte in
// front of what may be absent.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "cinnabar/archive.hpp"

namespace cinnabar {
inline namespace v1 {

namespace detail {

template <class T, std::size_t count>
struct Bitwise<std::array<T, count>> {
    static constexpr bool value =
        is_bitwise<T> && sizeof(std::array<T, count>) == sizeof(T) * count;
};
template <class Rep, class Period>
struct Bitwise<std::chrono::duration<Rep, Period>> : Bitwise<Rep> {};

// Strings and vectors of what is written as it lies in memory: the length and the bytes.
template <class T>
struct ContiguousCodec {
    using Element = typename T::value_type;
    static void write(Writer& writer, const T& value) {
        writer(std::uint64_t{value.size()});
        writer.bytes(value.data(), value.size() * sizeof(Element));
    }
    static void read(Reader& reader, T& value) {
        value.resize(reader.length(sizeof(Element)));
        reader.bytes(value.data(), value.size() * sizeof(Element));
    }
};

// Anything that is filled element by element. Each takes a byte of the payload at least, so that a
// length can be checked; memory grows with what has been read.
template <class T, class Element>
struct SequenceCodec {
    static void write(Writer& writer, const T& value) {
        writer(std::uint64_t{value.size()});
        for (const auto& element : value)
            writer(element);
    }
    static void read(Reader& reader, T& value) {
        value.clear();
        const std::size_t count = reader.length(1);
        for (std::size_t i = 0; i < count; ++i) {
            Element element{};
            reader(element);
            if (!reader.ok()) return;
            value.insert(value.end(), std::move(element));
        }
    }
};

template <class T>
struct TupleCodec {
    static void write(Writer& writer, const T& value) {
        std::apply([&](const auto&... members) { writer(members...); }, value);
    }
    static void read(Reader& reader, T& value) {
        std::apply([&](auto&... members) { reader(members...); }, value);
    }
};

}  // namespace detail

template <class Char, class Traits, class Allocator>
struct Codec<std::basic_string<Char, Traits, Allocator>>
    : detail::ContiguousCodec<std::basic_string<Char, Traits, Allocator>> {};

template <class T, class Allocator>
struct Codec<std::vector<T, Allocator>>
    : std::conditional_t<detail::is_bitwise<T>, detail::ContiguousCodec<std::vector<T, Allocator>>,
                         detail::SequenceCodec<std::vector<T, Allocator>, T>> {};

template <class T, class A>
struct Codec<std::deque<T, A>> : detail::SequenceCodec<std::deque<T, A>, T> {};
template <class T, class A>
struct Codec<std::list<T, A>> : detail::SequenceCodec<std::list<T, A>, T> {};
template <class T, class C, class A>
struct Codec<std::set<T, C, A>> : detail::SequenceCodec<std::set<T, C, A>, T> {};
template <class T, class H, class E, class A>
struct Codec<std::unordered_set<T, H, E, A>>
    : detail::SequenceCodec<std::unordered_set<T, H, E, A>, T> {};
template <class K, class V, class C, class A>
struct Codec<std::map<K, V, C, A>> : detail::SequenceCodec<std::map<K, V, C, A>, std::pair<K, V>> {
};
template <class K, class V, class H, class E, class A>
struct Codec<std::unordered_map<K, V, H, E, A>>
    : detail::SequenceCodec<std::unordered_map<K, V, H, E, A>, std::pair<K, V>> {};

template <class A, class B>
struct Codec<std::pair<A, B>> : detail::TupleCodec<std::pair<A, B>> {};
template <class... T>
struct Codec<std::tuple<T...>> : detail::TupleCodec<std::tuple<T...>> {};

template <class T, std::size_t count>
struct Codec<std::array<T, count>> {
    using Array = std::array<T, count>;
    static void write(Writer& writer, const Array& value) {
        for (const T& element : value)
            writer(element);
    }
    static void read(Reader& reader, Array& value) {
        for (T& element : value)
            reader(element);
    }
};

template <class T>
struct Codec<std::optional<T>> {
    static void write(Writer& writer, const std::optional<T>& value) {
        writer(value.has_value());
        if (value) writer(*value);
    }
    static void read(Reader& reader, std::optional<T>& value) {
        bool there = false;
        reader(there);
        value.reset();
        if (reader.ok() && there) reader(value.emplace());
    }
};

template <class T>
struct Codec<std::unique_ptr<T>> {
    static void write(Writer& writer, const std::unique_ptr<T>& value) {
        writer(value != nullptr);
        if (value) writer(*value);
    }
    static void read(Reader& reader, std::unique_ptr<T>& value) {
        bool there = false;
        reader(there);
        value.reset();
        if (!reader.ok() || !there) return;
        value = std::make_unique<T>();
        reader(*value);
    }
};

template <>
struct Codec<std::monostate> {
    static void write(Writer&, const std::monostate&) {}
    static void read(Reader&, std::monostate&) {}
};

template <class... T>
struct Codec<std::variant<T...>> {
    static void write(Writer& writer, const std::variant<T...>& value) {
        if (value.valueless_by_exception()) return writer.fail(HG_INVALID_ARG);
        writer(static_cast<std::uint32_t>(value.index()));
        std::visit([&](const auto& held) { writer(held); }, value);
    }
    static void read(Reader& reader, std::variant<T...>& value) {
        std::uint32_t index = 0;
        reader(index);
        if (index >= sizeof...(T)) reader.fail();
        if (reader.ok()) hold(reader, value, index, std::index_sequence_for<T...>());
    }

private:
    template <std::size_t... I>
    static void hold(Reader& reader, std::variant<T...>& value, std::uint32_t index,
                     std::index_sequence<I...>) {
        (void)((index == I && (reader(value.template emplace<I>()), true)) || ...);
    }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
    using Duration = std::chrono::duration<Rep, Period>;
    static void write(Writer& writer, const Duration& value) { writer(value.count()); }
    static void read(Reader& reader, Duration& value) {
        Rep count{};
        reader(count);
        value = Duration(count);
    }
};

}  // namespace v1
}  // namespace cinnabar
