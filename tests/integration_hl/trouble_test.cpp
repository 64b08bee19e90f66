// SPDX-License-Identifier: BSD-3-Clause
// The C++ API when peers are gone or say what makes no sense, and when deadlines meet transfers.
#include <atomic>
#include <catch2/catch.hpp>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;

namespace lies {

// Both count as a type of a byte with an archive function, so their signatures are alike.
class Says {
public:
    template <class A>
    friend void archive(A& a, Says& value) {
        a(value.byte_);
    }

private:
    std::uint8_t byte_ = 2;
};

class Expects {
public:
    template <class A>
    friend void archive(A& a, Expects& value) {
        a(value.flag_);
    }

private:
    bool flag_ = false;
};

}  // namespace lies

TEST_CASE("arguments and results that do not decode are errors at the caller") {
    const std::string net = chosen_net();
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    std::atomic<int> served{0};
    server.define("takes", [&](const lies::Expects&) { ++served; }).value();
    server.define("gives", [] { return lies::Says(); }).value();
    auto takes = client.procedure<void(lies::Says)>("takes").on(peer)(lies::Says());
    REQUIRE_FALSE(takes.ok());
    CHECK(takes.error().code == Errc::bad_arguments);
    CHECK(takes.error().remote);
    CHECK(served == 0);
    auto gives = client.procedure<lies::Expects()>("gives").on(peer)();
    REQUIRE_FALSE(gives.ok());
    CHECK(gives.error().code == Errc::bad_result);
    CHECK_FALSE(gives.error().remote);
}

TEST_CASE("a peer that is gone is lost, and no timeout") {
    const std::string net = chosen_net();
    cinnabar::test::allow_log("");
    auto server = std::make_unique<Engine>(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server->address());
    server->define("one", [] { return 1; }).value();
    auto one = client.procedure<int()>("one");
    CHECK(one.on(peer)().value() == 1);
    server.reset();
    auto lost = one.on(peer).within(50s)();
    REQUIRE_FALSE(lost.ok());
    CHECK(lost.error().code == Errc::peer_lost);
}

TEST_CASE("an address that makes no sense, and a net that does not exist, are errors") {
    cinnabar::test::allow_log("");
    Engine client(chosen_net());
    CHECK_FALSE(client.lookup("nonsense").ok());
    CHECK_FALSE(Engine::open("no+such+net").ok());
    CHECK_THROWS_AS(Engine("no+such+net"), Failure);
    CHECK(client.procedure<int()>("x").on(Endpoint())().error().code == Errc::invalid);
}

TEST_CASE("deadlines and transfers race with one outcome each") {
    const std::string net = chosen_net();
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    cinnabar::test::allow_log("cancel");
    server
        .define("pull",
                [&](const Caller& caller, const Region& theirs, int rounds) {
                    std::vector<char> memory(theirs.size());
                    const Region mine = server.expose(std::span(memory), Access::write).value();
                    int ended = 0;
                    for (int i = 0; i < rounds; ++i) {
                        const auto deadline = Clock::now() + std::chrono::microseconds(i % 400);
                        auto result = theirs.on(caller.endpoint()).pull_into(mine, deadline);
                        const bool good =
                            result.ok() && memory.front() == 'x' && memory.back() == 'x';
                        const bool late = !result.ok() && result.error().code == Errc::timeout;
                        ended += good || late ? 1 : 0;
                    }
                    return ended;
                })
        .value();
    std::vector<char> data(200000, 'x');
    const Region region = client.expose(std::span(data), Access::read).value();
    CHECK(client.procedure<int(Region, int)>("pull").on(peer)(region, 500).value() == 500);
}

TEST_CASE("a region that nobody may read is not read, a null one is not sent") {
    const std::string net = chosen_net();
    cinnabar::test::allow_log("");
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    server
        .define("pull",
                [&](const Caller& caller, const Region& theirs) {
                    std::vector<char> memory(theirs.size());
                    const Region mine = server.expose(std::span(memory), Access::write).value();
                    return theirs.on(caller.endpoint()).pull_into(mine).ok();
                })
        .value();
    std::vector<char> data(100);
    auto pull = client.procedure<bool(Region)>("pull");
    const Region closed = client.expose(std::span(data), Access::write).value();
    CHECK_FALSE(pull.on(peer)(closed).value());
    CHECK_FALSE(pull.on(peer)(Region()).ok());
}
