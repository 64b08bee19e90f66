// SPDX-License-Identifier: BSD-3-Clause
// One block per object: libna's header in front, the plugin's part behind it at a fixed, 64-byte
// aligned distance, zeroed. Used by na/core and na/capi.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace cinnabar {

template <class Header>
inline constexpr std::size_t plugin_offset = (sizeof(Header) + 63) / 64 * 64;

template <class Header>
void* plugin_part(Header* header) noexcept {
    return reinterpret_cast<std::byte*>(header) + plugin_offset<Header>;
}

template <class Header>
Header* header_of(void* part) noexcept {
    return reinterpret_cast<Header*>(static_cast<std::byte*>(part) - plugin_offset<Header>);
}

// Allocates and constructs; nullptr when out of memory.
template <class Header, class... Args>
Header* new_object(std::size_t plugin_size, Args&&... args) noexcept {
    const std::size_t size = (plugin_offset<Header> + plugin_size + 63) / 64 * 64;
    void* block = std::aligned_alloc(64, size);
    if (block == nullptr) return nullptr;
    std::memset(block, 0, size);
    return new (block) Header{static_cast<Args&&>(args)...};
}

template <class Header>
void delete_object(Header* header) noexcept {
    header->~Header();
    std::free(header);
}

}  // namespace cinnabar
