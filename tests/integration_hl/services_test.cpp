// SPDX-License-Identifier: BSD-3-Clause
// What services are made of beside plain calls: providers, coroutines, waiting for any of several,
// calls to oneself; and engines whose handlers share the stream of the network.
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;

namespace {

struct Pair {
    explicit Pair(const std::string& info, const EngineOptions& options = {})
        : server(info, options), client(info, options), peer(client.lookup(server.address())) {}
    Engine server;
    Engine client;
    Endpoint peer;
};

class Counter : public Provider {
public:
    explicit Counter(int start, Event* hold = nullptr) : value_(start), hold_(hold) {
        method("add", &Counter::add);
        method("value", &Counter::value);
        method("asks", &Counter::asks);
    }
    ~Counter() override {
        if (inside_ != 0) ++torn;
    }
    // Destroyed while methods ran.
    static inline std::atomic<int> torn{0};

private:
    int add(int amount) {
        ++inside_;
        begun.set();
        if (hold_ != nullptr) hold_->wait();
        value_ += amount;
        --inside_;
        return value_;
    }
    int value() const { return value_; }
    bool asks(const Caller& caller) { return caller.deadline().has_value(); }

    std::atomic<int> value_;
    std::atomic<int> inside_{0};
    Event* hold_;

public:
    Event begun;
};

}  // namespace

TEST_CASE("providers of one kind are told apart by their ids, and go with the calls they serve") {
    cinnabar::test::allow_log("not registered");
    const std::string net = chosen_net();
    Pair pair(net);
    Event hold;
    auto first = pair.server.provide<Counter>(1, 10);
    auto add1 = pair.client.procedure<int(int)>("add", 1);
    auto add2 = pair.client.procedure<int(int)>("add", 2);
    {
        Pool own({.name = "own"});
        const Stream stream({own});
        auto second =
            std::make_unique<Provided<Counter>>(pair.server.provide_in<Counter>(own, 2, 20, &hold));
        CHECK(add1.on(pair.peer)(1).value() == 11);
        auto held = add2.on(pair.peer).async(1);
        (*second)->begun.wait();
        std::thread going([&] { second.reset(); });
        // Withdrawn at once, destroyed after the call.
        Errc code = Errc::timeout;
        while (code == Errc::timeout)
            code = add2.on(pair.peer).within(20ms)(1).error().code;
        CHECK(code == Errc::unknown_procedure);
        CHECK_FALSE(held.ready());
        hold.set();
        CHECK(held.wait().value() == 21);
        going.join();
        CHECK(Counter::torn == 0);
    }
    CHECK(add1.on(pair.peer)(1).value() == 12);
    CHECK(pair.client.procedure<int()>("value", 1).on(pair.peer)().value() == 12);
    auto asks = pair.client.procedure<bool()>("asks", 1);
    CHECK(asks.on(pair.peer).within(60s)().value());
    CHECK_FALSE(asks.on(pair.peer)().value());
    CHECK(pair.server.procedure<bool()>("asks", 1).on(pair.server.self()).within(60s)().value());
}

TEST_CASE("a provider may outlive its engine") {
    auto engine = std::make_unique<Engine>("na+sm");
    auto provider = engine->provide<Counter>(1, 10);
    engine.reset();
}

TEST_CASE("coroutines call, are called, and wait for events without a stack") {
    Pair pair(chosen_net());
    Event go;
    auto leaf = pair.server.procedure<int(int)>("leaf");
    pair.server.define("leaf", [](int i) { return i * 2; }).value();
    pair.server
        .define("root",
                [&](const Caller& caller, std::string text) -> Task<std::string> {
                    co_await when(go);
                    auto call = leaf.on(caller.endpoint()).async(1);
                    Result<int> other = co_await call;  // the caller has no such procedure
                    auto own = leaf.on(pair.server.self()).async(21);
                    Result<int> twice = co_await own;
                    co_return text + (other.ok() ? "?" : "!") + std::to_string(twice.value());
                })
        .value();
    pair.server
        .define("fails",
                []() -> Task<void> {
                    throw std::runtime_error("no");
                    co_return;
                })
        .value();
    cinnabar::test::allow_log("not registered");
    auto root = pair.client.procedure<std::string(std::string)>("root");
    constexpr int count = 50;
    std::vector<Call<std::string>> calls;
    for (int i = 0; i < count; ++i)
        calls.push_back(root.on(pair.peer).async("a"));
    go.set();
    for (const auto& result : wait_all(calls))
        CHECK(result.value() == "a!42");
    auto failed = pair.client.procedure<void()>("fails").on(pair.peer)();
    CHECK(failed.error().text == "no");
    const auto asking = [&](std::string text) -> Task<std::size_t> {
        auto call = root.on(pair.peer).async(text);
        Result<std::string> said = co_await call;
        co_return said.value().size();
    };
    const auto twice = [&]() -> Task<std::size_t> {
        const std::size_t one = co_await asking("x");
        const std::size_t other = co_await asking("yy");
        co_return one * 100 + other;
    };
    CHECK(run(pair.client.pool(), twice())->wait() == 405);
}

TEST_CASE("whoever waits for any of several calls wakes at the first") {
    Pair pair(chosen_net());
    Semaphore gates[3]{Semaphore(0), Semaphore(0), Semaphore(0)};
    pair.server
        .define("wait",
                [&](int i) {
                    gates[i].acquire();
                    return i;
                })
        .value();
    auto wait = pair.client.procedure<int(int)>("wait");
    const auto body = [&] {
        std::vector<Call<int>> calls;
        for (int i = 0; i < 3; ++i)
            calls.push_back(wait.on(pair.peer).async(i));
        CHECK_FALSE(wait_any(calls, Clock::now() + 10ms).has_value());
        gates[1].release();
        CHECK(wait_any(calls) == 1U);
        CHECK(wait_any(calls, 10ms) == 1U);
        // Nothing has been taken when not all have ended.
        CHECK_FALSE(wait_all(calls, Clock::now() + 10ms).has_value());
        CHECK_FALSE(wait_all(calls, 1ms).has_value());
        CHECK_FALSE(calls[0].wait_for(1ms));
        gates[0].release();
        gates[2].release();
        REQUIRE(calls[0].wait_for(1h));
        REQUIRE(calls[2].wait_for(1h));
        int sum = 0;
        const auto ended = wait_all(calls, Clock::now());
        for (const auto& result : ended.value())
            sum += result.value();
        return sum;
    };
    CHECK(body() == 3);
    CHECK(spawn(pair.client.pool(), body)->wait() == 3);
    CHECK_FALSE(wait_any(std::vector<Call<int>>()).has_value());
}

TEST_CASE("calls to oneself copy values as they are where the types are the same") {
    Engine engine(chosen_net());
    engine.define("sum", [](std::vector<int> values) { return values.size(); }).value();
    engine.define("next", [](int i) { return i + 1; }).value();
    auto sum = engine.procedure<std::size_t(std::vector<int>)>("sum");
    CHECK(sum.on(engine.self())(std::vector<int>(5)).value() == 5);
    // A list is written like a vector, but is none: this one goes over the network.
    auto listed = engine.procedure<std::size_t(std::list<int>)>("sum");
    CHECK(listed.on(engine.self())(std::list<int>(6)).value() == 6);
    auto next = engine.procedure<int(int)>("next");
    CHECK(next.on(engine.self())(1).value() == 2);
    CHECK(next.on(engine.self()).one_way(1).ok());
    auto unique = engine.procedure<int(std::unique_ptr<int>)>("unique");
    engine.define("unique", [](const std::unique_ptr<int>& p) { return *p; }).value();
    CHECK(unique.on(engine.self())(std::make_unique<int>(8)).value() == 8);
}

TEST_CASE("handlers on the stream of the network block, nest and are woken from outside") {
    EngineOptions options;
    options.progress = Progress::shared;
    options.busy = GENERATE(false, true);
    options.streams = GENERATE(1U, 2U);
    Pair pair(chosen_net(), options);
    Event release;
    Event begun;
    auto leaf = pair.server.procedure<int(int)>("leaf");
    pair.server.define("leaf", [](int i) { return i + 1; }).value();
    pair.server
        .define("root",
                [&](const Caller&, int i) {
                    begun.set();
                    release.wait();
                    return leaf.on(pair.server.self())(i).value();
                })
        .value();
    auto root = pair.client.procedure<int(int)>("root");
    std::vector<Call<int>> calls;
    for (int i = 0; i < 20; ++i)
        calls.push_back(root.on(pair.peer).async(i));
    begun.wait();
    release.set();
    int expected = 0;
    for (const auto& result : wait_all(calls))
        CHECK(result.value() == ++expected);
    CHECK(spawn(pair.client.pool(), [&] { return root.on(pair.peer)(1).value(); })->wait() == 2);
}

namespace {

std::set<std::string> threads() {
    std::set<std::string> names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
        names.insert(task.path().filename());
    return names;
}

// How often the threads of this process have been put on a processor, but for those of the test and
// of sanitizers.
long switches(const std::set<std::string>& others) {
    long sum = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        if (others.contains(task.path().filename())) continue;
        std::ifstream status(task.path() / "status");
        for (std::string line; std::getline(status, line);)
            if (line.find("ctxt_switches:") != std::string::npos)
                sum += std::stol(line.substr(line.find(':') + 1));
    }
    return sum;
}

}  // namespace

TEST_CASE("idle engines do not wake up") {
    EngineOptions options;
    options.progress = GENERATE(Progress::own_stream, Progress::shared);
    options.streams = 2;
    const std::set<std::string> others = threads();
    Pair pair(chosen_net(), options);
    pair.server.define("echo", [](int i) { return i; }).value();
    CHECK(pair.client.procedure<int(int)>("echo").on(pair.peer)(1).value() == 1);
    REQUIRE(threads().size() > others.size());
    // Something else may run once; what wakes up by itself does so in every interval.
    int quiet = 0;
    for (int i = 0; i < 100 && quiet == 0; ++i) {
        const long before = switches(others);
        std::this_thread::sleep_for(150ms);
        if (switches(others) == before) ++quiet;
    }
    CHECK(quiet == 1);
}

TEST_CASE("regions of many pieces, of the library, moved in pieces and by operators") {
    Pair pair(chosen_net());
    Engine& server = pair.server;
    std::atomic<int> wrong{0};
    BufferPool buffers(server, {{1000, 2}, {100000, 1}}, Access::read_write);
    server
        .define("reverse",
                [&](const Caller& caller, const Region& theirs) {
                    const Buffer buffer = buffers.acquire(theirs.size()).value();
                    const RemoteRegion remote = theirs.on(caller.endpoint()).within(60s);
                    std::size_t next = 0;
                    remote
                        .pull_pieces(buffer.region(), {777, 3},
                                     [&](std::size_t offset, std::size_t size) {
                                         if (offset != next) ++wrong;
                                         next = offset + size;
                                     })
                        .value();
                    if (next != theirs.size()) ++wrong;
                    const auto bytes = buffer.memory().first(theirs.size());
                    std::reverse(bytes.begin(), bytes.end());
                    remote.push_pieces(buffer.region(), {1000, 2}).value();
                    // Its first byte once more, to the last place.
                    (buffer.region().select(0, 1) >> remote.select(theirs.size() - 1, 1)).value();
                    return (buffer.region().select(5, 1) << remote).ok();
                })
        .value();
    std::vector<char> first(3000, 'a'), second(2000, 'b');
    const Region region =
        pair.client
            .expose({{first.data(), first.size()}, {second.data(), second.size()}},
                    Access::read_write)
            .value();
    auto reverse = pair.client.procedure<bool(Region)>("reverse");
    CHECK_FALSE(reverse.on(pair.peer)(region).value());
    CHECK(wrong == 0);
    CHECK(first[1999] == 'b');
    CHECK(first[2000] == 'a');
    CHECK(second[1998] == 'a');
    CHECK(second[1999] == 'b');
    CHECK(buffers.acquire(200000).error().code == Errc::invalid);
    auto one = buffers.acquire(100000);
    CHECK(one.ok());
    CHECK(buffers.acquire(50000, Clock::now() + 1ms).error().code == Errc::timeout);
}

TEST_CASE("handlers have the priority that their procedure was defined with") {
    Pair pair(chosen_net());
    const auto own = [] { return static_cast<int>(Pool::here().priority()); };
    pair.server.define("quick", own, pair.server.pool().with(Priority::high)).value();
    pair.server.define("usual", own).value();
    const auto remote = [&](const char* name) {
        return static_cast<Priority>(pair.client.procedure<int()>(name).on(pair.peer)().value());
    };
    const auto local = [&](const char* name) {
        const auto own_procedure = pair.server.procedure<int()>(name);
        return static_cast<Priority>(own_procedure.on(pair.server.self())().value());
    };
    CHECK(remote("quick") == Priority::high);
    CHECK(local("quick") == Priority::high);
    CHECK(remote("usual") == Priority::normal);
    CHECK(local("usual") == Priority::normal);
}
