// SPDX-License-Identifier: BSD-3-Clause
// Bytes whose arrival can be checked: what the server exports, and what a pull must bring.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cinnabar::perf {

inline std::byte pattern_at(std::size_t offset) {
    return static_cast<std::byte>((offset * 2654435761U) >> 13);
}

inline void write_pattern(std::byte* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = pattern_at(i);
}

inline bool has_pattern(const std::byte* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        if (bytes[i] != pattern_at(i)) return false;
    return true;
}

}  // namespace cinnabar::perf
