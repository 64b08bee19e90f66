// SPDX-License-Identifier: BSD-3-Clause
// The greeting and the message header of the UCX transport: what is written is read, and whatever
// else comes is refused or lies inside the bytes given.
#include "plugins/ucx/greeting.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "na_types.h"

using namespace cinnabar::ucx;

namespace {

const std::string name = "tcp://127.0.0.1:4242";
const std::vector<std::byte> worker(200, std::byte{7});

std::vector<std::byte> good() {
    Greeting greeting;
    greeting.kind = GreetingKind::connect;
    greeting.source_id = 3;
    greeting.target_id = 9;
    greeting.listening = true;
    greeting.incarnation = 0x1122334455667788;
    greeting.attempt = 5;
    greeting.host = 0x99;
    greeting.process = 1234;
    greeting.max_unexpected = 4096;
    greeting.max_expected = 8192;
    greeting.token = {17, 0xabcdef};
    greeting.name = name;
    greeting.worker = worker;
    return encode_greeting(greeting);
}

}  // namespace

TEST_CASE("a ucx greeting is read as it was written") {
    const auto bytes = good();
    Greeting read;
    std::size_t used = 0;
    REQUIRE(decode_greeting(bytes, read, used) == Parse::complete);
    CHECK(used == bytes.size());
    CHECK(read.kind == GreetingKind::connect);
    CHECK(read.source_id == 3);
    CHECK(read.target_id == 9);
    CHECK(read.listening);
    CHECK(read.incarnation == 0x1122334455667788);
    CHECK(read.attempt == 5);
    CHECK(read.host == 0x99);
    CHECK(read.process == 1234);
    CHECK(read.max_unexpected == 4096);
    CHECK(read.max_expected == 8192);
    CHECK(read.token == Token{17, 0xabcdef});
    CHECK(read.name == name);
    CHECK(std::equal(read.worker.begin(), read.worker.end(), worker.begin(), worker.end()));
}

TEST_CASE("a ucx greeting that is cut short waits for more") {
    const auto bytes = good();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        // A copy of its own, so that a read behind its end is noticed.
        const std::vector<std::byte> part(bytes.begin(),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(size));
        Greeting read;
        std::size_t used = 0;
        REQUIRE(decode_greeting(part, read, used) == Parse::more);
    }
}

TEST_CASE("a changed byte of a ucx greeting's name or address is noticed") {
    const auto bytes = good();
    for (std::size_t at = greeting_fixed_size; at < bytes.size(); ++at) {
        auto bad = bytes;
        bad[at] ^= std::byte{0x10};
        Greeting read;
        std::size_t used = 0;
        REQUIRE(decode_greeting(bad, read, used) == Parse::malformed);
    }
}

TEST_CASE("a changed byte in front of a ucx greeting leads nowhere else") {
    const auto bytes = good();
    for (std::size_t at = 0; at < greeting_fixed_size; ++at)
        for (int value = 0; value < 256; ++value) {
            auto bad = bytes;
            bad[at] = static_cast<std::byte>(value);
            Greeting read;
            std::size_t used = 0;
            if (decode_greeting(bad, read, used) != Parse::complete) continue;
            REQUIRE(used <= bad.size());
            if (read.version == wire_version) REQUIRE(read.name == name);
            REQUIRE(read.code < NA_RETURN_MAX);
        }
}

TEST_CASE("a ucx greeting without an address is a reject or nothing") {
    for (const GreetingKind kind :
         {GreetingKind::connect, GreetingKind::accept, GreetingKind::reject}) {
        Greeting greeting;
        greeting.kind = kind;
        greeting.name = name;
        Greeting read;
        std::size_t used = 0;
        CHECK(decode_greeting(encode_greeting(greeting), read, used) ==
              (kind == GreetingKind::reject ? Parse::complete : Parse::malformed));
    }
}

TEST_CASE("a ucx message header is read as it was written") {
    std::array<std::byte, message_header_size> bytes{};
    encode_header({{1, 0xfffffffe}, 0x80000001}, bytes.data());
    const MessageHeader read = decode_header(bytes.data());
    CHECK(read.token == Token{1, 0xfffffffe});
    CHECK(read.value == 0x80000001);
}

TEST_CASE("a batch is whole messages of two kinds") {
    std::vector<std::byte> bytes(record_size + 5);
    Record record;
    for (const MessageType type : {MessageType::unexpected, MessageType::expected}) {
        encode_record({type, 77, 5}, bytes.data());
        REQUIRE(decode_record(bytes, record));
        CHECK(record.type == type);
        CHECK(record.value == 77);
        CHECK(record.size == 5);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK_FALSE(decode_record(std::span(bytes).first(size), record));
    }
    for (const std::uint32_t type : {0u, 3u, 4u, 11u, 0xffffffffu}) {
        encode_record({static_cast<MessageType>(type), 77, 5}, bytes.data());
        CHECK_FALSE(decode_record(bytes, record));
    }
    for (const std::uint32_t size : {6u, 0x7fffffffu, 0xffffffffu}) {
        encode_record({MessageType::expected, 77, size}, bytes.data());
        CHECK_FALSE(decode_record(bytes, record));
    }
}
