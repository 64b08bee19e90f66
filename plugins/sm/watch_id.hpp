// SPDX-License-Identifier: BSD-3-Clause
// What an epoll event of a context is about: its eventfd, its listener, or the link of a slot and
// generation. Numbers and not pointers, because a descriptor that a forked child still holds
// reports events after its owner is gone.
#pragma once

#include <cstdint>

namespace cinnabar::sm {

inline constexpr std::uint64_t watch_event = ~std::uint64_t{0};
inline constexpr std::uint64_t watch_listener = ~std::uint64_t{0} - 1;

}  // namespace cinnabar::sm
