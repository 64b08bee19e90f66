// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a response: what is accepted lies inside what has come and is encoded to the same
// bytes.
#include "hg/wire/response_header.hpp"

#include "tests/fuzz/property.hpp"

using cinnabar::fuzz::require;
using cinnabar::hg::ResponseHeader;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ResponseHeader header;
    const hg_return_t ret = ResponseHeader::decode(data, size, header);
    require(ret == HG_SUCCESS || ret == HG_PROTOCOL_ERROR || ret == HG_PROTONOSUPPORT);
    if (size < ResponseHeader::size) require(ret == HG_PROTOCOL_ERROR);
    if (ret != HG_SUCCESS) return 0;
    require(header.payload_size <= size - ResponseHeader::size);
    require(header.ret >= 0 && header.ret < HG_RETURN_MAX);
    std::uint8_t again[ResponseHeader::size];
    header.encode(again);
    require(std::memcmp(again, data, sizeof again) == 0);
    ResponseHeader cut;
    if (header.payload_size > 0)
        require(ResponseHeader::decode(data, ResponseHeader::size + header.payload_size - 1, cut) ==
                HG_PROTOCOL_ERROR);
    return 0;
}
