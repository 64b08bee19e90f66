// SPDX-License-Identifier: BSD-3-Clause
// Many messages in flight: none lost, none doubled, those of one sender in order, and a sender that
// is faster than its receiver is held back without losing anything.
#include <algorithm>

#include "tests/conformance/net.hpp"

using namespace cinnabar::conformance;

namespace {

Buffer numbered(const Net& net, std::size_t size, std::uint32_t value, bool expected = false) {
    Buffer buffer(net, size, 0, expected);
    std::memcpy(static_cast<char*>(buffer.data()) + buffer.header(), &value, sizeof value);
    return buffer;
}

std::uint32_t number_in(const Buffer& buffer) {
    std::uint32_t value = 0;
    std::memcpy(&value, static_cast<char*>(buffer.data()) + buffer.header(), sizeof value);
    return value;
}

bool all_done(const std::vector<std::unique_ptr<Op>>& ops) {
    return std::all_of(ops.begin(), ops.end(), [](const auto& op) { return op->done(); });
}

// Receives one after the other with one operation, noting the numbers.
struct Receiver {
    Receiver(const Net& net, std::size_t size, std::size_t wanted)
        : buffer(net, size), op(net), expected(wanted) {
        op.then_arg = this;
        op.then = [](Op& done, void* arg) {
            Receiver& self = *static_cast<Receiver*>(arg);
            if (done.ret() != NA_SUCCESS) return;
            self.numbers.push_back(number_in(self.buffer));
            if (self.numbers.size() < self.expected)
                if (done.recv_unexpected(self.buffer) != NA_SUCCESS) std::abort();
        };
    }
    Buffer buffer;
    Op op;
    std::size_t expected;
    std::vector<std::uint32_t> numbers{};
};

void flood(Pair& pair, std::uint32_t count, std::size_t size, bool receive_late) {
    Receiver receiver(pair.b, size, count);
    if (!receive_late) REQUIRE(receiver.op.recv_unexpected(receiver.buffer) == NA_SUCCESS);
    std::vector<Buffer> out;
    std::vector<std::unique_ptr<Op>> sends;
    for (std::uint32_t i = 0; i < count; ++i) {
        out.push_back(numbered(pair.a, size, i));
        sends.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(sends.back()->send_unexpected(out.back(), pair.to_b, i) == NA_SUCCESS);
    }
    if (receive_late) {
        for (int i = 0; i < 100; ++i)
            pair.progress();
        REQUIRE(receiver.op.recv_unexpected(receiver.buffer) == NA_SUCCESS);
    }
    pump(pair, [&] { return receiver.numbers.size() == count && all_done(sends); });
    for (std::uint32_t i = 0; i < count; ++i)
        REQUIRE(receiver.numbers[i] == i);
    for (const auto& send : sends) {
        REQUIRE(send->ret() == NA_SUCCESS);
        REQUIRE(send->completions() == 1);
    }
}

}  // namespace

CINNABAR_CONFORMANCE("256 messages in flight arrive in order") {
    Pair pair(transport);
    flood(pair, 256, 64, false);
    flood(pair, 256, 4, false);
}

CINNABAR_CONFORMANCE("4096 messages without a receive are held back and arrive in order") {
    Pair pair(transport);
    flood(pair, 4096, 64, true);
    flood(pair, 1024, 4000, true);
}

CINNABAR_CONFORMANCE("messages of mixed sizes keep their order") {
    Pair pair(transport);
    constexpr std::uint32_t count = 600;
    Receiver receiver(pair.b, 4096, count);
    REQUIRE(receiver.op.recv_unexpected(receiver.buffer) == NA_SUCCESS);
    std::vector<Buffer> out;
    std::vector<std::unique_ptr<Op>> sends;
    for (std::uint32_t i = 0; i < count; ++i) {
        out.push_back(numbered(pair.a, 4 + (i * 613) % 4000, i));
        sends.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(sends.back()->send_unexpected(out.back(), pair.to_b, i) == NA_SUCCESS);
        if (i % 37 == 0) pair.progress();
    }
    pump(pair, [&] { return receiver.numbers.size() == count && all_done(sends); });
    for (std::uint32_t i = 0; i < count; ++i)
        REQUIRE(receiver.numbers[i] == i);
}

CINNABAR_CONFORMANCE("many receives are posted ahead and each takes one message") {
    Pair pair(transport);
    constexpr std::uint32_t count = 512;
    std::vector<Buffer> out, in;
    std::vector<std::unique_ptr<Op>> sends, receives;
    for (std::uint32_t i = 0; i < count; ++i) {
        in.push_back(numbered(pair.b, 8, 0));
        receives.push_back(std::make_unique<Op>(pair.b));
        REQUIRE(receives.back()->recv_unexpected(in.back()) == NA_SUCCESS);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        out.push_back(numbered(pair.a, 8, i));
        sends.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(sends.back()->send_unexpected(out.back(), pair.to_b, i) == NA_SUCCESS);
    }
    pump(pair, [&] { return all_done(sends) && all_done(receives); });
    std::vector<bool> seen(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t number = number_in(in[i]);
        REQUIRE(number < count);
        REQUIRE(receives[i]->tag() == number);
        REQUIRE_FALSE(seen[number]);
        seen[number] = true;
    }
}

CINNABAR_CONFORMANCE("requests and answers in both directions at once") {
    Pair pair(transport);
    constexpr std::uint32_t count = 128;
    std::vector<Buffer> buffers;
    std::vector<std::unique_ptr<Op>> ops;
    buffers.reserve(4 * count);
    const auto add = [&](const Net& net, std::uint32_t value, bool expected) -> Op& {
        buffers.push_back(numbered(net, 32, value, expected));
        ops.push_back(std::make_unique<Op>(net));
        return *ops.back();
    };
    exchange(pair);
    for (std::uint32_t i = 0; i < count; ++i) {
        // Tags differ by direction: on a transport to itself both directions have one address.
        Op& in_a = add(pair.a, 0, true);
        REQUIRE(in_a.recv_expected(buffers.back(), pair.to_b, i) == NA_SUCCESS);
        Op& in_b = add(pair.b, 0, true);
        REQUIRE(in_b.recv_expected(buffers.back(), pair.to_a, 1000 + i) == NA_SUCCESS);
        Op& out_a = add(pair.a, 1000 + i, true);
        REQUIRE(out_a.send_expected(buffers.back(), pair.to_b, 1000 + i) == NA_SUCCESS);
        Op& out_b = add(pair.b, i, true);
        REQUIRE(out_b.send_expected(buffers.back(), pair.to_a, i) == NA_SUCCESS);
    }
    pump(pair, [&] { return all_done(ops); });
    for (std::uint32_t i = 0; i < count; ++i) {
        REQUIRE(ops[4 * i]->ret() == NA_SUCCESS);
        REQUIRE(number_in(buffers[4 * i]) == i);
        REQUIRE(number_in(buffers[4 * i + 1]) == 1000 + i);
    }
}
