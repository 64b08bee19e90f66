// SPDX-License-Identifier: BSD-3-Clause
// The ring of the shared-memory transport. Between honest sides it is a queue of messages that
// always makes room once all was taken; a side that writes anything anywhere cannot make the other
// touch memory outside the ring. The first byte chooses who is honest; then the input is a script.
#include "plugins/sm/ring.hpp"

#include <deque>
#include <memory>
#include <vector>

#include "tests/fuzz/property.hpp"

using namespace cinnabar::sm;
using cinnabar::fuzz::Input;
using cinnabar::fuzz::require;

namespace {

constexpr std::size_t most_steps = 600;
// Of a message's bytes every so many-th is looked at, and the last.
constexpr std::size_t stride = 253;

struct Fresh {
    std::unique_ptr<RingMemory> memory = std::make_unique<RingMemory>();
};

std::size_t pick_size(Input& input) {
    const auto choice = input.take<std::uint16_t>();
    return (choice & 1) == 0 ? choice / 2 % (inline_size + 8)
                             : static_cast<std::size_t>(choice) * 2 % (max_message_size + 1);
}

// Whether [from, from + size) is where messages may lie.
bool inside(const RingMemory& memory, const std::byte* from, std::size_t size) {
    const auto* bytes = memory.bytes;
    if (from >= bytes && from <= bytes + byte_capacity)
        return size <= static_cast<std::size_t>(bytes + byte_capacity - from);
    for (const RingSlot& slot : memory.slots)
        if (from == slot.payload) return size <= inline_size;
    return false;
}

struct Sent {
    std::uint8_t kind;
    std::uint32_t tag;
    std::size_t size;
};

void honest(Input& input) {
    const Fresh fresh;
    RingProducer producer(*fresh.memory);
    RingConsumer consumer(*fresh.memory);
    std::deque<Sent> queue;
    std::uint32_t sent = 0;
    for (std::size_t step = 0; step < most_steps && !input.empty(); ++step) {
        if ((input.take<std::uint8_t>() & 3) != 0) {
            const Sent message{static_cast<std::uint8_t>(sent), sent * 77, pick_size(input)};
            std::byte* to = producer.reserve(message.size);
            if (to == nullptr) {
                require(!queue.empty());
                continue;
            }
            require(inside(*fresh.memory, to, message.size));
            std::memset(to, static_cast<int>(sent & 0xff), message.size);
            producer.commit(message.kind, message.tag, message.size);
            queue.push_back(message);
            ++sent;
            continue;
        }
        RingMessage message;
        const auto look = consumer.look(message);
        require(look == (queue.empty() ? RingConsumer::Look::empty : RingConsumer::Look::ready));
        require(consumer.ready() == !queue.empty());
        if (queue.empty()) continue;
        const Sent expected = queue.front();
        require(message.size == expected.size && message.tag == expected.tag &&
                message.kind == expected.kind);
        for (std::size_t i = 0; i < message.size; i += stride)
            require(message.data[i] == std::byte{expected.kind});
        if (message.size > 0) require(message.data[message.size - 1] == std::byte{expected.kind});
        consumer.take(message);
        queue.pop_front();
    }
    require(!producer.corrupt());
}

// A few words of shared memory, at places that matter or anywhere.
void scribble(Input& input, RingMemory& memory, std::uint32_t near) {
    const auto where = input.take<std::uint8_t>();
    RingSlot& slot = memory.slots[(near + (where >> 4)) % slot_count];
    const auto small = static_cast<std::uint32_t>(input.take<std::uint8_t>());
    switch (where % 8) {
        case 0:
            slot.stamp.store(near + 1 + std::uint64_t{small} * 0x100000001);
            break;
        case 1:
            slot.stamp.store(near + 1);
            break;
        case 2:
            slot.about.store(input.take<std::uint64_t>());
            break;
        case 3:
            slot.about.store(pick_size(input) | std::uint64_t{small} << 32);
            break;
        case 4:
            memory.consumer.head.store(near + small - 128);
            break;
        case 5:
            memory.consumer.bytes_head.store(input.take<std::uint32_t>());
            break;
        case 6:
            memory.consumer.head.store(input.take<std::uint32_t>());
            break;
        default:
            const auto at = input.take<std::uint32_t>() % (sizeof memory - 8);
            const auto word = input.take<std::uint64_t>();
            std::memcpy(reinterpret_cast<char*>(&memory) + at, &word, sizeof word);
    }
}

void hostile_producer(Input& input) {
    const Fresh fresh;
    RingConsumer consumer(*fresh.memory);
    std::uint32_t taken = 0;
    unsigned sum = 0;
    for (std::size_t step = 0; step < most_steps && !input.empty(); ++step) {
        scribble(input, *fresh.memory, taken);
        RingMessage message;
        if (consumer.look(message) != RingConsumer::Look::ready) continue;
        require(message.size <= max_message_size);
        require(inside(*fresh.memory, message.data, message.size));
        for (std::size_t i = 0; i < message.size; i += stride)
            sum += std::to_integer<unsigned>(message.data[i]);
        consumer.take(message);
        ++taken;
    }
    // Keeps the reads.
    require(sum != UINT32_MAX);
}

void hostile_consumer(Input& input) {
    const Fresh fresh;
    RingProducer producer(*fresh.memory);
    std::uint32_t sent = 0;
    for (std::size_t step = 0; step < most_steps && !input.empty(); ++step) {
        if ((input.take<std::uint8_t>() & 1) != 0) scribble(input, *fresh.memory, sent);
        const std::size_t size = pick_size(input);
        std::byte* to = producer.reserve(size);
        if (to == nullptr) continue;
        require(inside(*fresh.memory, to, size));
        std::memset(to, 1, size);
        producer.commit(0, 0, size);
        ++sent;
    }
    // A consumer that claims to have taken what was never sent is found out when its word is
    // needed.
    fresh.memory->consumer.head.store(sent + 1000);
    for (std::uint32_t i = 0; i < slot_count && producer.reserve(0) != nullptr; ++i)
        producer.commit(0, 0, 0);
    require(producer.reserve(0) == nullptr && producer.corrupt());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    switch (input.take<std::uint8_t>() % 3) {
        case 0:
            honest(input);
            break;
        case 1:
            hostile_producer(input);
            break;
        default:
            hostile_consumer(input);
    }
    return 0;
}
