// SPDX-License-Identifier: BSD-3-Clause
// The wire format: envelopes, which are messages of the library, and the frames in them. Pure;
// README.md has the layout. Decoding checks everything that can be checked without knowing the
// link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cinnabar::ofi {

enum class Kind : std::uint8_t {
    data = 1,  // frames
    hello,     // a greeting: asks for a link
    welcome,   // a greeting: the answer
    reject,    // a greeting whose code says why there is no link
    ping,      // a greeting: the link is in use; whoever does not know it answers with a reject
    bye        // the link is closed in order
};

inline constexpr std::size_t envelope_header_size = 24;

// Names the link as its receiver knows it: greetings that begin one name none (nonce 0).
struct Envelope {
    Kind kind = Kind::data;
    std::uint32_t index = 0;
    std::uint64_t nonce = 0;
    std::uint32_t sequence = 0;  // data and bye: counts from 0
    std::uint32_t received = 0;  // cost of the unexpected messages taken so far, modulo 2^32
};

void encode_envelope(const Envelope& envelope, std::byte* to) noexcept;
// False: not an envelope of this version.
bool decode_envelope(std::span<const std::byte> from, Envelope& envelope) noexcept;

struct Greeting {
    std::uint32_t index = 0;  // the link as the sender knows it
    std::uint64_t nonce = 0;
    std::uint8_t sender = 0;  // contexts
    std::uint8_t target = 0;
    bool listening = false;
    std::uint8_t code = 0;  // reject: an na_return_t
    std::uint32_t window = 0;
    std::uint32_t max_unexpected = 0;
    std::uint32_t max_expected = 0;
    std::uint64_t token = 0;       // of the connection it came on
    std::vector<std::byte> raw{};  // the sender's endpoint
    std::string name{};
};

inline constexpr std::size_t greeting_fixed_size = 48;
std::size_t greeting_size(const Greeting& greeting) noexcept;
void encode_greeting(const Greeting& greeting, std::byte* to) noexcept;
bool decode_greeting(std::span<const std::byte> from, Greeting& greeting);

enum class FrameType : std::uint8_t { unexpected = 1, expected = 2, more = 3 };

inline constexpr std::size_t frame_header_size = 12;

// A message, or its first part; `more` is the next part of the message begun last.
struct Frame {
    FrameType type = FrameType::unexpected;
    std::uint16_t size = 0;   // of the part that follows
    std::uint32_t total = 0;  // of the message
    std::uint32_t tag = 0;
};

void encode_frame(const Frame& frame, std::byte* to) noexcept;
// Takes a frame off the front of `from`; its payload is `part`. False: malformed.
bool take_frame(std::span<const std::byte>& from, Frame& frame,
                std::span<const std::byte>& part) noexcept;

// What goes with a connection request where the library has connections: 16 bytes.
inline constexpr std::size_t request_size = 16;
struct Request {
    std::uint8_t target = 0;
    std::uint64_t token = 0;
};
void encode_request(const Request& request, std::byte* to) noexcept;
bool decode_request(std::span<const std::byte> from, Request& request) noexcept;

}  // namespace cinnabar::ofi
