// SPDX-License-Identifier: BSD-3-Clause
// The fixed header in front of every response: 24 bytes, little-endian, docs/wire.md. Pure
// functions.
#pragma once

#include <cstddef>

#include "mercury_types.h"
#include "na/base/little_endian.hpp"

namespace cinnabar::hg {

struct ResponseHeader {
    static constexpr std::size_t size = 24;
    static constexpr std::uint16_t magic = 0x5243;  // "CR"
    static constexpr std::uint8_t version = 1;
    static constexpr std::size_t digest_at = 16;

    enum Flags : std::uint8_t {
        more_data =
            1,  // the payload is the descriptor of the real payload; acknowledge when fetched
        header_digested = 4,
        payload_digested = 8,
        known_flags = 13,
    };

    std::uint8_t flags = 0;
    std::uint16_t credits = 0;       // reserved for flow control
    std::uint32_t payload_size = 0;  // bytes behind the header and the custom area
    std::int32_t ret = 0;            // how the target fared: an hg_return_t
    std::uint32_t header_digest = 0;
    std::uint32_t payload_digest = 0;

    void encode(void* to) const noexcept {
        auto* p = static_cast<unsigned char*>(to);
        store_le(p, magic);
        p[2] = version;
        p[3] = flags;
        store_le(p + 4, payload_size);
        store_le(p + 8, ret);
        store_le(p + 12, credits);
        store_le(p + 14, std::uint16_t{0});
        store_le(p + 16, header_digest);
        store_le(p + 20, payload_digest);
    }

    // Errors as RequestHeader::decode().
    static hg_return_t decode(const void* from, std::size_t received,
                              ResponseHeader& header) noexcept {
        const auto* p = static_cast<const unsigned char*>(from);
        if (received < size || load_le<std::uint16_t>(p) != magic) return HG_PROTOCOL_ERROR;
        header.flags = p[3];
        header.payload_size = load_le<std::uint32_t>(p + 4);
        header.ret = load_le<std::int32_t>(p + 8);
        header.credits = load_le<std::uint16_t>(p + 12);
        header.header_digest = load_le<std::uint32_t>(p + 16);
        header.payload_digest = load_le<std::uint32_t>(p + 20);
        if (p[2] != version || (header.flags & ~known_flags) != 0) return HG_PROTONOSUPPORT;
        if (load_le<std::uint16_t>(p + 14) != 0 || header.payload_size > received - size ||
            header.ret < 0 || header.ret >= HG_RETURN_MAX)
            return HG_PROTOCOL_ERROR;
        return HG_SUCCESS;
    }
};

}  // namespace cinnabar::hg
