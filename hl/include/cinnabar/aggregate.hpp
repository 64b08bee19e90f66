// SPDX-License-Identifier: BSD-3-Clause
// The members of an aggregate without naming them: how many there are, found by trying to
// initialise that many with {}, and all of them at once, by a structured binding. Up to 16; for
// more a type needs an archive function. Every member must be default-constructible. Used by
// archive.hpp and signature.hpp.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace cinnabar {
inline namespace v1 {
namespace detail {

template <class T>
concept Aggregate = std::is_aggregate_v<T> && !std::is_array_v<T>;

inline constexpr std::size_t max_members = 16;

template <class T>
consteval std::size_t member_count() {
    if constexpr (requires {
                      T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
                  })
        return 17;
    else if constexpr (requires {
                           T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
                       })
        return 16;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; })
        return 15;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; })
        return 14;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; })
        return 13;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; })
        return 12;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; })
        return 11;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; })
        return 10;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}}; })
        return 9;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}}; })
        return 8;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}}; })
        return 7;
    else if constexpr (requires { T{{}, {}, {}, {}, {}, {}}; })
        return 6;
    else if constexpr (requires { T{{}, {}, {}, {}, {}}; })
        return 5;
    else if constexpr (requires { T{{}, {}, {}, {}}; })
        return 4;
    else if constexpr (requires { T{{}, {}, {}}; })
        return 3;
    else if constexpr (requires { T{{}, {}}; })
        return 2;
    else if constexpr (requires { T{{}}; })
        return 1;
    else
        return 0;
}

// Calls `visitor(members...)`.
template <class T, class Visitor>
decltype(auto) visit_members(T& value, Visitor&& visitor) {
    constexpr std::size_t count = member_count<std::remove_cv_t<T>>();
    static_assert(count <= max_members,
                  "an aggregate of that many members needs an archive function");
    if constexpr (count == 0) {
        return std::forward<Visitor>(visitor)();
    } else if constexpr (count == 1) {
        auto& [m1] = value;
        return std::forward<Visitor>(visitor)(m1);
    } else if constexpr (count == 2) {
        auto& [m1, m2] = value;
        return std::forward<Visitor>(visitor)(m1, m2);
    } else if constexpr (count == 3) {
        auto& [m1, m2, m3] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3);
    } else if constexpr (count == 4) {
        auto& [m1, m2, m3, m4] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4);
    } else if constexpr (count == 5) {
        auto& [m1, m2, m3, m4, m5] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5);
    } else if constexpr (count == 6) {
        auto& [m1, m2, m3, m4, m5, m6] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6);
    } else if constexpr (count == 7) {
        auto& [m1, m2, m3, m4, m5, m6, m7] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7);
    } else if constexpr (count == 8) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8);
    } else if constexpr (count == 9) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9);
    } else if constexpr (count == 10) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10);
    } else if constexpr (count == 11) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11);
    } else if constexpr (count == 12) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12);
    } else if constexpr (count == 13) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12,
                                              m13);
    } else if constexpr (count == 14) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12,
                                              m13, m14);
    } else if constexpr (count == 15) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12,
                                              m13, m14, m15);
    } else if constexpr (count == 16) {
        auto& [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16] = value;
        return std::forward<Visitor>(visitor)(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12,
                                              m13, m14, m15, m16);
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
