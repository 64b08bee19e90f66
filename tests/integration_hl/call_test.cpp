// SPDX-License-Identifier: BSD-3-Clause
// The C++ API over real transports: calls, what goes wrong with them, and how an engine closes.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <thread>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/watchdog.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;

namespace {

struct Pair {
    explicit Pair(const std::string& info, EngineOptions options = {})
        : server(info, options), client(info), peer(client.lookup(server.address())) {}
    Engine server;
    Engine client;
    Endpoint peer;
};

}  // namespace

TEST_CASE("a call looks like a call") {
    Pair pair(chosen_net());
    pair.server.define("sum", [](int x, int y) { return x + y; }).value();
    auto sum = pair.client.procedure<int(int, int)>("sum");
    int r = sum.on(pair.peer)(40, 2);
    CHECK(r == 42);
    // From a unit, to oneself, asynchronously and in bulk.
    CHECK(spawn(pair.client.pool(), [&] { return sum.on(pair.peer)(1, 2).value(); })->wait() == 3);
    auto own = pair.server.procedure<int(int, int)>("sum");
    CHECK(own.on(pair.server.self())(3, 4).value() == 7);
    std::vector<Call<int>> calls;
    for (int i = 0; i < 200; ++i)
        calls.push_back(sum.on(pair.peer).async(i, 1));
    int expected = 1;
    for (const Result<int>& result : wait_all(calls))
        CHECK(result.value() == expected++);
    Eventual<int> later;
    sum.on(pair.peer).async(5, 6).then(pair.client.pool(),
                                       [&](Result<int> result) { later.set(result.value()); });
    CHECK(later.wait() == 11);
}

TEST_CASE("values of all kinds and sizes travel") {
    Pair pair(chosen_net());
    using Table = std::map<std::string, std::vector<double>>;
    pair.server.define("echo", [](const Table& table) { return table; }).value();
    pair.server.define("nothing", [] {}).value();
    auto echo = pair.client.procedure<Table(Table)>("echo");
    const Table small{{"a", {1, 2}}, {"b", {}}};
    CHECK(echo.on(pair.peer)(small).value() == small);
    const Table large{{"big", std::vector<double>(200000, 1.5)}};
    CHECK((echo.on(pair.peer)(large).value() == large));
    pair.client.procedure<void()>("nothing").on(pair.peer)().value();
}

TEST_CASE("what goes wrong is told apart") {
    cinnabar::test::expect_log("not registered");
    Pair pair(chosen_net());
    pair.server.define("fails", [](int) -> int { throw std::runtime_error("no such key"); })
        .value();
    auto fails = pair.client.procedure<int(int)>("fails").on(pair.peer)(1);
    REQUIRE_FALSE(fails.ok());
    CHECK(fails.error().code == Errc::handler_failed);
    CHECK(fails.error().remote);
    CHECK(fails.error().text == "no such key");
    CHECK_THROWS_AS(fails.value(), Failure);

    auto unknown = pair.client.procedure<int(int)>("unknown").on(pair.peer)(1);
    REQUIRE_FALSE(unknown.ok());
    CHECK(unknown.error().code == Errc::unknown_procedure);

    auto other = pair.client.procedure<int(long)>("fails").on(pair.peer)(1);
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().code == Errc::signature_mismatch);

    auto foreign = pair.client.procedure<int(int)>("fails").on(pair.server.self())(1);
    REQUIRE_FALSE(foreign.ok());
    CHECK(foreign.error().code == Errc::invalid);
}

TEST_CASE("a handler that never answers is left at the deadline, and by cancel") {
    const std::string net = chosen_net();
    Event release;
    Pair pair(net);
    pair.server
        .define("wait",
                [&] {
                    release.wait();
                    return 1;
                })
        .value();
    auto wait = pair.client.procedure<int()>("wait");
    const TimePoint start = Clock::now();
    auto late = wait.on(pair.peer).within(30ms)();
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().code == Errc::timeout);
    CHECK(Clock::now() - start >= 30ms);
    auto canceled = wait.on(pair.peer).async();
    CHECK_FALSE(canceled.ready());
    canceled.cancel();
    CHECK(canceled.ready());
    CHECK(canceled.wait().error().code == Errc::canceled);
    // To oneself as well, where the layer below cannot cancel.
    auto own = pair.server.procedure<int()>("wait");
    CHECK(own.on(pair.server.self()).within(10ms)().error().code == Errc::timeout);
    release.set();
    CHECK(wait.on(pair.peer)().value() == 1);
}

TEST_CASE("one-way calls arrive, without an answer") {
    std::atomic<int> sum{0};
    Semaphore arrived(0);
    Pair pair(chosen_net());
    pair.server
        .define("note",
                [&](int i) {
                    sum += i;
                    arrived.release();
                })
        .value();
    auto note = pair.client.procedure<void(int)>("note");
    for (int i = 1; i <= 10; ++i)
        note.on(pair.peer).one_way(i).value();
    for (int i = 1; i <= 10; ++i)
        arrived.acquire();
    CHECK(sum == 55);
}

TEST_CASE("nested calls finish on one stream, to oneself and back and forth") {
    Pair pair(chosen_net());
    auto down = pair.server.procedure<int(int)>("down");
    pair.server
        .define("down",
                [&](const Caller&, int depth) -> int {
                    if (depth == 0) return 0;
                    return 1 + down.on(pair.server.self())(depth - 1).value();
                })
        .value();
    CHECK(pair.client.procedure<int(int)>("down").on(pair.peer)(40).value() == 40);

    auto there = pair.client.procedure<int(int)>("ping");
    auto back = pair.server.procedure<int(int)>("pong");
    pair.server
        .define("ping",
                [&](const Caller& caller, int n) -> int {
                    return n == 0 ? 0 : 1 + back.on(caller.endpoint())(n - 1).value();
                })
        .value();
    pair.client
        .define("pong",
                [&](const Caller& caller, int n) -> int {
                    return n == 0 ? 0 : 1 + there.on(caller.endpoint())(n - 1).value();
                })
        .value();
    CHECK(there.on(pair.peer)(20).value() == 20);
}

TEST_CASE("ten thousand handlers parked in nested calls on two streams all finish") {
    EngineOptions options;
    options.streams = 2;
    options.pool.stack_size = 32 * 1024;
    const int count = 10000 / (cinnabar::test::slowdown() > 1 ? 20 : 1);
    std::atomic<int> inside{0};
    Semaphore gate(0);
    Pair pair(chosen_net(), options);
    pair.server
        .define("leaf",
                [&](int i) {
                    ++inside;
                    gate.acquire();
                    return i;
                })
        .value();
    auto leaf = pair.server.procedure<int(int)>("leaf");
    pair.server.define("root", [&](int i) { return leaf.on(pair.server.self())(i).value() + 1; })
        .value();
    auto root = pair.client.procedure<int(int)>("root");
    std::vector<Call<int>> calls;
    for (int i = 0; i < count; ++i)
        calls.push_back(root.on(pair.peer).async(i));
    while (inside < count)
        std::this_thread::yield();
    for (int i = 0; i < count; ++i)
        gate.release();
    int good = 0;
    for (int i = 0; i < count; ++i)
        good += calls[static_cast<std::size_t>(i)].wait().value() == i + 1 ? 1 : 0;
    CHECK(good == count);
}

TEST_CASE("cancel, deadline and completion race with one outcome each") {
    EngineOptions options;
    options.streams = 2;
    options.progress = GENERATE(Progress::own_stream, Progress::shared);
    Event release;
    Pair pair(chosen_net(), options);
    pair.server.define("echo", [](int i) { return i; }).value();
    pair.server
        .define("wait",
                [&](int i) {
                    release.wait();
                    return i;
                })
        .value();
    pair.server.define("last", [] {}).value();
    auto echo = pair.client.procedure<int(int)>("echo").on(pair.peer);
    auto wait = pair.client.procedure<int(int)>("wait").on(pair.peer);
    std::atomic<int> good{0}, late{0}, canceled{0}, wrong{0};
    const auto race = [&](int i) {
        // One of a hundred cannot be answered in time, and one cannot be answered at all.
        const auto& bound = i % 100 < 2 ? wait : echo;
        const auto patience = std::chrono::microseconds(1 + i % 300);
        auto call = i % 2 == 0 ? bound.within(patience).async(i) : bound.async(i);
        if (i % 3 == 0 || i % 100 == 1) {
            for (int spin = 0; spin < i % 7; ++spin)
                yield();
            call.cancel();
        }
        const Result<int> result = call.wait();
        if (result.ok())
            ++(result.value() == i ? good : wrong);
        else if (result.error().code == Errc::timeout)
            ++late;
        else if (result.error().code == Errc::canceled)
            ++canceled;
        else
            ++wrong;
        if (!call.ready()) ++wrong;
    };
    // A hundred thousand over the four ways of this test.
    const char* more = std::getenv("CINNABAR_TEST_RACES");
    const int rounds =
        more != nullptr ? std::atoi(more) : 25000 / (cinnabar::test::slowdown() > 1 ? 25 : 1);
    constexpr int racers = 20;
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int racer = 0; racer < racers; ++racer) {
        units.push_back(spawn(pair.client.pool(), [&race, racer, rounds] {
            for (int i = racer; i < rounds; i += racers)
                race(i);
        }));
    }
    for (auto& unit : units)
        unit->wait();
    release.set();
    // Nothing is left under way when the client ends: requests of calls that were given up have
    // been read when one that was sent later is answered, their answers have been given to the net
    // when nothing serves them any more, and have left when a later one comes.
    CHECK(echo(0).value() == 0);
    pair.server.withdraw("echo");
    pair.server.withdraw("wait");
    pair.client.procedure<void()>("last").on(pair.peer)().value();
    CHECK(wrong == 0);
    CHECK(good + late + canceled == rounds);
    CHECK(good > 0);
    CHECK(late > 0);
    CHECK(canceled > 0);
}

TEST_CASE("a blocking call of a unit allocates nothing at either side after the first ones") {
    using cinnabar::test::AllocationCounter;
    if (!AllocationCounter::available() || cinnabar::test::units_are_threads()) return;
    EngineOptions options;
    options.progress = Progress::shared;
    Pair pair(chosen_net(), options);
    std::optional<AllocationCounter> there;  // all handlers run on the one stream
    pair.server.define("sum", [](int x, int y) { return x + y; }).value();
    pair.server.define("begin", [&] { there.emplace(); }).value();
    pair.server.define("count", [&] { return there->count(); }).value();
    auto sum = pair.client.procedure<int(int, int)>("sum").on(pair.peer);
    auto begin = pair.client.procedure<void()>("begin").on(pair.peer);
    auto count = pair.client.procedure<unsigned long()>("count").on(pair.peer);
    unsigned long here = 1, over_there = 1;
    bool good = true;
    spawn(pair.client.pool(), [&] {
        for (const int calls : {500, 200}) {
            begin().value();
            const AllocationCounter counter;
            for (int i = 0; i < calls; ++i)
                good = sum(i, 1).value() == i + 1 && good;
            here = counter.count();
            over_there = count().value();
        }
    })->wait();
    CHECK(good);
    CHECK(here == 0);
    CHECK(over_there == 0);
}

TEST_CASE("regions are pulled and pushed, in whole and in part") {
    std::vector<int> served(50000);
    Pair pair(chosen_net());
    Engine& server = pair.server;
    server
        .define("fold",
                [&](const Caller& caller, const Region& theirs) -> long {
                    Region mine = server.expose(std::span(served), Access::read_write).value();
                    theirs.on(caller.endpoint()).pull_into(mine, Clock::now() + 60s).value();
                    const long sum = std::accumulate(served.begin(), served.end(), 0L);
                    for (int& value : served)
                        value *= 2;
                    auto half = theirs.on(caller.endpoint()).select(0, served.size() * 2);
                    half.push_from(mine).value();
                    auto beyond = theirs.on(caller.endpoint()).select(4, theirs.size());
                    return beyond.pull_into(mine).ok() ? -1 : sum;
                })
        .value();
    std::vector<int> data(served.size());
    std::iota(data.begin(), data.end(), 0);
    Region region = pair.client.expose(std::span(data), Access::read_write).value();
    CHECK(region.size() == data.size() * sizeof(int));
    auto fold = pair.client.procedure<long(Region)>("fold");
    const long n = static_cast<long>(data.size());
    CHECK(fold.on(pair.peer)(region).value() == n * (n - 1) / 2);
    CHECK(data[100] == 200);
    CHECK(data.back() == static_cast<int>(n - 1));
}

TEST_CASE(
    "an engine refuses while it drains, cancels at its patience, and everything outlives it") {
    const std::string net = chosen_net();
    Event begun;
    Event release;
    auto server = std::make_unique<Engine>(net);
    auto client = std::make_unique<Engine>(net);
    server
        ->define("wait",
                 [&] {
                     begun.set();
                     release.wait();
                     return 5;
                 })
        .value();
    Endpoint peer = client->lookup(server->address()).value();
    auto wait = client->procedure<int()>("wait");
    auto served = wait.on(peer).async();
    begun.wait();
    std::atomic<int> closed{0};
    std::thread closing([&] { closed += server->finalize(60s).ok() ? 1 : 0; });
    // Refused as soon as the close has begun; until then a call waits and meets its deadline.
    Errc code = Errc::timeout;
    while (code == Errc::timeout)
        code = wait.on(peer).within(20ms)().error().code;
    CHECK(code == Errc::refused);
    release.set();
    CHECK(served.wait().value() == 5);
    closing.join();
    Event forever;
    Event begun_here;
    client
        ->define("forever",
                 [&] {
                     begun_here.set();
                     forever.wait();
                 })
        .value();
    auto own = client->procedure<void()>("forever").on(client->self()).async();
    begun_here.wait();
    std::thread closing_client([&] { closed += client->finalize(10ms).ok() ? 1 : 0; });
    CHECK(own.wait().error().code == Errc::canceled);
    forever.set();
    closing_client.join();
    CHECK(closed == 2);
    CHECK(wait.on(peer)().error().code == Errc::closed);
    CHECK(peer.address().empty());
    client.reset();
    CHECK(wait.on(peer)().error().code == Errc::closed);
}
