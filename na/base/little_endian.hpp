// SPDX-License-Identifier: BSD-3-Clause
// Unaligned little-endian loads and stores, for headers, descriptors and frames. Pure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace cinnabar {

static_assert(std::endian::native == std::endian::little, "byte swapping is not written yet");

template <class T>
T load_le(const void* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store_le(void* to, T value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

}  // namespace cinnabar
