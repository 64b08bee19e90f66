// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/frame.hpp"

#include <cstring>

#include "na/base/little_endian.hpp"
#include "plugins/ofi/options.hpp"

namespace cinnabar::ofi {

namespace {
constexpr std::uint16_t envelope_magic = 0x464f;     // "OF"
constexpr std::uint32_t request_magic = 0x46424e43;  // "CNBF"
constexpr std::uint8_t version = 1;
}  // namespace

void encode_envelope(const Envelope& envelope, std::byte* to) noexcept {
    store_le(to, envelope_magic);
    store_le(to + 2, version);
    store_le(to + 3, static_cast<std::uint8_t>(envelope.kind));
    store_le(to + 4, envelope.index);
    store_le(to + 8, envelope.nonce);
    store_le(to + 16, envelope.sequence);
    store_le(to + 20, envelope.received);
}

bool decode_envelope(std::span<const std::byte> from, Envelope& envelope) noexcept {
    if (from.size() < envelope_header_size ||
        load_le<std::uint16_t>(from.data()) != envelope_magic ||
        load_le<std::uint8_t>(from.data() + 2) != version)
        return false;
    const auto kind = load_le<std::uint8_t>(from.data() + 3);
    if (kind < static_cast<std::uint8_t>(Kind::data) || kind > static_cast<std::uint8_t>(Kind::bye))
        return false;
    envelope.kind = static_cast<Kind>(kind);
    envelope.index = load_le<std::uint32_t>(from.data() + 4);
    envelope.nonce = load_le<std::uint64_t>(from.data() + 8);
    envelope.sequence = load_le<std::uint32_t>(from.data() + 16);
    envelope.received = load_le<std::uint32_t>(from.data() + 20);
    return true;
}

std::size_t greeting_size(const Greeting& greeting) noexcept {
    return greeting_fixed_size + greeting.raw.size() + greeting.name.size();
}

void encode_greeting(const Greeting& greeting, std::byte* to) noexcept {
    std::memset(to, 0, greeting_fixed_size);
    store_le(to, greeting.nonce);
    store_le(to + 8, greeting.index);
    store_le(to + 12, greeting.sender);
    store_le(to + 13, greeting.target);
    store_le(to + 14, static_cast<std::uint8_t>(greeting.listening ? 1 : 0));
    store_le(to + 15, greeting.code);
    store_le(to + 16, greeting.window);
    store_le(to + 20, greeting.max_unexpected);
    store_le(to + 24, greeting.max_expected);
    store_le(to + 28, static_cast<std::uint16_t>(greeting.raw.size()));
    store_le(to + 30, static_cast<std::uint16_t>(greeting.name.size()));
    store_le(to + 32, greeting.token);
    std::byte* rest = to + greeting_fixed_size;
    if (!greeting.raw.empty()) std::memcpy(rest, greeting.raw.data(), greeting.raw.size());
    if (!greeting.name.empty())
        std::memcpy(rest + greeting.raw.size(), greeting.name.data(), greeting.name.size());
}

bool decode_greeting(std::span<const std::byte> from, Greeting& greeting) {
    if (from.size() < greeting_fixed_size) return false;
    const std::byte* at = from.data();
    greeting.nonce = load_le<std::uint64_t>(at);
    greeting.index = load_le<std::uint32_t>(at + 8);
    greeting.sender = load_le<std::uint8_t>(at + 12);
    greeting.target = load_le<std::uint8_t>(at + 13);
    const auto listening = load_le<std::uint8_t>(at + 14);
    greeting.code = load_le<std::uint8_t>(at + 15);
    greeting.window = load_le<std::uint32_t>(at + 16);
    greeting.max_unexpected = load_le<std::uint32_t>(at + 20);
    greeting.max_expected = load_le<std::uint32_t>(at + 24);
    const std::size_t raw_size = load_le<std::uint16_t>(at + 28);
    const std::size_t name_size = load_le<std::uint16_t>(at + 30);
    greeting.token = load_le<std::uint64_t>(at + 32);
    if (listening > 1 || greeting.nonce == 0 || load_le<std::uint64_t>(at + 40) != 0 ||
        raw_size > options::max_raw_size || name_size > options::max_name_size ||
        from.size() != greeting_fixed_size + raw_size + name_size)
        return false;
    greeting.listening = listening == 1;
    const std::byte* rest = at + greeting_fixed_size;
    greeting.raw.assign(rest, rest + raw_size);
    greeting.name.assign(reinterpret_cast<const char*>(rest + raw_size), name_size);
    return true;
}

void encode_frame(const Frame& frame, std::byte* to) noexcept {
    store_le(to, static_cast<std::uint8_t>(frame.type));
    store_le(to + 1, std::uint8_t{0});
    store_le(to + 2, frame.size);
    store_le(to + 4, frame.total);
    store_le(to + 8, frame.tag);
}

bool take_frame(std::span<const std::byte>& from, Frame& frame,
                std::span<const std::byte>& part) noexcept {
    if (from.size() < frame_header_size) return false;
    const auto type = load_le<std::uint8_t>(from.data());
    if (type < static_cast<std::uint8_t>(FrameType::unexpected) ||
        type > static_cast<std::uint8_t>(FrameType::more) ||
        load_le<std::uint8_t>(from.data() + 1) != 0)
        return false;
    frame.type = static_cast<FrameType>(type);
    frame.size = load_le<std::uint16_t>(from.data() + 2);
    frame.total = load_le<std::uint32_t>(from.data() + 4);
    frame.tag = load_le<std::uint32_t>(from.data() + 8);
    from = from.subspan(frame_header_size);
    if (frame.size > from.size() || frame.size > frame.total) return false;
    part = from.first(frame.size);
    from = from.subspan(frame.size);
    return true;
}

void encode_request(const Request& request, std::byte* to) noexcept {
    store_le(to, request_magic);
    store_le(to + 4, version);
    store_le(to + 5, request.target);
    store_le(to + 6, std::uint16_t{0});
    store_le(to + 8, request.token);
}

bool decode_request(std::span<const std::byte> from, Request& request) noexcept {
    // The library may hand over more than was sent.
    if (from.size() < request_size || load_le<std::uint32_t>(from.data()) != request_magic ||
        load_le<std::uint8_t>(from.data() + 4) != version)
        return false;
    request.target = load_le<std::uint8_t>(from.data() + 5);
    request.token = load_le<std::uint64_t>(from.data() + 8);
    return request.token != 0;
}

}  // namespace cinnabar::ofi
