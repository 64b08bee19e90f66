// SPDX-License-Identifier: BSD-3-Clause
// What an epoll event is about. Connections are named by slot and generation, never by pointer: a
// forked child may keep a closed socket in the set, whose events must then mean nothing.
#pragma once

#include <cstdint>

namespace cinnabar::ucx {

inline constexpr std::uint64_t wake_key = ~std::uint64_t{0};
inline constexpr std::uint64_t listener_key = wake_key - 1;
inline constexpr std::uint64_t worker_key = wake_key - 2;

inline std::uint64_t connection_key(std::uint32_t slot, std::uint32_t generation) noexcept {
    return (static_cast<std::uint64_t>(generation) << 32) | slot;
}

}  // namespace cinnabar::ucx
