// SPDX-License-Identifier: BSD-3-Clause
// The wire format of ofi: what is encoded is decoded; what is cut, damaged or not allowed is
// refused.
#include "plugins/ofi/frame.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "plugins/ofi/options.hpp"

using namespace cinnabar::ofi;

namespace {

std::vector<std::byte> bytes_of(const Greeting& greeting) {
    std::vector<std::byte> bytes(greeting_size(greeting));
    encode_greeting(greeting, bytes.data());
    return bytes;
}

Greeting sample() {
    Greeting greeting;
    greeting.index = 7;
    greeting.nonce = 0x1122334455667788u;
    greeting.sender = 3;
    greeting.target = 250;
    greeting.listening = true;
    greeting.code = 18;
    greeting.window = 1000;
    greeting.max_unexpected = 4096;
    greeting.max_expected = 8192;
    greeting.token = 99;
    greeting.raw.assign(16, std::byte{5});
    greeting.name = "tcp://127.0.0.1:5";
    return greeting;
}

}  // namespace

TEST_CASE("an ofi envelope is decoded as it was encoded, and no other kind is") {
    std::vector<std::byte> bytes(envelope_header_size);
    const Envelope envelope{Kind::bye, 5, 0xfedcba9876543210u, 77, 0xffffffffu};
    encode_envelope(envelope, bytes.data());
    Envelope decoded;
    REQUIRE(decode_envelope(bytes, decoded));
    CHECK(decoded.kind == Kind::bye);
    CHECK(decoded.index == 5);
    CHECK(decoded.nonce == envelope.nonce);
    CHECK(decoded.sequence == 77);
    CHECK(decoded.received == 0xffffffffu);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decode_envelope({bytes.data(), size}, decoded));
    for (const std::size_t at : {0u, 1u, 2u}) {
        auto bad = bytes;
        bad[at] ^= std::byte{1};
        CHECK_FALSE(decode_envelope(bad, decoded));
    }
    for (const unsigned kind : {0u, 7u, 255u}) {
        auto bad = bytes;
        bad[3] = static_cast<std::byte>(kind);
        CHECK_FALSE(decode_envelope(bad, decoded));
    }
}

TEST_CASE("an ofi greeting is decoded as it was encoded") {
    const Greeting greeting = sample();
    Greeting decoded;
    REQUIRE(decode_greeting(bytes_of(greeting), decoded));
    CHECK(decoded.index == greeting.index);
    CHECK(decoded.nonce == greeting.nonce);
    CHECK(decoded.sender == greeting.sender);
    CHECK(decoded.target == greeting.target);
    CHECK(decoded.listening);
    CHECK(decoded.code == greeting.code);
    CHECK(decoded.window == greeting.window);
    CHECK(decoded.max_unexpected == greeting.max_unexpected);
    CHECK(decoded.max_expected == greeting.max_expected);
    CHECK(decoded.token == greeting.token);
    CHECK(decoded.raw == greeting.raw);
    CHECK(decoded.name == greeting.name);
}

TEST_CASE("an ofi greeting that is cut, too long or without a number is refused") {
    const auto bytes = bytes_of(sample());
    Greeting decoded;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decode_greeting(
            std::vector(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)),
            decoded));
    auto longer = bytes;
    longer.push_back(std::byte{0});
    CHECK_FALSE(decode_greeting(longer, decoded));
    Greeting greeting = sample();
    greeting.nonce = 0;
    CHECK_FALSE(decode_greeting(bytes_of(greeting), decoded));
    greeting = sample();
    greeting.raw.resize(options::max_raw_size + 1);
    CHECK_FALSE(decode_greeting(bytes_of(greeting), decoded));
    greeting = sample();
    greeting.name.assign(options::max_name_size + 1, 'x');
    CHECK_FALSE(decode_greeting(bytes_of(greeting), decoded));
}

TEST_CASE("ofi frames are taken off one by one") {
    std::vector<std::byte> bytes(2 * frame_header_size + 5);
    encode_frame({FrameType::expected, 5, 9, 1234}, bytes.data());
    encode_frame({FrameType::more, 0, 9, 1234}, bytes.data() + frame_header_size + 5);
    std::span<const std::byte> rest(bytes);
    Frame frame;
    std::span<const std::byte> part;
    REQUIRE(take_frame(rest, frame, part));
    CHECK(frame.type == FrameType::expected);
    CHECK(frame.size == 5);
    CHECK(frame.total == 9);
    CHECK(frame.tag == 1234);
    CHECK(part.data() == bytes.data() + frame_header_size);
    CHECK(part.size() == 5);
    REQUIRE(take_frame(rest, frame, part));
    CHECK(frame.type == FrameType::more);
    CHECK(rest.empty());
    CHECK_FALSE(take_frame(rest, frame, part));
}

TEST_CASE("ofi frames that are malformed are refused") {
    std::vector<std::byte> good(frame_header_size + 5);
    encode_frame({FrameType::unexpected, 5, 5, 1}, good.data());
    Frame frame;
    std::span<const std::byte> part;
    const auto refused = [&](const std::vector<std::byte>& bytes) {
        std::span<const std::byte> rest(bytes);
        return !take_frame(rest, frame, part);
    };
    CHECK_FALSE(refused(good));
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}));
    auto bad = good;
    bad[0] = std::byte{0};
    CHECK(refused(bad));
    bad[0] = std::byte{4};
    CHECK(refused(bad));
    bad = good;
    bad[1] = std::byte{1};
    CHECK(refused(bad));
    bad = good;
    bad[4] = std::byte{4};  // the whole is smaller than its part
    CHECK(refused(bad));
}

TEST_CASE("no bytes at all make the decoders of ofi read beyond them") {
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
        std::vector<std::byte> bytes(random() % 200);
        for (std::byte& byte : bytes)
            byte = static_cast<std::byte>(random());
        Envelope envelope;
        Greeting greeting;
        Request request;
        Frame frame;
        std::span<const std::byte> rest(bytes), part;
        (void)decode_envelope(bytes, envelope);
        (void)decode_request(bytes, request);
        if (decode_greeting(bytes, greeting)) CHECK(greeting_size(greeting) == bytes.size());
        while (take_frame(rest, frame, part)) {
            REQUIRE(part.size() == frame.size);
            REQUIRE(part.data() + part.size() <= bytes.data() + bytes.size());
        }
    }
}

TEST_CASE("an ofi connection request survives what the library adds to it") {
    std::vector<std::byte> bytes(256);
    encode_request({9, 12345}, bytes.data());
    Request request;
    REQUIRE(decode_request(bytes, request));
    CHECK(request.target == 9);
    CHECK(request.token == 12345);
    CHECK_FALSE(decode_request({bytes.data(), request_size - 1}, request));
    encode_request({9, 0}, bytes.data());
    CHECK_FALSE(decode_request(bytes, request));
}
