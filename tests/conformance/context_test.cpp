// SPDX-License-Identifier: BSD-3-Clause
// Several contexts of a class, and several threads at one context.
#include <thread>

#include "tests/conformance/net.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;

namespace {

NetOptions three_contexts() {
    NetOptions options;
    options.contexts = 3;
    return options;
}

}  // namespace

CINNABAR_CONFORMANCE("a message to a context arrives there and nowhere else") {
    Pair pair(transport, three_contexts());
    const Buffer out(pair.a, 8, 1);
    for (std::uint8_t to = 0; to < 3; ++to)
        for (std::uint8_t from = 0; from < 3; ++from) {
            std::vector<Buffer> in;
            std::vector<std::unique_ptr<Op>> receives;
            for (std::uint8_t id = 0; id < 3; ++id) {
                in.emplace_back(pair.b, 8);
                receives.push_back(std::make_unique<Op>(pair.b));
                REQUIRE(receives.back()->recv_unexpected(in.back(), id) == NA_SUCCESS);
            }
            Op send(pair.a);
            REQUIRE(send.send_unexpected(out, pair.to_b, 1, to, from) == NA_SUCCESS);
            pump(pair, [&] { return send.done() && receives[to]->done(); });
            CHECK(in[to].holds(1, 8));
            for (std::uint8_t id = 0; id < 3; ++id) {
                if (id == to) continue;
                CHECK_FALSE(receives[id]->done());
                REQUIRE(receives[id]->cancel(id) == NA_SUCCESS);
            }
            pump(pair,
                 [&] { return receives[0]->done() && receives[1]->done() && receives[2]->done(); });
        }
}

CINNABAR_CONFORMANCE("an expected message is matched by the sender's context too") {
    Pair pair(transport, three_contexts());
    exchange(pair);
    const Buffer from_1(pair.b, 8, 1, true), from_2(pair.b, 8, 2, true);
    const Buffer in_1(pair.a, 8, 0, true), in_2(pair.a, 8, 0, true);
    Op send_1(pair.b), send_2(pair.b), receive_1(pair.a), receive_2(pair.a);
    // Same peer, same tag: told apart by the context that sends.
    REQUIRE(receive_1.recv_expected(in_1, pair.to_b, 5, 1) == NA_SUCCESS);
    REQUIRE(receive_2.recv_expected(in_2, pair.to_b, 5, 2) == NA_SUCCESS);
    REQUIRE(send_2.send_expected(from_2, pair.to_a, 5, 0, 2) == NA_SUCCESS);
    pump(pair, [&] { return send_2.done() && receive_2.done(); });
    CHECK_FALSE(receive_1.done());
    REQUIRE(send_1.send_expected(from_1, pair.to_a, 5, 0, 1) == NA_SUCCESS);
    pump(pair, [&] { return send_1.done() && receive_1.done(); });
    CHECK(in_1.holds(1, 8));
    CHECK(in_2.holds(2, 8));
}

CINNABAR_CONFORMANCE("a send to a context that does not exist ends with an error") {
    Pair pair(transport);
    cinnabar::test::allow_log("");
    const Buffer out(pair.a, 8, 1);
    Op send(pair.a);
    const na_return_t ret = send.send_unexpected(out, pair.to_b, 1, 77);
    if (ret == NA_SUCCESS) {
        pump(pair, [&] { return send.done(); });
        CHECK((send.ret() == codes::no_such_context || send.ret() == codes::peer_is_gone));
    } else {
        CHECK((ret == codes::no_such_context || ret == codes::peer_is_gone));
    }
    exchange(pair);
}

CINNABAR_CONFORMANCE("two threads post on a context while a third polls it") {
    Pair pair(transport);
    constexpr int threads = 2, per_thread = 150;
    std::atomic<int> received{0};
    std::atomic<bool> stop{false};
    // Made here: assertions belong to the test's own thread.
    const Buffer in(pair.b, 64), out(pair.a, 64, 1);
    Op receive(pair.b);
    std::vector<std::unique_ptr<Op>> sends;
    for (int t = 0; t < threads; ++t)
        sends.push_back(std::make_unique<Op>(pair.a));
    std::thread server([&] {
        while (received.load() < threads * per_thread) {
            receive.reset();
            if (receive.recv_unexpected(in) != NA_SUCCESS) std::abort();
            while (!receive.done()) {
                unsigned int count = 0;
                if (pair.own_b == nullptr) {
                    std::this_thread::yield();
                    continue;
                }
                if (NA_Poll(pair.b.cls(), pair.b.context(), nullptr) != NA_SUCCESS) std::abort();
                (void)NA_Trigger(pair.b.context(), 100, &count);
            }
            if (receive.ret() != NA_SUCCESS || !in.holds(1, 64)) std::abort();
            ++received;
        }
    });
    std::thread poller([&] {
        while (!stop.load()) {
            if (NA_Poll(pair.a.cls(), pair.a.context(), nullptr) != NA_SUCCESS) std::abort();
            (void)NA_Trigger(pair.a.context(), 100, nullptr);
        }
    });
    std::vector<std::thread> posters;
    for (int t = 0; t < threads; ++t)
        posters.emplace_back([&, t] {
            Op& send = *sends[static_cast<std::size_t>(t)];
            for (int i = 0; i < per_thread; ++i) {
                send.reset();
                if (send.send_unexpected(out, pair.to_b, 1) != NA_SUCCESS) std::abort();
                while (!send.done())
                    std::this_thread::yield();
                if (send.ret() != NA_SUCCESS) std::abort();
            }
        });
    for (std::thread& poster : posters)
        poster.join();
    server.join();
    stop.store(true);
    poller.join();
    CHECK(received.load() == threads * per_thread);
}

CINNABAR_CONFORMANCE("several threads poll and trigger one context") {
    Pair pair(transport);
    std::atomic<bool> stop{false};
    std::vector<std::thread> pollers;
    for (int t = 0; t < 2; ++t)
        pollers.emplace_back([&] {
            while (!stop.load()) {
                if (NA_Poll(pair.b.cls(), pair.b.context(), nullptr) != NA_SUCCESS) std::abort();
                (void)NA_Trigger(pair.b.context(), 1, nullptr);
            }
        });
    for (int i = 0; i < 200; ++i) {
        const Buffer out(pair.a, 100, 1), in(pair.b, 100);
        Op send(pair.a), receive(pair.b);
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
        pump(pair, [&] { return send.done() && receive.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
        REQUIRE(in.holds(1, 100));
    }
    stop.store(true);
    for (std::thread& poller : pollers)
        poller.join();
}
