// SPDX-License-Identifier: BSD-3-Clause
// The header of the active messages that make a transfer. Encoding into and decoding from plain
// bytes; README.md has the layout.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plugins/ucx/greeting.hpp"

namespace cinnabar::ucx {

inline constexpr std::size_t transfer_header_size = 56;
// Transfers of one direction of a connection that are under way at once.
inline constexpr std::uint32_t transfer_slots = 64;

// Which transfer: the asker made it up.
struct TransferId {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    friend bool operator==(const TransferId&, const TransferId&) noexcept = default;
};

struct TransferHeader {
    Token token;
    TransferId id;
    std::uint64_t key = 0;     // fetch, store: of the memory
    std::uint64_t offset = 0;  // fetch, store: in the memory; fetched: from the beginning asked for
    std::uint64_t size = 0;    // fetch: wanted; store, fetched: bytes in this message
    std::uint64_t total = 0;   // store: bytes in all its messages
    std::uint32_t code = 0;    // ended: an na_return_t; fetch: 1 if the asker can read by itself
};

void encode_transfer_header(const TransferHeader& header, std::byte* to) noexcept;
TransferHeader decode_transfer_header(const std::byte* from) noexcept;

}  // namespace cinnabar::ucx
