// SPDX-License-Identifier: BSD-3-Clause
// A number made of the types of a procedure, which travels with each call so that peers that do not
// mean the same types find out. It follows the bytes: int and std::int32_t are alike, a vector and
// a list of the same are alike, an aggregate is its members in order. A type with an archive
// function counts as its size, or as its member `static constexpr std::uint64_t signature` if it
// has one. Types are followed eight levels deep. Values of any kind; nothing happens at run time.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cinnabar/archive_std.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t with) noexcept {
    hash ^= with + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
    hash *= 0xff51afd7ed558ccdULL;
    return hash ^ (hash >> 33);
}

enum class Shape : std::uint64_t {
    nothing = 1,
    boolean,
    integer,
    real,
    sequence,
    pair,
    tuple,
    array,
    optional,
    variant,
    aggregate,
    custom,
    deep
};

constexpr std::uint64_t shape(Shape of, std::uint64_t with = 0) noexcept {
    return mix(static_cast<std::uint64_t>(of), with);
}

template <class T, int depth>
struct Signature;

template <class T, int depth>
consteval std::uint64_t signature_of() {
    if constexpr (depth > 8)
        return shape(Shape::deep);
    else
        return Signature<std::remove_cvref_t<T>, depth>::value();
}

template <int depth, class... T>
consteval std::uint64_t signature_of_all(Shape of) {
    std::uint64_t hash = shape(of, sizeof...(T));
    ((hash = mix(hash, signature_of<T, depth + 1>())), ...);
    return hash;
}

template <class T>
concept NamesSignature = requires {
    std::uint64_t{T::signature};
};

template <int depth, class... T>
struct MemberTypes {
    static consteval std::uint64_t value() {
        return signature_of_all<depth, T...>(Shape::aggregate);
    }
};

template <class T, int depth>
struct Signature {
    static consteval std::uint64_t value() {
        if constexpr (std::is_void_v<T>) {
            return shape(Shape::nothing);
        } else if constexpr (std::is_same_v<T, bool>) {
            return shape(Shape::boolean);
        } else if constexpr (std::is_enum_v<T>) {
            return signature_of<std::underlying_type_t<T>, depth>();
        } else if constexpr (std::is_integral_v<T>) {
            return shape(Shape::integer, sizeof(T) * 2 + (std::is_signed_v<T> ? 1 : 0));
        } else if constexpr (std::is_floating_point_v<T>) {
            return shape(Shape::real, sizeof(T));
        } else if constexpr (NamesSignature<T>) {
            return shape(Shape::custom, T::signature);
        } else if constexpr (HasCodec<T>) {
            return sequence();
        } else if constexpr (HasArchive<T, Reader>) {
            return shape(Shape::custom, sizeof(T));
        } else if constexpr (Aggregate<T>) {
            // The visitor is never run: only the types of what it would be given are of interest.
            return decltype(visit_members(std::declval<T&>(), [](auto&... members) {
                return MemberTypes<depth, std::remove_cvref_t<decltype(members)>...>();
            }))::value();
        } else {
            static_assert(never<T>, "this type needs a function archive(Archive&, T&)");
        }
    }
    static consteval std::uint64_t sequence() {
        if constexpr (requires { typename T::value_type; })
            return shape(Shape::sequence, signature_of<typename T::value_type, depth + 1>());
        else
            return shape(Shape::custom, sizeof(T));
    }
};

template <class A, class B, int depth>
struct Signature<std::pair<A, B>, depth> {
    static consteval std::uint64_t value() { return signature_of_all<depth, A, B>(Shape::tuple); }
};
template <class... T, int depth>
struct Signature<std::tuple<T...>, depth> {
    static consteval std::uint64_t value() { return signature_of_all<depth, T...>(Shape::tuple); }
};
template <class T, std::size_t count, int depth>
struct Signature<std::array<T, count>, depth> {
    static consteval std::uint64_t value() {
        return mix(shape(Shape::array, count), signature_of<T, depth + 1>());
    }
};
template <class T, int depth>
struct Signature<std::optional<T>, depth> {
    static consteval std::uint64_t value() { return signature_of_all<depth, T>(Shape::optional); }
};
template <class T, int depth>
struct Signature<std::unique_ptr<T>, depth> {
    static consteval std::uint64_t value() { return signature_of_all<depth, T>(Shape::optional); }
};
template <class... T, int depth>
struct Signature<std::variant<T...>, depth> {
    static consteval std::uint64_t value() { return signature_of_all<depth, T...>(Shape::variant); }
};
template <class Rep, class Period, int depth>
struct Signature<std::chrono::duration<Rep, Period>, depth> {
    static consteval std::uint64_t value() {
        return mix(mix(signature_of<Rep, depth>(), Period::num), Period::den);
    }
};

// Of a procedure with that result and those arguments.
template <class R, class... A>
inline constexpr std::uint64_t signature = mix(signature_of<R, 0>(),
                                               signature_of_all<0, A...>(Shape::tuple));

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
