// SPDX-License-Identifier: BSD-3-Clause
// The header of responses: its bytes, which peers of other builds rely on, and what is refused.
#include "hg/wire/response_header.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

using cinnabar::hg::ResponseHeader;

namespace {

using Bytes = std::vector<unsigned char>;

// clang-format off
const Bytes golden = {
    0x43, 0x52,              // magic "CR"
    0x01,                    // version
    0x01,                    // flags
    0x03, 0x00, 0x00, 0x00,  // payload size
    0x05, 0x00, 0x00, 0x00,  // how the target fared
    0x02, 0x01,              // credits
    0x00, 0x00,              // reserved
    0xd4, 0xd3, 0xd2, 0xd1,  // header digest
    0xe4, 0xe3, 0xe2, 0xe1,  // payload digest
    'a', 'b', 'c',
};
// clang-format on

ResponseHeader sample() {
    ResponseHeader header;
    header.flags = ResponseHeader::more_data;
    header.credits = 0x0102;
    header.payload_size = 3;
    header.ret = 5;
    header.header_digest = 0xd1d2d3d4;
    header.payload_digest = 0xe1e2e3e4;
    return header;
}

// From a block of exactly that size, so that an over-read is seen.
hg_return_t decode(const Bytes& bytes, ResponseHeader& header) {
    const Bytes exact(bytes);
    return ResponseHeader::decode(exact.data(), exact.size(), header);
}

hg_return_t decode_with(std::size_t offset, unsigned char value) {
    Bytes bytes = golden;
    bytes[offset] = value;
    ResponseHeader header;
    return decode(bytes, header);
}

}  // namespace

TEST_CASE("a response header has the bytes that the wire format says") {
    Bytes bytes(ResponseHeader::size + 3, 0xaa);
    sample().encode(bytes.data());
    std::memcpy(bytes.data() + ResponseHeader::size, "abc", 3);
    CHECK(bytes == golden);
    CHECK(ResponseHeader::size == 24);
}

TEST_CASE("a response header is decoded as it was encoded") {
    ResponseHeader header;
    REQUIRE(decode(golden, header) == HG_SUCCESS);
    const ResponseHeader sent = sample();
    CHECK(header.flags == sent.flags);
    CHECK(header.credits == sent.credits);
    CHECK(header.payload_size == sent.payload_size);
    CHECK(header.ret == sent.ret);
    CHECK(header.header_digest == sent.header_digest);
    CHECK(header.payload_digest == sent.payload_digest);
}

TEST_CASE("a response header that is cut short is refused at every length") {
    for (std::size_t size = 0; size < golden.size(); ++size) {
        CAPTURE(size);
        ResponseHeader header;
        CHECK(decode({golden.begin(), golden.begin() + static_cast<std::ptrdiff_t>(size)},
                     header) == HG_PROTOCOL_ERROR);
    }
}

TEST_CASE("the magic of a response is compared in full") {
    for (std::size_t byte = 0; byte < 2; ++byte)
        for (int bit = 0; bit < 8; ++bit) {
            CAPTURE(byte, bit);
            const auto flipped = static_cast<unsigned char>(golden[byte] ^ (1 << bit));
            CHECK(decode_with(byte, flipped) == HG_PROTOCOL_ERROR);
        }
}

TEST_CASE("a response of another version or with unknown flags is not supported") {
    for (unsigned version = 0; version < 256; ++version)
        if (version != ResponseHeader::version)
            CHECK(decode_with(2, static_cast<unsigned char>(version)) == HG_PROTONOSUPPORT);
    for (unsigned flags = 0; flags < 256; ++flags) {
        CAPTURE(flags);
        CHECK(decode_with(3, static_cast<unsigned char>(flags)) ==
              ((flags & ~unsigned{ResponseHeader::known_flags}) == 0 ? HG_SUCCESS
                                                                     : HG_PROTONOSUPPORT));
    }
}

TEST_CASE("the reserved bytes of a response must be zero") {
    for (unsigned value = 1; value < 256; ++value) {
        CHECK(decode_with(14, static_cast<unsigned char>(value)) == HG_PROTOCOL_ERROR);
        CHECK(decode_with(15, static_cast<unsigned char>(value)) == HG_PROTOCOL_ERROR);
    }
}

TEST_CASE("a response cannot claim more payload than has come") {
    ResponseHeader header = sample();
    Bytes bytes = golden;
    for (const std::uint32_t claimed : {0u, 2u, 3u, 4u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        CAPTURE(claimed);
        header.payload_size = claimed;
        header.encode(bytes.data());
        ResponseHeader decoded;
        CHECK(decode(bytes, decoded) == (claimed <= 3 ? HG_SUCCESS : HG_PROTOCOL_ERROR));
    }
}

TEST_CASE("a response carries a return code that exists") {
    ResponseHeader header = sample();
    Bytes bytes = golden;
    for (const std::int32_t ret : {INT32_MIN, -1, 0, 1, HG_RETURN_MAX - 1, int{HG_RETURN_MAX},
                                   HG_RETURN_MAX + 1, INT32_MAX}) {
        CAPTURE(ret);
        header.ret = ret;
        header.encode(bytes.data());
        ResponseHeader decoded;
        CHECK(decode(bytes, decoded) ==
              (ret >= 0 && ret < HG_RETURN_MAX ? HG_SUCCESS : HG_PROTOCOL_ERROR));
    }
}
