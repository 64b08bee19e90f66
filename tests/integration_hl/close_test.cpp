// SPDX-License-Identifier: BSD-3-Clause
// The phases in which an engine closes: it refuses what is new, waits for what is under way until
// its patience ends, takes back the rest, and is closed. Also where a peer has been stopped in the
// middle of a transfer or does not fetch its answers.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/process.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;
using cinnabar::test::Process;

TEST_CASE("while an engine drains, what is new is refused and what is under way ends well") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    Event hold, begun;
    server.define("leaf", [](int i) { return i + 1; }).value();
    client.define("back", [](int i) { return i * 2; }).value();
    auto back = server.procedure<int(int)>("back");
    server
        .define("held",
                [&](const Caller& caller, int i) {
                    begun.set();
                    hold.wait();
                    // While it drains a handler may still call.
                    return back.on(caller.endpoint())(i).value();
                })
        .value();
    auto held = client.procedure<int(int)>("held").on(peer).async(21);
    begun.wait();
    std::atomic<bool> closed{false};
    std::thread closing([&] {
        server.finalize(60s).value();
        closed = true;
    });
    auto leaf = client.procedure<int(int)>("leaf").on(peer);
    Result<int> said = leaf(1);
    while (said.ok())
        said = leaf(1);
    CHECK(said.error().code == Errc::refused);
    CHECK(said.error().remote);
    CHECK_FALSE(closed);
    CHECK_FALSE(held.ready());
    hold.set();
    CHECK(held.wait().value() == 42);
    closing.join();
    // Everything of it says so now; twice is once.
    server.finalize(0s).value();
    CHECK(back.on(server.self())(1).error().code != Errc::timeout);
    CHECK(server.lookup(client.address()).error().code == Errc::closed);
    CHECK(server.define("late", [] {}).error().code == Errc::closed);
    CHECK(server.allocate(10, Access::read).error().code == Errc::closed);
    CHECK(server.address().empty());
}

TEST_CASE("calls that outlast the patience are canceled, their handlers' included") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    Event never, begun;
    server
        .define("never",
                [&] {
                    begun.set();
                    never.wait();
                })
        .value();
    auto call = client.procedure<void()>("never").on(peer).async();
    begun.wait();
    const TimePoint start = Clock::now();
    client.finalize(20ms).value();
    CHECK(Clock::now() - start >= 20ms);
    const Result<void> ended = call.wait();
    CHECK(ended.error().code == Errc::canceled);
    CHECK(ended.error().text == "the engine is closing");
    CHECK(client.procedure<void()>("never").on(peer)().error().code == Errc::closed);
    never.set();
}

TEST_CASE("a handler that waits in a call of its own is let go when the patience ends") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Engine far(net);
    Engine server(net);
    Engine client(net);
    Event never, begun;
    far.define("never",
               [&] {
                   begun.set();
                   never.wait();
               })
        .value();
    const Endpoint far_peer = server.lookup(far.address());
    auto on = server.procedure<void()>("never").on(far_peer);
    std::atomic<Errc> seen{Errc::other};
    server.define("passes", [&] { seen = on().error().code; }).value();
    auto call = client.procedure<void()>("passes").on(client.lookup(server.address())).async();
    begun.wait();
    server.finalize(10ms).value();
    CHECK(seen == Errc::canceled);
    never.set();
    (void)call.wait();
}

TEST_CASE("traffic of every kind meets the close in each of its phases") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    const auto patience = GENERATE(0ms, 1ms, 5000ms);
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    std::vector<char> memory(100000, 'm');
    const Region region = client.expose(std::span(memory), Access::read_write).value();
    server
        .define("fold",
                [&](const Caller& caller, const Region& theirs) {
                    std::vector<char> own(theirs.size());
                    const Region mine = server.expose(std::span(own), Access::read_write).value();
                    (mine << theirs.on(caller.endpoint())).value();
                    return std::string(20000, own.back());
                })
        .value();
    auto fold = client.procedure<std::string(Region)>("fold").on(peer);
    std::atomic<int> made{0}, wrong{0};
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            while (!stop) {
                std::vector<Call<std::string>> calls;
                for (int j = 0; j < 5; ++j)
                    calls.push_back(fold.async(region));
                for (const auto& result : wait_all(calls)) {
                    if (result.ok() && result.value() != std::string(20000, 'm')) ++wrong;
                    ++made;
                }
            }
        });
    while (made < 50)
        std::this_thread::yield();
    server.finalize(patience).value();
    stop = true;
    for (std::thread& thread : threads)
        thread.join();
    CHECK(wrong == 0);
}

CINNABAR_ROLE(close_caller) {
    const std::string& address = arguments.at(1);
    Engine engine(arguments.at(0));
    const Endpoint server = engine.lookup(address);
    std::vector<char> memory(16 << 20);
    const Region region = engine.expose(std::span(memory), Access::read_write).value();
    auto pull = engine.procedure<void(Region)>("pull").on(server);
    auto large = engine.procedure<std::vector<char>()>("large").on(server);
    std::vector<Call<void>> pulls;
    std::vector<Call<std::vector<char>>> answers;
    while (auto line = cinnabar::test::hear()) {
        if (*line == "pull") pulls.push_back(pull.async(region));
        if (*line == "large") answers.push_back(large.async());
        if (*line == "timed") answers.push_back(large.within(200ms).async());
        cinnabar::test::say("asked");
    }
    return 0;
}

TEST_CASE(
    "a close does not wait for a caller that was stopped in a transfer or before its answer") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Engine server(net);
    Process caller("close_caller", {net, server.address()});
    Event go;
    std::atomic<int> begun{0}, ended{0};
    server
        .define("pull",
                [&](const Caller& from, const Region& theirs) {
                    std::vector<char> own(theirs.size());
                    const Region mine = server.expose(std::span(own), Access::read_write).value();
                    ++begun;
                    go.wait();
                    (void)(mine << theirs.on(from.endpoint()));
                    ++ended;
                })
        .value();
    server
        .define("large",
                [&] {
                    ++begun;
                    go.wait();
                    ++ended;
                    return std::vector<char>(3 << 20);
                })
        .value();
    for (int i = 0; i < 20; ++i) {
        caller.tell(i % 2 == 0 ? "pull" : "large");
        caller.listen();
    }
    while (begun < 20)
        std::this_thread::yield();
    caller.suspend();
    go.set();
    server.finalize(50ms).value();
    CHECK(ended == 20);
    caller.kill();
}

TEST_CASE("an answer that is not fetched is dropped after its caller's deadline") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Engine server(net);
    Process caller("close_caller", {net, server.address()});
    Event go;
    std::atomic<int> begun{0};
    server
        .define("large",
                [&] {
                    ++begun;
                    go.wait();
                    return std::vector<char>(3 << 20);
                })
        .value();
    constexpr int count = 10;
    // One whose deadline passes before it has left never begins.
    while (begun < count) {
        caller.tell("timed");
        caller.listen();
    }
    caller.suspend();
    go.set();
    // Waits for all answers, which nobody else ends.
    server.finalize(1h).value();
    caller.kill();
}
