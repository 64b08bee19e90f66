// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/transfer_header.hpp"

#include "na/base/little_endian.hpp"

namespace cinnabar::ucx {

void encode_transfer_header(const TransferHeader& header, std::byte* to) noexcept {
    store_le(to, header.token.slot);
    store_le(to + 4, header.token.generation);
    store_le(to + 8, header.id.slot);
    store_le(to + 12, header.id.generation);
    store_le(to + 16, header.key);
    store_le(to + 24, header.offset);
    store_le(to + 32, header.size);
    store_le(to + 40, header.total);
    store_le(to + 48, header.code);
    store_le(to + 52, std::uint32_t{0});
}

TransferHeader decode_transfer_header(const std::byte* from) noexcept {
    TransferHeader header;
    header.token = {load_le<std::uint32_t>(from), load_le<std::uint32_t>(from + 4)};
    header.id = {load_le<std::uint32_t>(from + 8), load_le<std::uint32_t>(from + 12)};
    header.key = load_le<std::uint64_t>(from + 16);
    header.offset = load_le<std::uint64_t>(from + 24);
    header.size = load_le<std::uint64_t>(from + 32);
    header.total = load_le<std::uint64_t>(from + 40);
    header.code = load_le<std::uint32_t>(from + 48);
    return header;
}

}  // namespace cinnabar::ucx
