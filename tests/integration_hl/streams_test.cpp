// SPDX-License-Identifier: BSD-3-Clause
// Pools and streams that come to an engine, and go again, while it serves.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using cinnabar::test::chosen_net;

TEST_CASE("a stream that is added serves while the engine's own compute, and can go again") {
    const std::string net = chosen_net();
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    std::atomic<bool> stop{false};
    Event begun;
    Event go_on;
    server
        .define("spin",
                [&] {
                    begun.set();
                    while (!stop)
                        std::this_thread::yield();
                })
        .value();
    server
        .define("wait",
                [&](int i) {
                    go_on.wait();
                    return i;
                })
        .value();
    server.define("echo", [](int i) { return i; }).value();
    auto spin = client.procedure<void()>("spin").on(peer).async();
    begun.wait();
    auto echo = client.procedure<int(int)>("echo").on(peer);
    auto parked = client.procedure<int(int)>("wait").on(peer).async(7);
    {
        const Stream more({server.pool()}, "more");
        for (int i = 0; i < 50; ++i)
            CHECK(echo(i).value() == i);
    }
    // What the stream has begun stays in the pool, and is ended by the next one.
    go_on.set();
    {
        const Stream again({server.pool()}, "again");
        CHECK(parked.wait().value() == 7);
    }
    stop = true;
    spin.wait().value();
    CHECK(echo(1).value() == 1);
}

TEST_CASE("a pool that is added serves procedures until it is taken away") {
    cinnabar::test::allow_log("not registered");
    Engine engine(chosen_net());
    auto where = engine.procedure<std::string()>("where").on(engine.self());
    for (int round = 0; round < 20; ++round) {
        const Pool pool({.name = "guest " + std::to_string(round)});
        const Stream stream({pool});
        engine
            .define(
                "where", [] { return Pool::here().name(); }, pool)
            .value();
        auto early = where.async();
        CHECK(where().value() == pool.name());
        engine.withdraw("where");
        CHECK(early.wait().value() == pool.name());
        CHECK(where().error().code == Errc::unknown_procedure);
    }
}
