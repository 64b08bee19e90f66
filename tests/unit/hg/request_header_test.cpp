// SPDX-License-Identifier: BSD-3-Clause
// The header of requests: its bytes, which peers of other builds rely on, and what is refused.
#include "hg/wire/request_header.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

using cinnabar::hg::RequestHeader;

namespace {

using Bytes = std::vector<unsigned char>;

// clang-format off
const Bytes golden = {
    0x43, 0x51,                                      // magic "CQ"
    0x01,                                            // version
    0x03,                                            // flags
    0x04, 0x00, 0x00, 0x00,                          // payload size
    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  // rpc id
    0x10, 0x27, 0x00, 0x00,                          // remaining ms
    0x02, 0x01,                                      // credits
    0x07,                                            // context id
    0x00,                                            // reserved
    0xf8, 0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1,  // trace id
    0xd4, 0xd3, 0xd2, 0xd1,                          // header digest
    0xe4, 0xe3, 0xe2, 0xe1,                          // payload digest
    'd', 'a', 't', 'a',
};
// clang-format on

RequestHeader sample() {
    RequestHeader header;
    header.flags = RequestHeader::more_data | RequestHeader::no_response;
    header.context_id = 7;
    header.payload_size = 4;
    header.rpc_id = 0x1122334455667788;
    header.remaining_ms = 10000;
    header.credits = 0x0102;
    header.trace_id = 0xf1f2f3f4f5f6f7f8;
    header.header_digest = 0xd1d2d3d4;
    header.payload_digest = 0xe1e2e3e4;
    return header;
}

// From a block of exactly that size, so that an over-read is seen.
hg_return_t decode(const Bytes& bytes, RequestHeader& header) {
    const Bytes exact(bytes);
    return RequestHeader::decode(exact.data(), exact.size(), header);
}

hg_return_t decode_with(std::size_t offset, unsigned char value) {
    Bytes bytes = golden;
    bytes[offset] = value;
    RequestHeader header;
    return decode(bytes, header);
}

}  // namespace

TEST_CASE("a request header has the bytes that the wire format says") {
    Bytes bytes(RequestHeader::size + 4, 0xaa);
    sample().encode(bytes.data());
    std::memcpy(bytes.data() + RequestHeader::size, "data", 4);
    CHECK(bytes == golden);
    CHECK(RequestHeader::size == 40);
}

TEST_CASE("a request header is decoded as it was encoded") {
    RequestHeader header;
    REQUIRE(decode(golden, header) == HG_SUCCESS);
    const RequestHeader sent = sample();
    CHECK(header.flags == sent.flags);
    CHECK(header.context_id == sent.context_id);
    CHECK(header.payload_size == sent.payload_size);
    CHECK(header.rpc_id == sent.rpc_id);
    CHECK(header.remaining_ms == sent.remaining_ms);
    CHECK(header.credits == sent.credits);
    CHECK(header.trace_id == sent.trace_id);
    CHECK(header.header_digest == sent.header_digest);
    CHECK(header.payload_digest == sent.payload_digest);
}

TEST_CASE("a request header that is cut short is refused at every length") {
    for (std::size_t size = 0; size < golden.size(); ++size) {
        CAPTURE(size);
        RequestHeader header;
        CHECK(decode({golden.begin(), golden.begin() + static_cast<std::ptrdiff_t>(size)},
                     header) == HG_PROTOCOL_ERROR);
    }
}

TEST_CASE("the magic of a request is compared in full") {
    for (std::size_t byte = 0; byte < 2; ++byte)
        for (int bit = 0; bit < 8; ++bit) {
            CAPTURE(byte, bit);
            const auto flipped = static_cast<unsigned char>(golden[byte] ^ (1 << bit));
            CHECK(decode_with(byte, flipped) == HG_PROTOCOL_ERROR);
        }
}

TEST_CASE(
    "a request of another version or with unknown flags is not supported, and its id is known") {
    for (unsigned version = 0; version < 256; ++version)
        if (version != RequestHeader::version)
            CHECK(decode_with(2, static_cast<unsigned char>(version)) == HG_PROTONOSUPPORT);
    for (unsigned flags = 0; flags < 256; ++flags) {
        CAPTURE(flags);
        CHECK(decode_with(3, static_cast<unsigned char>(flags)) ==
              (flags <= RequestHeader::known_flags ? HG_SUCCESS : HG_PROTONOSUPPORT));
    }
    Bytes bytes = golden;
    bytes[2] = 9;
    RequestHeader header;
    CHECK(decode(bytes, header) == HG_PROTONOSUPPORT);
    CHECK(header.rpc_id == sample().rpc_id);  // the error reply needs to know where to
    CHECK(header.context_id == sample().context_id);
}

TEST_CASE("the reserved byte of a request must be zero") {
    for (unsigned value = 1; value < 256; ++value)
        CHECK(decode_with(23, static_cast<unsigned char>(value)) == HG_PROTOCOL_ERROR);
}

TEST_CASE("a request cannot claim more payload than has come") {
    RequestHeader header = sample();
    Bytes bytes = golden;
    for (const std::uint32_t claimed : {0u, 3u, 4u, 5u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        CAPTURE(claimed);
        header.payload_size = claimed;
        header.encode(bytes.data());
        RequestHeader decoded;
        CHECK(decode(bytes, decoded) == (claimed <= 4 ? HG_SUCCESS : HG_PROTOCOL_ERROR));
    }
}
