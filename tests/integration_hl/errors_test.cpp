// SPDX-License-Identifier: BSD-3-Clause
// Everything that can go wrong with a call, told apart by its kind, by who says so, and by the text
// of the peer; and deadlines of everything that waits.
#include <atomic>
#include <catch2/catch.hpp>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/process.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;
using cinnabar::test::Process;

namespace {

// Counts as a byte with an archive function, like Flag.
struct Byte {
    std::uint8_t byte = 2;
    template <class A>
    friend void archive(A& a, Byte& value) {
        a(value.byte);
    }
};
struct Flag {
    bool flag = false;
    template <class A>
    friend void archive(A& a, Flag& value) {
        a(value.flag);
    }
};

}  // namespace

CINNABAR_ROLE(errors_server) {
    Engine server(arguments.at(0));
    Event never;
    std::vector<char> memory(1 << 16);
    const Region region = server.expose(std::span(memory), Access::read_write).value();
    server.define("region", [&] { return region; }).value();
    server.define("throws", []() -> int { throw std::runtime_error("no such key: k\xc3\xa4se"); })
        .value();
    server.define("throws_odd", []() -> int { throw 5; }).value();
    server.define("takes_int", [](int i) { return i; }).value();
    server.define("takes_flag", [](const Flag&) { return 1; }).value();
    server.define("gives_byte", [] { return Byte(); }).value();
    server
        .define("never",
                [&] {
                    never.wait();
                    return 1;
                })
        .value();
    cinnabar::test::say(server.address());
    while (cinnabar::test::hear()) {
    }
    never.set();
    return 0;
}

namespace {

struct Row {
    const char* what;
    std::function<Error()> outcome;
    Errc code;
    bool remote;
    const char* text;  // part of the error's
};

template <class R>
Error error_in(const Result<R>& result) {
    REQUIRE_FALSE(result.ok());
    return result.error();
}

void check(const std::vector<Row>& table) {
    for (const Row& row : table) {
        const Error error = row.outcome();
        CAPTURE(row.what, error.message());
        CHECK(error.code == row.code);
        CHECK(error.remote == row.remote);
        CHECK(error.text.find(row.text) != std::string::npos);
        CHECK(error.message().find(to_string(row.code)) == 0);
    }
}

}  // namespace

TEST_CASE("each error of a call is told from the others, with the text of the peer") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Process server("errors_server", {net});
    Engine client(net);
    const Endpoint peer = client.lookup(server.listen());
    const auto ask = [&](const char* name) {
        return [&, name] { return error_in(client.procedure<int()>(name).on(peer)()); };
    };
    const auto never = client.procedure<int()>("never").on(peer);
    check({
        {"a handler throws", ask("throws"), Errc::handler_failed, true, "no such key: k\xc3\xa4se"},
        {"it throws what is no exception", ask("throws_odd"), Errc::handler_failed, true,
         "unknown type"},
        {"no such procedure", ask("none"), Errc::unknown_procedure, true, "none"},
        {"no such provider",
         [&] { return error_in(client.procedure<int()>("throws", 9).on(peer)()); },
         Errc::unknown_procedure, true, "throws@9"},
        {"other types",
         [&] { return error_in(client.procedure<int(std::string)>("takes_int").on(peer)("x")); },
         Errc::signature_mismatch, true, "types"},
        {"another result",
         [&] { return error_in(client.procedure<long(int)>("takes_int").on(peer)(1)); },
         Errc::signature_mismatch, true, "types"},
        {"arguments that do not decode",
         [&] { return error_in(client.procedure<int(Byte)>("takes_flag").on(peer)(Byte())); },
         Errc::bad_arguments, true, "arguments"},
        {"a result that does not decode",
         [&] { return error_in(client.procedure<Flag()>("gives_byte").on(peer)()); },
         Errc::bad_result, false, "result"},
        {"a deadline", [&] { return error_in(never.within(20ms)()); }, Errc::timeout, false,
         "deadline"},
        {"a deadline that has passed", [&] { return error_in(never.before(Clock::now() - 1s)()); },
         Errc::timeout, false, "already"},
        {"a cancel",
         [&] {
             auto call = never.async();
             call.cancel();
             return error_in(call.wait());
         },
         Errc::canceled, false, "canceled"},
        {"a peer of nobody", [&] { return error_in(client.procedure<int()>("x").on({})()); },
         Errc::invalid, false, "looked up"},
        {"an address that is none", [&] { return error_in(client.lookup("what is this")); },
         Errc::invalid, false, "what is this"},
    });
    auto lost = never.async();
    server.kill();
    CHECK(server.wait() != 0);
    check({
        {"a peer that dies", [&] { return error_in(lost.wait()); }, Errc::peer_lost, false,
         "never"},
        {"a peer that is dead", [&] { return error_in(never.within(60s)()); }, Errc::peer_lost,
         false, "never"},
    });
    client.finalize(1s).value();
    check({
        {"a closed engine", [&] { return error_in(never()); }, Errc::closed, false, "closed"},
        {"its look-ups", [&] { return error_in(client.lookup("x")); }, Errc::closed, false,
         "closed"},
    });
}

TEST_CASE("everything that waits ends at its deadline, for units and threads") {
    cinnabar::test::allow_log("");
    const std::string net = chosen_net();
    Process server("errors_server", {net});
    Engine client(net);
    const Endpoint peer = client.lookup(server.listen());
    const Region theirs = client.procedure<Region()>("region").on(peer)();
    std::vector<char> memory(theirs.size());
    const Region mine = client.expose(std::span(memory), Access::read_write).value();
    BufferPool buffers(client, {{1000, 1}}, Access::read_write);
    const Buffer taken = buffers.acquire(1000).value();
    const auto never = client.procedure<int()>("never").on(peer);
    server.suspend();
    const auto body = [&] {
        int late = 0;
        const auto waits = [&](auto ends_in_time) {
            const TimePoint deadline = Clock::now() + 10ms;
            if (ends_in_time(deadline) && Clock::now() >= deadline) ++late;
        };
        std::vector<Call<int>> calls;
        for (int i = 0; i < 3; ++i)
            calls.push_back(never.async());
        Event event;
        Eventual<int> eventual;
        Semaphore semaphore(0);
        Mutex mutex;
        Condition condition;
        waits([&](TimePoint at) { return never.before(at)().error().code == Errc::timeout; });
        waits([&](TimePoint at) { return !calls[0].wait_until(at); });
        waits([&](TimePoint at) { return !wait_any(calls, at).has_value(); });
        waits([&](TimePoint at) { return !event.wait_until(at); });
        waits([&](TimePoint at) { return eventual.wait_until(at) == nullptr; });
        waits([&](TimePoint at) { return !semaphore.try_acquire_until(at); });
        waits([&](TimePoint at) {
            std::unique_lock lock(mutex);
            return !condition.wait_until(lock, at);
        });
        waits([&](TimePoint at) { return buffers.acquire(10, at).error().code == Errc::timeout; });
        for (auto& call : calls)
            call.cancel();
        return late;
    };
    CHECK(body() == 8);
    CHECK(spawn(client.pool(), body)->wait() == 8);
    // In pieces too; a network that reaches a stopped process moves them all.
    const Result<void> moved =
        theirs.on(peer).pull_pieces(mine, {1000, 3}, {}, Clock::now() + 10ms);
    CHECK((moved.ok() || moved.error().code == Errc::timeout));
    // The peer comes back: late answers go nowhere, and nothing writes to the memory any more.
    std::fill(memory.begin(), memory.end(), 'x');
    server.resume();
    CHECK(client.procedure<Region()>("region").on(peer)().ok());
    CHECK(std::count(memory.begin(), memory.end(), 'x') == std::ssize(memory));
    server.finish();
    CHECK(server.wait() == 0);
}
