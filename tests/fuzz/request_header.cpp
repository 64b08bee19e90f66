// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a request: what is accepted lies inside what has come and is encoded to the same
// bytes.
#include "hg/wire/request_header.hpp"

#include "tests/fuzz/property.hpp"

using cinnabar::fuzz::require;
using cinnabar::hg::RequestHeader;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    RequestHeader header;
    const hg_return_t ret = RequestHeader::decode(data, size, header);
    require(ret == HG_SUCCESS || ret == HG_PROTOCOL_ERROR || ret == HG_PROTONOSUPPORT);
    if (size < RequestHeader::size) require(ret == HG_PROTOCOL_ERROR);
    if (ret != HG_SUCCESS) return 0;
    require(header.payload_size <= size - RequestHeader::size);
    std::uint8_t again[RequestHeader::size];
    header.encode(again);
    require(std::memcmp(again, data, sizeof again) == 0);
    // More behind it changes nothing; a payload that is cut short is noticed.
    RequestHeader cut;
    require(RequestHeader::decode(data, RequestHeader::size + header.payload_size, cut) ==
            HG_SUCCESS);
    if (header.payload_size > 0)
        require(RequestHeader::decode(data, RequestHeader::size + header.payload_size - 1, cut) ==
                HG_PROTOCOL_ERROR);
    return 0;
}
