// SPDX-License-Identifier: BSD-3-Clause
// Random numbers that a peer cannot guess: memory keys, links and incarnations. Any thread.
#pragma once

#include <sys/random.h>

#include <cstdint>

namespace cinnabar {

// Never 0, except when the system refuses.
inline std::uint64_t random_u64() noexcept {
    std::uint64_t value = 0;
    while (value == 0)
        if (::getrandom(&value, sizeof value, 0) != sizeof value) return 0;
    return value;
}

}  // namespace cinnabar
