// SPDX-License-Identifier: BSD-3-Clause
// The fixed header in front of every request: 40 bytes, little-endian, docs/wire.md. Pure
// functions; decode() checks everything before anything is used.
#pragma once

#include <cstddef>

#include "mercury_types.h"
#include "na/base/little_endian.hpp"

namespace cinnabar::hg {

struct RequestHeader {
    static constexpr std::size_t size = 40;
    static constexpr std::uint16_t magic = 0x5143;  // "CQ"
    static constexpr std::uint8_t version = 1;
    static constexpr std::size_t digest_at = 32;

    enum Flags : std::uint8_t {
        more_data = 1,    // the payload is the descriptor of the real payload
        no_response = 2,  // one-way
        header_digested = 4,
        payload_digested = 8,
        known_flags = 15,
    };

    std::uint8_t flags = 0;
    std::uint8_t context_id = 0;     // the origin's, where the response goes
    std::uint32_t payload_size = 0;  // bytes behind the header and the custom area
    std::uint64_t rpc_id = 0;
    std::uint32_t remaining_ms = 0;  // until the call's deadline, 0: none
    std::uint16_t credits = 0;       // reserved for flow control
    std::uint64_t trace_id = 0;
    std::uint32_t header_digest = 0;
    std::uint32_t payload_digest = 0;

    void encode(void* to) const noexcept {
        auto* p = static_cast<unsigned char*>(to);
        store_le(p, magic);
        p[2] = version;
        p[3] = flags;
        store_le(p + 4, payload_size);
        store_le(p + 8, rpc_id);
        store_le(p + 16, remaining_ms);
        store_le(p + 20, credits);
        p[22] = context_id;
        p[23] = 0;
        store_le(p + 24, trace_id);
        store_le(p + 32, header_digest);
        store_le(p + 36, payload_digest);
    }

    // HG_PROTOCOL_ERROR: not a request (short, magic, reserved byte, a payload that is not there);
    // HG_PROTONOSUPPORT: a version or flag that this library does not know.
    static hg_return_t decode(const void* from, std::size_t received,
                              RequestHeader& header) noexcept {
        const auto* p = static_cast<const unsigned char*>(from);
        if (received < size || load_le<std::uint16_t>(p) != magic) return HG_PROTOCOL_ERROR;
        header.flags = p[3];
        header.payload_size = load_le<std::uint32_t>(p + 4);
        header.rpc_id = load_le<std::uint64_t>(p + 8);
        header.remaining_ms = load_le<std::uint32_t>(p + 16);
        header.credits = load_le<std::uint16_t>(p + 20);
        header.context_id = p[22];
        header.trace_id = load_le<std::uint64_t>(p + 24);
        header.header_digest = load_le<std::uint32_t>(p + 32);
        header.payload_digest = load_le<std::uint32_t>(p + 36);
        if (p[2] != version || (header.flags & ~known_flags) != 0) return HG_PROTONOSUPPORT;
        if (p[23] != 0 || header.payload_size > received - size) return HG_PROTOCOL_ERROR;
        return HG_SUCCESS;
    }
};

}  // namespace cinnabar::hg
