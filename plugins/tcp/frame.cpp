// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/tcp/frame.hpp"

#include "na_types.h"

namespace cinnabar::tcp {

std::size_t encode_greeting(const Greeting& greeting,
                            std::span<std::byte, max_greeting_size> to) noexcept {
    std::byte* p = to.data();
    std::memset(p, 0, greeting_fixed_size);
    store_le(p, greeting_magic);
    store_le(p + 4, greeting.version);
    store_le(p + 6, static_cast<std::uint8_t>(greeting.kind));
    store_le(p + 7, greeting.code);
    store_le(p + 8, greeting.source_id);
    store_le(p + 9, greeting.target_id);
    store_le(p + 10, static_cast<std::uint8_t>(greeting.listening ? 1 : 0));
    store_le(p + 16, greeting.features);
    store_le(p + 24, greeting.incarnation);
    store_le(p + 32, greeting.attempt);
    store_le(p + 40, greeting.max_unexpected);
    store_le(p + 44, greeting.max_expected);
    store_le(p + 48, static_cast<std::uint16_t>(greeting.name.size()));
    // 50: size of the authentication part, 52 to 63: reserved.
    std::memcpy(p + greeting_fixed_size, greeting.name.data(), greeting.name.size());
    return greeting_fixed_size + greeting.name.size();
}

Parse decode_greeting(std::span<const std::byte> bytes, Greeting& greeting,
                      std::size_t& used) noexcept {
    const std::byte* p = bytes.data();
    if (bytes.size() >= 4 && load_le<std::uint32_t>(p) != greeting_magic) return Parse::malformed;
    if (bytes.size() < greeting_fixed_size) return Parse::more;
    greeting.version = load_le<std::uint16_t>(p + 4);
    const auto kind = load_le<std::uint8_t>(p + 6);
    if (kind < 1 || kind > 3) return Parse::malformed;
    greeting.kind = static_cast<GreetingKind>(kind);
    greeting.code = load_le<std::uint8_t>(p + 7);
    if (greeting.code >= NA_RETURN_MAX) return Parse::malformed;
    greeting.source_id = load_le<std::uint8_t>(p + 8);
    greeting.target_id = load_le<std::uint8_t>(p + 9);
    greeting.listening = load_le<std::uint8_t>(p + 10) != 0;
    greeting.features = load_le<std::uint64_t>(p + 16);
    greeting.incarnation = load_le<std::uint64_t>(p + 24);
    greeting.attempt = load_le<std::uint64_t>(p + 32);
    greeting.max_unexpected = load_le<std::uint32_t>(p + 40);
    greeting.max_expected = load_le<std::uint32_t>(p + 44);
    used = greeting_fixed_size;
    if (greeting.version != wire_version) return Parse::complete;
    const std::size_t name_size = load_le<std::uint16_t>(p + 48);
    const std::size_t auth_size = load_le<std::uint16_t>(p + 50);
    if (name_size > options::max_name_size || auth_size > options::max_name_size)
        return Parse::malformed;
    used += name_size + auth_size;
    if (bytes.size() < used) return Parse::more;
    greeting.name = {reinterpret_cast<const char*>(p + greeting_fixed_size), name_size};
    for (const char c : greeting.name)
        if (c <= ' ' || c > '~') return Parse::malformed;
    return Parse::complete;
}

std::size_t encode_frame(const Frame& frame, std::byte* to) noexcept {
    const bool message = frame.type <= FrameType::expected;
    store_le(to, static_cast<std::uint8_t>(frame.type));
    store_le(to + 1, frame.flags);
    store_le(to + 2, std::uint16_t{0});
    store_le(to + 4, frame.payload_size);
    store_le(to + 8, frame.tag);
    if (message) return frame_header_size;
    store_le(to + 12, frame.op);
    store_le(to + 20, frame.key);
    store_le(to + 28, frame.offset);
    store_le(to + 36, frame.length);
    return rma_header_size;
}

namespace {

bool size_allowed(const Frame& frame) noexcept {
    switch (frame.type) {
        case FrameType::get_data:
        case FrameType::put_data:
            return frame.payload_size > 0 && frame.payload_size <= options::max_chunk_size;
        case FrameType::get_request:
        case FrameType::rma_end:
        case FrameType::rma_cancel:
            return frame.payload_size == 0;
        default:
            return false;
    }
}

}  // namespace

Parse decode_other_frame(std::span<const std::byte> bytes, Frame& frame) noexcept {
    const std::byte* p = bytes.data();
    const auto type = load_le<std::uint8_t>(p);
    // A message that comes to here has flags, or reserved bytes that are set.
    if (type < 3 || type > 7 || load_le<std::uint16_t>(p + 2) != 0) return Parse::malformed;
    frame.type = static_cast<FrameType>(type);
    frame.flags = load_le<std::uint8_t>(p + 1);
    frame.payload_size = load_le<std::uint32_t>(p + 4);
    frame.tag = load_le<std::uint32_t>(p + 8);
    if (frame.flags != 0 && (frame.type != FrameType::put_data || frame.flags != last_chunk))
        return Parse::malformed;
    if (!size_allowed(frame)) return Parse::malformed;
    if (frame.type == FrameType::rma_end && frame.tag >= NA_RETURN_MAX) return Parse::malformed;
    if (bytes.size() < rma_header_size) return Parse::more;
    frame.op = load_le<std::uint64_t>(p + 12);
    frame.key = load_le<std::uint64_t>(p + 20);
    frame.offset = load_le<std::uint64_t>(p + 28);
    frame.length = load_le<std::uint64_t>(p + 36);
    return Parse::complete;
}

}  // namespace cinnabar::tcp
