// SPDX-License-Identifier: BSD-3-Clause
// Checksums of messages: 32 bits of XXH3 over the header, and over all that is behind it. A message
// says in its flags which it carries, and what it carries is verified; a receiver whose own level
// asks for more than that refuses the message. Nothing is computed where neither side asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "mercury_types.h"
#include "na/base/little_endian.hpp"

namespace cinnabar::hg {

std::uint32_t digest_of(const void* data, std::size_t size) noexcept;

// Writes the header to the start of `message`, with the digests that `level` asks for; `behind`
// bytes follow it.
template <class Header>
void seal(Header& header, char* message, std::size_t behind, hg_checksum_level_t level) noexcept {
    if (level == HG_CHECKSUM_NONE) {
        header.encode(message);
        return;
    }
    header.flags |= Header::header_digested;
    if (level >= HG_CHECKSUM_RPC_PAYLOAD) {
        header.flags |= Header::payload_digested;
        header.payload_digest = digest_of(message + Header::size, behind);
    }
    header.header_digest = 0;
    header.encode(message);
    store_le(message + Header::digest_at, digest_of(message, Header::size));
}

// Whether a message whose header has been read into `header` carries what `level` asks for, and
// what it carries is right; else HG_CHECKSUM_ERROR.
template <class Header>
hg_return_t verify(const Header& header, const char* message, std::size_t behind,
                   hg_checksum_level_t level) noexcept {
    if ((header.flags & (Header::header_digested | Header::payload_digested)) == 0)
        return level == HG_CHECKSUM_NONE ? HG_SUCCESS : HG_CHECKSUM_ERROR;
    if ((header.flags & Header::header_digested) == 0) return HG_CHECKSUM_ERROR;
    char copy[Header::size];
    std::memcpy(copy, message, sizeof copy);
    store_le(copy + Header::digest_at, std::uint32_t{0});
    if (digest_of(copy, sizeof copy) != header.header_digest) return HG_CHECKSUM_ERROR;
    if ((header.flags & Header::payload_digested) == 0)
        return level < HG_CHECKSUM_RPC_PAYLOAD ? HG_SUCCESS : HG_CHECKSUM_ERROR;
    return digest_of(message + Header::size, behind) == header.payload_digest ? HG_SUCCESS
                                                                              : HG_CHECKSUM_ERROR;
}

}  // namespace cinnabar::hg
