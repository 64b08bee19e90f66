// SPDX-License-Identifier: BSD-3-Clause
// Little-endian fields at any alignment, for the wire and for serialised forms. Pure.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace cinnabar::ofi {

static_assert(std::endian::native == std::endian::little,
              "big-endian hosts need byte swapping here");

template <std::integral T>
T load(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <std::integral T>
void store(std::byte* to, T value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

}  // namespace cinnabar::ofi
