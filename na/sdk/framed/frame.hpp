// SPDX-License-Identifier: BSD-3-Clause
// The header that every frame of a framed transport begins with. Pure; what is decoded is of a
// known kind and nothing more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace cinnabar::na::sdk::framed {

enum class Kind : std::uint8_t {
    greeting = 1,  // by who connects; id: its context; payload: the name of its net
    welcome,       // by who accepts: from now on both sides send what they like
    unexpected,    // tag; payload: the message
    expected,      // tag; payload: the message
    put,           // key, offset; payload: the bytes
    get,           // key, offset, length
    answer,        // to the oldest put or get without one. tag: an na_return_t; payload: of a get
};
inline constexpr auto last_kind = Kind::answer;

struct Frame {
    Kind kind = Kind::greeting;
    std::uint8_t id = 0;
    std::uint32_t tag = 0;
    std::uint64_t key = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

inline constexpr std::size_t header_size = 32;

std::array<std::byte, header_size> encode(const Frame& frame) noexcept;
// Nothing: this is no frame.
std::optional<Frame> decode(std::span<const std::byte> bytes) noexcept;

}  // namespace cinnabar::na::sdk::framed
