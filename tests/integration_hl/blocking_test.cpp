// SPDX-License-Identifier: BSD-3-Clause
// Units that make calls and wait, where the stream that makes progress runs them too: what that
// stream does without locked instructions goes on beside whoever defines, withdraws, looks, calls
// from outside, and closes.
#include <atomic>
#include <catch2/catch.hpp>
#include <numeric>
#include <thread>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/watchdog.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;

namespace {

struct Pair {
    Pair(const std::string& info, const EngineOptions& options)
        : server(info, options), client(info, options), peer(client.lookup(server.address())) {}
    Engine server;
    Engine client;
    Endpoint peer;
};

EngineOptions options_of(Progress progress, unsigned streams, bool busy) {
    EngineOptions options;
    options.progress = progress;
    options.streams = streams;
    options.busy = busy;
    return options;
}

const int rounds = 500 / (cinnabar::test::slowdown() > 1 ? 5 : 1);

}  // namespace

TEST_CASE("units call and wait beside those who define, withdraw, look and call from outside") {
    const auto progress = GENERATE(Progress::shared, Progress::own_stream);
    const auto streams = GENERATE(1U, 2U);
    Pair pair(chosen_net(), options_of(progress, streams, false));
    pair.server.define("stays", [](int i) { return i + 1; }).value();
    const auto stays = pair.client.procedure<int(int)>("stays").on(pair.peer);
    const auto comes = pair.client.procedure<int(int)>("comes").on(pair.peer);
    // Known from the beginning: of one that never was the library below tells in its log.
    pair.server.define("comes", [](int i) { return i; }).value();
    std::atomic<int> wrong{0}, came{0};
    std::atomic<bool> stop{false};
    // Definitions that end with the calls under way, which are told of nothing.
    std::thread defining([&] {
        for (int version = 0; !stop; ++version) {
            auto used = std::make_shared<std::atomic<bool>>(true);
            pair.server
                .define("comes",
                        [used, version](int i) {
                            if (i % 16 == 0) yield();
                            return *used ? i : -version;
                        })
                .value();
            std::this_thread::sleep_for(200us);
            if (version % 2 == 0) continue;
            pair.server.withdraw("comes");
            *used = false;
        }
    });
    std::thread outside([&] {
        while (!stop) {
            if (stays(1).value() != 2) ++wrong;
            (void)pair.server.dump();
            (void)pair.client.dump();
        }
    });
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int unit = 0; unit < 8; ++unit)
        units.push_back(spawn(pair.client.pool(), [&] {
            for (int i = 0; i < rounds; ++i) {
                if (stays(i).value() != i + 1) ++wrong;
                const Result<int> said = comes(i);
                if (said.ok())
                    ++(said.value() == i ? came : wrong);
                else if (said.error().code != Errc::unknown_procedure)
                    ++wrong;
            }
        }));
    for (const auto& unit : units)
        unit->wait();
    stop = true;
    defining.join();
    outside.join();
    CHECK(wrong == 0);
    CHECK(came > 0);
}

TEST_CASE("units that wait for answers which never come are let go by the close") {
    cinnabar::test::allow_log("");
    const auto progress = GENERATE(Progress::shared, Progress::own_stream);
    Pair pair(chosen_net(), options_of(progress, GENERATE(1U, 2U), GENERATE(false, true)));
    constexpr int waiting = 20;
    Event never;
    std::atomic<int> begun{0}, canceled{0};
    pair.server
        .define("never",
                [&] {
                    ++begun;
                    never.wait();
                })
        .value();
    const auto call = pair.client.procedure<void()>("never").on(pair.peer);
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < waiting; ++i)
        units.push_back(spawn(pair.client.pool(), [&] {
            const Result<void> said = call();
            if (!said.ok() && said.error().code == Errc::canceled) ++canceled;
        }));
    while (begun != waiting)
        std::this_thread::sleep_for(1ms);
    pair.client.finalize(10ms).value();
    for (const auto& unit : units)
        unit->wait();
    CHECK(canceled == waiting);
    // And whoever comes late finds it closed.
    CHECK(call().error().code == Errc::closed);
    never.set();
}

TEST_CASE("handles that are used again mix no procedures, peers, sizes and errors") {
    const auto progress = GENERATE(Progress::shared, Progress::own_stream);
    const std::string net = chosen_net();
    Pair pair(net, options_of(progress, 1, true));
    Engine other(net, options_of(progress, 1, true));
    // More than are kept.
    constexpr int procedures = 40;
    for (int number = 0; number < procedures; ++number) {
        const std::string name = "add" + std::to_string(number);
        pair.server.define(name, [number](int i) { return i + number; }).value();
        other.define(name, [number](int i) { return i - number; }).value();
    }
    using Numbers = std::vector<int>;
    pair.server
        .define("sum",
                [](const Numbers& numbers) {
                    if (numbers.empty()) throw std::runtime_error("nothing to add");
                    return std::accumulate(numbers.begin(), numbers.end(), 0);
                })
        .value();
    int wrong = 0;
    spawn(pair.client.pool(), [&] {
        const auto sum = pair.client.procedure<int(Numbers)>("sum").on(pair.peer);
        for (int round = 0; round < 3; ++round) {
            // Each round by another address object of the same peers.
            for (const std::string& address : {pair.server.address(), other.address()}) {
                const Endpoint peer = pair.client.lookup(address).value();
                const int sign = address == other.address() ? -1 : 1;
                for (int number = 0; number < procedures; ++number) {
                    const auto add =
                        pair.client.procedure<int(int)>("add" + std::to_string(number)).on(peer);
                    for (int i = 0; i < 3; ++i)
                        if (add(i).value() != i + sign * number) ++wrong;
                }
            }
            for (const std::size_t size : {1, 100000, 3, 0, 2}) {
                const Result<int> said = sum(Numbers(size, 2));
                if (size == 0 && said.error().text != "nothing to add") ++wrong;
                if (size != 0 && said.value() != static_cast<int>(2 * size)) ++wrong;
            }
        }
    })->wait();
    CHECK(wrong == 0);
}
