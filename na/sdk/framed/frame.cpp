// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/framed/frame.hpp"

#include "na/base/little_endian.hpp"

namespace cinnabar::na::sdk::framed {

namespace {
constexpr std::uint16_t mark = 0x4601;  // with the version of what is said below
}

std::array<std::byte, header_size> encode(const Frame& frame) noexcept {
    std::array<std::byte, header_size> bytes;
    store_le(bytes.data(), mark);
    store_le(bytes.data() + 2, static_cast<std::uint8_t>(frame.kind));
    store_le(bytes.data() + 3, frame.id);
    store_le(bytes.data() + 4, frame.tag);
    store_le(bytes.data() + 8, frame.key);
    store_le(bytes.data() + 16, frame.offset);
    store_le(bytes.data() + 24, frame.length);
    return bytes;
}

std::optional<Frame> decode(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() < header_size) return {};
    const auto kind = load_le<std::uint8_t>(bytes.data() + 2);
    if (load_le<std::uint16_t>(bytes.data()) != mark || kind == 0 ||
        kind > static_cast<std::uint8_t>(last_kind))
        return {};
    return Frame{static_cast<Kind>(kind),
                 load_le<std::uint8_t>(bytes.data() + 3),
                 load_le<std::uint32_t>(bytes.data() + 4),
                 load_le<std::uint64_t>(bytes.data() + 8),
                 load_le<std::uint64_t>(bytes.data() + 16),
                 load_le<std::uint64_t>(bytes.data() + 24)};
}

}  // namespace cinnabar::na::sdk::framed
