// SPDX-License-Identifier: BSD-3-Clause
// The wire format: one greeting each way, then frames. Encoding into and decoding from plain bytes,
// without sockets, so that it can be tested and fuzzed alone; README.md has the layouts. Decoders
// trust nothing: what they return lies inside the bytes given and inside the limits given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "na/base/little_endian.hpp"
#include "plugins/tcp/options.hpp"

namespace cinnabar::tcp {

enum class Parse { complete, more, malformed };

// --- greeting

enum class GreetingKind : std::uint8_t { connect = 1, accept = 2, reject = 3 };

inline constexpr std::uint32_t greeting_magic = 0x4e424e43;  // "CNBN"
inline constexpr std::uint16_t wire_version = 1;
inline constexpr std::size_t greeting_fixed_size = 64;
inline constexpr std::size_t max_greeting_size = greeting_fixed_size + 2 * options::max_name_size;

struct Greeting {
    GreetingKind kind = GreetingKind::connect;
    std::uint16_t version = wire_version;
    std::uint8_t source_id = 0;  // context of the sender
    std::uint8_t target_id = 0;  // context that is meant
    bool listening = false;      // the name can be connected to
    std::uint8_t code = 0;       // reject: why, an na_return_t
    std::uint64_t features = 0;
    std::uint64_t incarnation = 0;  // random, one for each opened class
    std::uint64_t attempt = 0;      // connect: its number; accept: attempts up to this one are void
    std::uint32_t max_unexpected = 0;
    std::uint32_t max_expected = 0;
    std::string_view name;  // "tcp://host:port"; points into the bytes that were decoded
};

// Returns the bytes written.
std::size_t encode_greeting(const Greeting& greeting,
                            std::span<std::byte, max_greeting_size> to) noexcept;
// `used` receives the size of a complete greeting. Another version is complete as far as the fixed
// part goes: the caller refuses it.
Parse decode_greeting(std::span<const std::byte> bytes, Greeting& greeting,
                      std::size_t& used) noexcept;

// --- frames

enum class FrameType : std::uint8_t {
    unexpected = 1,
    expected = 2,
    get_request = 3,  // rma: all fields
    get_data = 4,     // rma: op, offset in the operation; payload follows
    put_data = 5,     // rma: all fields, offset in the memory; payload follows
    rma_end = 6,      // rma: op; tag is the result, an na_return_t
    rma_cancel = 7,   // rma: op
};

inline constexpr std::uint8_t last_chunk = 1;  // flag of put_data: acknowledge after this one

inline constexpr std::size_t frame_header_size = 12;
inline constexpr std::size_t rma_header_size = frame_header_size + 32;

struct Frame {
    FrameType type = FrameType::unexpected;
    std::uint8_t flags = 0;
    std::uint32_t tag = 0;
    std::uint32_t payload_size = 0;  // bytes behind the header
    std::uint64_t op = 0;
    std::uint64_t key = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  // get_request: bytes wanted
    std::size_t header_size() const noexcept {
        return type <= FrameType::expected ? frame_header_size : rma_header_size;
    }
};

struct FrameLimits {
    std::uint32_t max_unexpected = 0;
    std::uint32_t max_expected = 0;
};

// Returns the bytes written; `to` has room for frame.header_size().
std::size_t encode_frame(const Frame& frame, std::byte* to) noexcept;

// The header of a message, whose size fits 32 bits; `to` has room for frame_header_size.
inline void encode_message(FrameType type, std::uint32_t tag, std::size_t size,
                           std::byte* to) noexcept {
    store_le(to, static_cast<std::uint64_t>(type) | static_cast<std::uint64_t>(size) << 32);
    store_le(to + 8, tag);
}

// What decode_frame() does with frames that are no messages.
Parse decode_other_frame(std::span<const std::byte> bytes, Frame& frame) noexcept;

// A message is complete when all of it is there; a data frame when its header is. `frame` has its
// initial values.
inline Parse decode_frame(std::span<const std::byte> bytes, const FrameLimits& limits,
                          Frame& frame) noexcept {
    if (bytes.size() < frame_header_size) return Parse::more;
    // Type, flags and the reserved bytes at once: a message has no flags.
    const auto head = load_le<std::uint32_t>(bytes.data());
    if (head != static_cast<std::uint32_t>(FrameType::unexpected) &&
        head != static_cast<std::uint32_t>(FrameType::expected))
        return decode_other_frame(bytes, frame);
    frame.type = static_cast<FrameType>(head);
    frame.payload_size = load_le<std::uint32_t>(bytes.data() + 4);
    frame.tag = load_le<std::uint32_t>(bytes.data() + 8);
    if (frame.payload_size >
        (frame.type == FrameType::unexpected ? limits.max_unexpected : limits.max_expected))
        return Parse::malformed;
    return bytes.size() - frame_header_size < frame.payload_size ? Parse::more : Parse::complete;
}

}  // namespace cinnabar::tcp
