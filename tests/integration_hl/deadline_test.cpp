// SPDX-License-Identifier: BSD-3-Clause
// Deadlines against peers that are stopped, dead, or never answer, and ends of engines, providers
// and calls in any order beside traffic.
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

namespace {

// Whatever ended it, it ended at its time or with the loss of the peer, and once.
void check_late(const Result<int>& result, TimePoint begin, Clock::duration limit) {
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Errc::timeout);
    CHECK(Clock::now() - begin >= limit);
}

class Echo : public Provider {
public:
    Echo() { method("echo", &Echo::echo); }
    int echo(int i) { return i; }
};

}  // namespace

CINNABAR_ROLE(deadline_server) {
    Engine server(arguments.at(0));
    Event never;
    std::vector<char> memory(1 << 20, 'm');
    const Region region = server.expose(std::span(memory), Access::read_write).value();
    server.define("echo", [](int i) { return i; }).value();
    server.define("region", [&] { return region; }).value();
    server
        .define("never",
                [&](int i) {
                    never.wait();
                    return i;
                })
        .value();
    cinnabar::test::say(server.address());
    while (cinnabar::test::hear()) {
    }
    never.set();
    return 0;
}

TEST_CASE("a call, a transfer and a wait end at their time whatever the peer does") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Process server("deadline_server", {net});
    Engine client(net);
    const Endpoint peer = client.lookup(server.listen());
    auto echo = client.procedure<int(int)>("echo");
    auto never = client.procedure<int(int)>("never");
    const Region theirs = client.procedure<Region()>("region").on(peer)();
    std::vector<char> memory(theirs.size());
    const Region mine = client.expose(std::span(memory), Access::read_write).value();
    (mine << theirs.on(peer)).value();
    CHECK(memory.back() == 'm');

    TimePoint begin = Clock::now();
    check_late(never.on(peer).within(30ms)(1), begin, 30ms);

    server.suspend();
    begin = Clock::now();
    std::vector<Call<int>> late;
    for (int i = 0; i < 20; ++i)
        late.push_back(echo.on(peer).within(40ms).async(i));
    auto patient = echo.on(peer).async(77);
    CHECK_FALSE(patient.wait_until(Clock::now() + 10ms));
    for (auto& call : late)
        check_late(call.wait(), begin, 40ms);
    // Networks that reach a stopped process's memory do; the others end with a timeout.
    begin = Clock::now();
    if (const Result<void> moved = mine << theirs.on(peer).within(40ms); !moved.ok()) {
        CHECK(moved.error().code == Errc::timeout);
        CHECK(Clock::now() - begin >= 40ms);
    }
    server.resume();
    // The late answers have come before this one, and went nowhere.
    CHECK(patient.wait().value() == 77);
    CHECK(echo.on(peer)(5).value() == 5);
    (mine << theirs.on(peer)).value();

    auto lost = never.on(peer).within(60s).async(1);
    server.kill();
    CHECK(server.wait() != 0);
    CHECK_FALSE(lost.wait().ok());
    CHECK_FALSE(echo.on(peer).within(50ms)(1).ok());
    CHECK_FALSE((mine << theirs.on(peer).within(50ms)).ok());
}

TEST_CASE("with every stream busy, another pool's calls and deadlines go on") {
    // The answer to the call that was left may find its caller gone.
    cinnabar::test::allow_log("cannot connect");
    const std::string net = chosen_net();
    Pool other({.name = "other"});
    const Stream stream({other});
    std::atomic<bool> stop{false};
    Event begun;
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    server
        .define("spin",
                [&] {
                    begun.set();
                    while (!stop)
                        std::this_thread::yield();
                })
        .value();
    server
        .define(
            "echo", [](int i) { return i; }, other)
        .value();
    auto spin = client.procedure<void()>("spin").on(peer).async();
    begun.wait();
    CHECK(client.procedure<int(int)>("echo").on(peer)(3).value() == 3);
    auto queued = client.procedure<void()>("spin").on(peer).within(20ms)();
    CHECK(queued.error().code == Errc::timeout);
    stop = true;
    spin.wait().value();
}

TEST_CASE("engines, providers and calls end in any order beside traffic") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    constexpr int rounds = 12;
    for (int round = 0; round < rounds; ++round) {
        auto server = std::make_unique<Engine>(net);
        auto client = std::make_unique<Engine>(net);
        auto provider = std::make_unique<Provided<Echo>>(server->provide<Echo>(3));
        const Endpoint peer = client->lookup(server->address());
        auto echo = client->procedure<int(int)>("echo", 3);
        std::atomic<int> wrong{0};
        std::atomic<int> made{0};
        std::atomic<bool> stop{false};
        auto traffic = [&] {
            std::vector<Call<int>> kept;
            for (int i = 0; !stop; ++i) {
                auto call = i % 3 == 0 ? echo.on(peer).within(5s).async(i) : echo.on(peer).async(i);
                if (i % 5 == 0) call.cancel();
                if (i % 2 == 0) {
                    const Result<int> result = call.wait();
                    if (result.ok() && result.value() != i) ++wrong;
                } else if (kept.size() < 100) {
                    kept.push_back(std::move(call));
                }
                ++made;
            }
        };
        std::thread first(traffic), second(traffic);
        while (made < 100)
            std::this_thread::yield();
        if (round % 3 == 0) provider.reset();
        if (round % 2 == 0) server.reset();
        if (round % 4 < 2) client->finalize(1ms).value();
        stop = true;
        first.join();
        second.join();
        client.reset();
        CHECK(wrong == 0);
    }
}
