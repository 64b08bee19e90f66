// SPDX-License-Identifier: BSD-3-Clause
// Sizes for people: "4KiB".
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace cinnabar::perf {

inline std::string size_name(std::uint64_t bytes) {
    if (bytes >= (1 << 20) && bytes % (1 << 20) == 0) return fmt::format("{}MiB", bytes >> 20);
    if (bytes >= (1 << 10) && bytes % (1 << 10) == 0) return fmt::format("{}KiB", bytes >> 10);
    return fmt::format("{}B", bytes);
}

}  // namespace cinnabar::perf
