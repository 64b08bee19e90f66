// SPDX-License-Identifier: BSD-3-Clause
// The wire format of tcp: what is encoded is decoded, in any split; what is not allowed is refused.
#include "plugins/tcp/frame.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "na/base/little_endian.hpp"
#include "na_types.h"

using namespace cinnabar::tcp;
using cinnabar::store_le;

namespace {

constexpr FrameLimits limits{4096, 8192};

std::vector<std::byte> bytes_of(const Greeting& greeting) {
    std::vector<std::byte> bytes(max_greeting_size);
    bytes.resize(encode_greeting(greeting, std::span<std::byte, max_greeting_size>(bytes)));
    return bytes;
}

std::vector<std::byte> bytes_of(const Frame& frame) {
    std::vector<std::byte> bytes(frame.header_size());
    REQUIRE(encode_frame(frame, bytes.data()) == bytes.size());
    return bytes;
}

Parse decode(const Frame& frame) {
    auto bytes = bytes_of(frame);
    if (frame.type <= FrameType::expected) bytes.resize(bytes.size() + frame.payload_size);
    Frame decoded;
    return decode_frame(bytes, limits, decoded);
}

Greeting sample_greeting() {
    Greeting greeting;
    greeting.kind = GreetingKind::accept;
    greeting.source_id = 3;
    greeting.target_id = 255;
    greeting.listening = true;
    greeting.features = 0x1122334455667788;
    greeting.incarnation = 42;
    greeting.attempt = 7;
    greeting.max_unexpected = 4096;
    greeting.max_expected = 65536;
    greeting.name = "tcp://127.0.0.1:1234";
    return greeting;
}

}  // namespace

TEST_CASE("a greeting is decoded as it was encoded, once all of it is there") {
    const Greeting sent = sample_greeting();
    const auto bytes = bytes_of(sent);
    for (std::size_t n = 0; n <= bytes.size(); ++n) {
        Greeting got;
        std::size_t used = 0;
        const Parse result = decode_greeting(std::span(bytes).first(n), got, used);
        CAPTURE(n);
        REQUIRE(result == (n < bytes.size() ? Parse::more : Parse::complete));
        if (n < bytes.size()) continue;
        CHECK(used == bytes.size());
        CHECK(got.kind == sent.kind);
        CHECK(got.source_id == sent.source_id);
        CHECK(got.target_id == sent.target_id);
        CHECK(got.listening == sent.listening);
        CHECK(got.features == sent.features);
        CHECK(got.incarnation == sent.incarnation);
        CHECK(got.attempt == sent.attempt);
        CHECK(got.max_unexpected == sent.max_unexpected);
        CHECK(got.max_expected == sent.max_expected);
        CHECK(got.name == sent.name);
    }
}

TEST_CASE("a greeting that lies is refused") {
    const auto good = bytes_of(sample_greeting());
    const auto with = [&](std::size_t at, unsigned value) {
        auto bytes = good;
        bytes[at] = static_cast<std::byte>(value);
        Greeting got;
        std::size_t used = 0;
        return decode_greeting(bytes, got, used);
    };
    CHECK(with(0, 'X') == Parse::malformed);
    CHECK(with(6, 0) == Parse::malformed);
    CHECK(with(6, 4) == Parse::malformed);
    CHECK(with(7, NA_RETURN_MAX) == Parse::malformed);
    CHECK(with(49, 1) == Parse::malformed);     // a name of more than 255 bytes
    CHECK(with(51, 1) == Parse::malformed);     // an authentication part of that size
    CHECK(with(64, '\n') == Parse::malformed);  // a name that would break a log line
    CHECK(with(48, 255) == Parse::more);
    CHECK(with(4, 2) == Parse::complete);  // another version is for the caller to refuse
}

TEST_CASE("every type of frame is decoded as it was encoded") {
    for (int type = 1; type <= 7; ++type) {
        Frame sent;
        sent.type = static_cast<FrameType>(type);
        const bool data = sent.type == FrameType::get_data || sent.type == FrameType::put_data;
        sent.payload_size = type <= 2 || data ? 100 : 0;
        sent.tag = 5;
        sent.op = 0x0102030405060708;
        sent.key = ~std::uint64_t{0};
        sent.offset = 1ull << 40;
        sent.length = 9;
        auto bytes = bytes_of(sent);
        if (type <= 2) bytes.resize(bytes.size() + sent.payload_size);
        CAPTURE(type);
        Frame got;
        for (std::size_t n = 0; n < bytes.size(); ++n)
            REQUIRE(decode_frame(std::span(bytes).first(n), limits, got) == Parse::more);
        REQUIRE(decode_frame(bytes, limits, got) == Parse::complete);
        CHECK(got.type == sent.type);
        CHECK(got.payload_size == sent.payload_size);
        CHECK(got.tag == sent.tag);
        if (type <= 2) continue;
        CHECK(got.op == sent.op);
        CHECK(got.key == sent.key);
        CHECK(got.offset == sent.offset);
        CHECK(got.length == sent.length);
    }
}

TEST_CASE("sizes above the limits are refused before the payload is there") {
    Frame frame;
    frame.payload_size = limits.max_unexpected;
    CHECK(decode(frame) == Parse::complete);
    ++frame.payload_size;
    CHECK(decode(frame) == Parse::malformed);
    frame.type = FrameType::expected;
    CHECK(decode(frame) == Parse::complete);
    frame.payload_size = limits.max_expected + 1;
    CHECK(decode(frame) == Parse::malformed);
    frame.type = FrameType::put_data;
    frame.payload_size = options::max_chunk_size;
    CHECK(decode(frame) == Parse::complete);
    ++frame.payload_size;
    CHECK(decode(frame) == Parse::malformed);
    frame.payload_size = 0;
    CHECK(decode(frame) == Parse::malformed);
    frame.type = FrameType::get_request;
    frame.payload_size = 1;
    CHECK(decode(frame) == Parse::malformed);
}

TEST_CASE("unknown types, flags, codes and reserved bits are refused") {
    for (const unsigned type : {0u, 8u, 255u}) {
        Frame frame;
        frame.type = static_cast<FrameType>(type);
        CHECK(decode(frame) == Parse::malformed);
    }
    Frame frame;
    frame.flags = 1;
    CHECK(decode(frame) == Parse::malformed);
    frame.type = FrameType::put_data;
    frame.payload_size = 1;
    CHECK(decode(frame) == Parse::complete);
    frame.flags = 2;
    CHECK(decode(frame) == Parse::malformed);
    frame = Frame{};
    frame.type = FrameType::rma_end;
    frame.tag = NA_RETURN_MAX;
    CHECK(decode(frame) == Parse::malformed);
    auto bytes = bytes_of(Frame{});
    bytes[2] = std::byte{1};
    CHECK(decode_frame(bytes, limits, frame) == Parse::malformed);
}

TEST_CASE("any bytes are decoded without reading beyond them") {
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
        const std::size_t size = random() % 64;
        const auto bytes = std::make_unique<std::byte[]>(size);  // a sanitizer sees its end
        for (std::size_t i = 0; i < size; ++i)
            bytes[i] = static_cast<std::byte>(random() % 9);
        const std::span<const std::byte> view(bytes.get(), size);
        Frame frame;
        if (decode_frame(view, limits, frame) == Parse::complete) {
            REQUIRE(frame.header_size() <= size);
            if (frame.type <= FrameType::expected)
                REQUIRE(frame.header_size() + frame.payload_size <= size);
        }
        Greeting greeting;
        std::size_t used = 0;
        if (size >= 4) store_le(bytes.get(), greeting_magic);
        if (decode_greeting(view, greeting, used) == Parse::complete) REQUIRE(used <= size);
    }
}
