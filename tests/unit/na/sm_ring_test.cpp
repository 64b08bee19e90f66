// SPDX-License-Identifier: BSD-3-Clause
// The ring between two shared-memory peers: order and content, full and empty, positions that wrap
// around, and a peer that writes nonsense.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "plugins/sm/ring.hpp"

using namespace cinnabar::sm;

namespace {

struct Pair {
    std::unique_ptr<RingMemory> memory = std::make_unique<RingMemory>();
    RingProducer producer{*memory};
    RingConsumer consumer{*memory};
};

bool send(RingProducer& producer, std::uint32_t tag, const std::vector<std::byte>& data) {
    std::byte* room = producer.reserve(data.size());
    if (room == nullptr) return false;
    if (!data.empty()) std::memcpy(room, data.data(), data.size());
    producer.commit(1, tag, data.size());
    return true;
}

std::vector<std::byte> pattern(std::size_t size, std::uint32_t seed) {
    std::vector<std::byte> data(size);
    for (std::size_t i = 0; i < size; ++i)
        data[i] = static_cast<std::byte>(i * 7 + seed);
    return data;
}

// Takes one message and compares it.
void expect(RingConsumer& consumer, std::uint32_t tag, const std::vector<std::byte>& data) {
    RingMessage message;
    REQUIRE(consumer.look(message) == RingConsumer::Look::ready);
    REQUIRE(message.tag == tag);
    REQUIRE(message.kind == 1);
    REQUIRE(message.size == data.size());
    REQUIRE(std::equal(data.begin(), data.end(), message.data));
    (void)consumer.take(message);
}

}  // namespace

TEST_CASE("a zeroed ring is empty") {
    Pair ring;
    RingMessage message;
    CHECK_FALSE(ring.consumer.ready());
    CHECK(ring.consumer.look(message) == RingConsumer::Look::empty);
}

TEST_CASE("messages of every size arrive whole and in order, many times round the ring") {
    Pair ring;
    std::uint32_t tag = 0;
    for (int round = 0; round < 300; ++round)
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, inline_size, inline_size + 1,
                                       std::size_t{4096}, max_message_size}) {
            const auto data = pattern(size, ++tag);
            REQUIRE(send(ring.producer, tag, data));
            expect(ring.consumer, tag, data);
        }
    CHECK_FALSE(ring.producer.corrupt());
}

TEST_CASE("a full ring takes nothing until the consumer has published room") {
    Pair ring;
    std::uint32_t sent = 0;
    while (send(ring.producer, sent, pattern(8, sent)))
        ++sent;
    CHECK(sent == slot_count);
    std::uint32_t received = 0;
    RingMessage message;
    bool published = false;
    while (!published) {
        REQUIRE(ring.consumer.look(message) == RingConsumer::Look::ready);
        REQUIRE(message.tag == received);
        published = ring.consumer.take(message);
        ++received;
    }
    CHECK(received == slot_count / 4);
    std::uint32_t more = 0;
    while (send(ring.producer, sent + more, pattern(8, sent + more)))
        ++more;
    CHECK(more == received);
    for (; received < sent + more; ++received)
        expect(ring.consumer, received, pattern(8, received));
    CHECK_FALSE(ring.consumer.ready());
}

TEST_CASE("large messages fill the bytes before the slots, and room comes back") {
    Pair ring;
    std::uint32_t sent = 0;
    while (send(ring.producer, sent, pattern(max_message_size, sent)))
        ++sent;
    CHECK(sent == byte_capacity / max_message_size);
    // A small message needs no bytes and still goes.
    CHECK(send(ring.producer, 99, pattern(10, 99)));
    for (std::uint32_t i = 0; i < sent; ++i)
        expect(ring.consumer, i, pattern(max_message_size, i));
    expect(ring.consumer, 99, pattern(10, 99));
    CHECK(send(ring.producer, 100, pattern(max_message_size, 100)));
    expect(ring.consumer, 100, pattern(max_message_size, 100));
}

TEST_CASE("places of large messages never straddle the end of the bytes") {
    std::mt19937 random(7);
    std::uint32_t position = 0xfff00000u;  // wraps around during the test
    for (int i = 0; i < 100000; ++i) {
        const std::uint32_t size = static_cast<std::uint32_t>(
            inline_size + 1 + random() % (max_message_size - inline_size));
        const BytePlace place = place_bytes(position, size);
        REQUIRE(place.start % byte_capacity + size <= byte_capacity);
        REQUIRE(place.end - place.start >= size);
        REQUIRE(place.end - position <= 2 * max_message_size + 64);
        position = place.end;
    }
}

TEST_CASE("two threads exchange a long mixed stream") {
    Pair ring;
    constexpr std::uint32_t count = 20000;
    std::thread sender([&] {
        for (std::uint32_t i = 0; i < count;) {
            if (send(ring.producer, i, pattern(i * 37 % 9000, i)))
                ++i;
            else
                std::this_thread::yield();
        }
    });
    std::uint32_t good = 0;
    for (std::uint32_t i = 0; i < count;) {
        RingMessage message;
        if (ring.consumer.look(message) != RingConsumer::Look::ready) {
            std::this_thread::yield();
            continue;
        }
        const auto data = pattern(i * 37 % 9000, i);
        if (message.tag == i && message.size == data.size() &&
            std::equal(data.begin(), data.end(), message.data))
            ++good;
        (void)ring.consumer.take(message);
        ++i;
    }
    sender.join();
    CHECK(good == count);
}

TEST_CASE("a slot that claims an impossible size is corrupt") {
    Pair ring;
    REQUIRE(send(ring.producer, 1, pattern(4, 1)));
    RingMessage message;
    SECTION("too large") {
        ring.memory->slots[0].about.store(max_message_size + 1);
    }
    SECTION("reserved bits") {
        ring.memory->slots[0].about.store(std::uint64_t{1} << 63);
    }
    CHECK(ring.consumer.look(message) == RingConsumer::Look::corrupt);
}

TEST_CASE("a consumer position that cannot be is corrupt, and gives no room") {
    Pair ring;
    while (send(ring.producer, 0, pattern(1, 0))) {
    }
    SECTION("beyond what was sent") {
        ring.memory->consumer.head.store(slot_count + 1);
    }
    SECTION("before the start") {
        ring.memory->consumer.head.store(~0u);
    }
    SECTION("bytes beyond what was sent") {
        ring.memory->consumer.bytes_head.store(64);
    }
    CHECK_FALSE(send(ring.producer, 0, pattern(1, 0)));
    CHECK(ring.producer.corrupt());
}

TEST_CASE("a consumer survives random memory without reading outside it") {
    std::mt19937_64 random(11);
    auto memory = std::make_unique<RingMemory>();
    for (int round = 0; round < 200; ++round) {
        RingConsumer consumer(*memory);
        for (std::uint32_t i = 0; i < slot_count; ++i) {
            // Mostly plausible stamps, so that bodies are reached.
            memory->slots[i].stamp.store(i + 1 + (random() % 16 == 0 ? random() : 0));
            memory->slots[i].about.store(random() % 8 == 0 ? random() : random() % 70000);
        }
        RingMessage message;
        std::size_t sum = 0;
        while (consumer.look(message) == RingConsumer::Look::ready) {
            for (std::uint32_t i = 0; i < message.size; ++i)
                sum += static_cast<std::size_t>(message.data[i]);
            (void)consumer.take(message);
        }
        CHECK(sum == 0);
    }
}
