// SPDX-License-Identifier: BSD-3-Clause
// Processes that die, stop and come back: every call and transfer with them ends once, with an
// error or its result, and nobody else is disturbed.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "tests/integration/peer.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/watchdog.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
using cinnabar::test::Process;

namespace {

using Clock = std::chrono::steady_clock;

// A transfer of a peer's exposed memory into local memory.
struct Transfer {
    Transfer(Side& owner, const Address& to, hg_bulk_t remote, std::size_t size)
        : side(owner), memory(size) {
        void* base = memory.data();
        const hg_size_t length = size;
        REQUIRE(HG_Bulk_create(side.cls(), 1, &base, &length, HG_BULK_READWRITE, &local) ==
                HG_SUCCESS);
        REQUIRE(HG_Bulk_transfer(
                    side.context(),
                    [](const hg_cb_info* info) {
                        auto& transfer = *static_cast<Transfer*>(info->arg);
                        ++transfer.callbacks;
                        transfer.ret = info->ret;
                        return HG_SUCCESS;
                    },
                    this, HG_BULK_PULL, to.get(), remote, 0, local, 0, size, &id) == HG_SUCCESS);
    }
    Transfer(const Transfer&) = delete;
    ~Transfer() { (void)HG_Bulk_free(local); }
    bool done() const { return callbacks > 0; }

    Side& side;
    std::vector<unsigned char> memory;
    hg_bulk_t local = HG_BULK_NULL;
    hg_op_id_t id = HG_OP_ID_NULL;
    int callbacks = 0;
    hg_return_t ret = HG_RETURN_MAX;
};

template <class Items>
bool all_done(const Items& items) {
    return std::all_of(items.begin(), items.end(), [](auto& item) { return item->done(); });
}

// How long what was under way took to end, for whoever reads the log of a run; the watchdog is what
// fails. The bounds are those asked of the transports.
class Ends {
public:
    void look(bool calls, bool transfers) {
        if (calls && calls_ms_ < 0) calls_ms_ = elapsed_ms();
        if (transfers && transfers_ms_ < 0) transfers_ms_ = elapsed_ms();
    }
    void report(const Setup& setup, const char* whose) const {
        const std::string_view info(setup.info);
        const bool slow = info.starts_with("ofi+") || info.starts_with("ucx+tcp");
        fmt::print(stderr,
                   "{}: {} was killed: the last call ended after {} ms, the last transfer after "
                   "{} ms (bound {} s)\n",
                   setup.name, whose, calls_ms_, transfers_ms_, slow ? 5 : 1);
    }

private:
    std::int64_t elapsed_ms() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - killed_)
            .count();
    }
    const Clock::time_point killed_ = Clock::now();
    std::int64_t calls_ms_ = -1;
    std::int64_t transfers_ms_ = -1;
};

}  // namespace

CINNABAR_INTEGRATION("a killed server ends every call and transfer once", peer_setups) {
    allow_log("");
    for (const bool suspended : {false, true}) {
        Peer dying(setup), living(setup);
        Side side(setup);
        const Offers offers(side);
        const Address to = side.lookup(dying.address()), to_living = side.lookup(living.address());
        REQUIRE(echo(side, to, offers, 10) == HG_SUCCESS);
        hg_bulk_t remote = exposed(side, to, offers);
        std::vector<std::unique_ptr<Call>> calls;
        std::vector<std::unique_ptr<Transfer>> transfers;
        if (suspended) dying.process().suspend();
        for (int i = 0; i < 40; ++i) {
            calls.push_back(std::make_unique<Call>(side, to, offers.keep));
            Blob in(i % 2 == 0 ? 10 : 100000, 1);
            REQUIRE(calls.back()->forward(&in) == HG_SUCCESS);
        }
        for (int i = 0; i < 4; ++i)
            transfers.push_back(std::make_unique<Transfer>(side, to, remote, exposed_size / 4));
        for (int i = 0; i < 20; ++i)
            side.step();
        cinnabar::test::arm_watchdog(10, "the end of what a dead server leaves");
        Ends ends;
        dying.process().kill();
        while (!all_done(calls) || !all_done(transfers)) {
            REQUIRE(echo(side, to_living, offers, 100) == HG_SUCCESS);
            ends.look(all_done(calls), all_done(transfers));
        }
        ends.look(true, true);
        ends.report(setup, suspended ? "a stopped server" : "a server");
        cinnabar::test::arm_watchdog(60, "after the death");
        for (int i = 0; i < 20; ++i)
            side.step();
        for (const auto& call : calls) {
            CHECK(call->callbacks() == 1);
            CHECK(call->ret() == HG_HOSTUNREACH);
        }
        for (const auto& transfer : transfers) {
            CHECK(transfer->callbacks == 1);
            CHECK((transfer->ret == HG_HOSTUNREACH || transfer->ret == HG_SUCCESS));
        }
        // Later ones end as well.
        CHECK(echo(side, to, offers, 10) == HG_HOSTUNREACH);
        CHECK(echo(side, to, offers, 100000) == HG_HOSTUNREACH);
        CHECK(echo(side, to_living, offers, 100000) == HG_SUCCESS);
        CHECK(HG_Bulk_free(remote) == HG_SUCCESS);
        (void)dying.process().wait();
        living.end();
    }
}

CINNABAR_ROLE(integration_client) {
    // setup, address, what to do
    cinnabar::test::allow_log("");
    const Setup& setup = setup_named(arguments[0]);
    SideOptions options;
    options.listen = false;
    Side side(setup, options);
    const Offers offers(side);
    {
        const Address to = side.lookup(arguments[1]);
        for (const std::size_t size : {10, 3000, 100000})
            if (echo(side, to, offers, size) != HG_SUCCESS) return 3;
        if (arguments[2] == "hold") {
            Call call(side, to, offers.keep), large(side, to, offers.keep);
            Blob in(100, 1), large_in(100000, 1);
            (void)call.forward(&in);
            (void)large.forward(&large_in);
            for (int i = 0; i < 50; ++i)
                side.step(setup.busy ? 0 : 1);
            cinnabar::test::say("holding");
            side.wait([] { return false; });
        }
        if (arguments[2] == "many")
            for (int i = 0; i < 50; ++i)
                if (echo(side, to, offers, static_cast<std::size_t>(i) * 200) != HG_SUCCESS)
                    return 4;
    }
    cinnabar::test::say("done");
    (void)cinnabar::test::hear();
    return 0;
}

CINNABAR_INTEGRATION("killed clients leave nothing in their server", peer_setups) {
    allow_log("");
    Peer server(setup);
    Side side(setup);
    const Offers offers(side);
    const Address to = side.lookup(server.address());
    REQUIRE(echo(side, to, offers, 100000) == HG_SUCCESS);
    const int before = server.descriptors();
    for (int round = 0; round < 5; ++round) {
        Process client("integration_client", {setup.name, server.address(), "hold"});
        REQUIRE(client.listen() == "holding");
        CHECK(server.descriptors() > before);
        client.kill();
        (void)client.wait();
        REQUIRE(echo(side, to, offers, 1000) == HG_SUCCESS);
    }
    // The watchdog ends the wait.
    while (server.descriptors() > before)
        REQUIRE(echo(side, to, offers, 10) == HG_SUCCESS);
    CHECK(server.descriptors() == before);
    // It answers the dead, too, and ends without a leftover handle.
    server.end();
}

CINNABAR_INTEGRATION("a stopped server: calls wait, can be cancelled, and go on", peer_setups) {
    allow_log("");
    Peer peer(setup);
    {
        Side side(setup);
        const Offers offers(side);
        const Address to = side.lookup(peer.address());
        REQUIRE(echo(side, to, offers, 10) == HG_SUCCESS);
        hg_bulk_t remote = exposed(side, to, offers);
        peer.process().suspend();
        std::vector<std::unique_ptr<Call>> calls;
        std::vector<std::unique_ptr<Transfer>> transfers;
        for (unsigned i = 0; i < 20; ++i) {
            calls.push_back(std::make_unique<Call>(side, to, offers.echo));
            Blob in(i % 2 == 0 ? 100 : 100000, i);
            REQUIRE(calls.back()->forward(&in) == HG_SUCCESS);
        }
        for (int i = 0; i < 2; ++i)
            transfers.push_back(std::make_unique<Transfer>(side, to, remote, exposed_size));
        for (int i = 0; i < 100; ++i)
            side.step();
        for (const auto& call : calls)
            REQUIRE_FALSE(call->done());
        for (const int i : {0, 1})
            REQUIRE(HG_Cancel(calls[static_cast<std::size_t>(i)]->handle()) == HG_SUCCESS);
        if (!transfers[0]->done()) REQUIRE(HG_Bulk_cancel(transfers[0]->id) == HG_SUCCESS);
        side.wait([&] { return calls[0]->done() && calls[1]->done() && transfers[0]->done(); });
        CHECK(calls[0]->ret() == HG_CANCELED);
        CHECK(calls[1]->ret() == HG_CANCELED);
        peer.process().resume();
        side.wait([&] { return all_done(calls) && all_done(transfers); });
        CHECK((transfers[0]->ret == HG_CANCELED ||
               (!setup.tcp() && transfers[0]->ret == HG_SUCCESS)));
        for (unsigned i = 2; i < 20; ++i)
            CHECK(calls[i]->ret() == HG_SUCCESS);
        CHECK(transfers[1]->ret == HG_SUCCESS);
        CHECK(transfers[1]->memory == content_of(exposed_size, exposed_seed));
        CHECK(HG_Bulk_free(remote) == HG_SUCCESS);
        REQUIRE(echo(side, to, offers, 100000) == HG_SUCCESS);
    }
    peer.end();
}

CINNABAR_INTEGRATION("a stopped client does not hold up its server", peer_setups) {
    allow_log("");
    Peer server(setup);
    Process client("integration_client", {setup.name, server.address(), "hold"});
    REQUIRE(client.listen() == "holding");
    client.suspend();
    Side side(setup);
    const Offers offers(side);
    const Address to = side.lookup(server.address());
    {
        Call release(side, to, offers.release);
        REQUIRE(release.forward() == HG_SUCCESS);
        side.wait([&] { return release.done(); });
        CHECK(release.ret() == HG_SUCCESS);
    }
    for (int i = 0; i < 20; ++i)
        REQUIRE(echo(side, to, offers, 10000) == HG_SUCCESS);
    client.resume();
    for (int i = 0; i < 20; ++i)
        REQUIRE(echo(side, to, offers, 10000) == HG_SUCCESS);
    client.kill();
    (void)client.wait();
    server.end();
}

CINNABAR_INTEGRATION("a server that comes back under its address is called through the same object",
                     peer_setups) {
    allow_log("");
    const std::string info = fixed_info(setup);
    Side side(setup);
    const Offers offers(side);
    Address to;
    for (int round = 0; round < 3; ++round) {
        Peer peer(setup, info);
        if (round == 0) to = side.lookup(peer.address());
        // That the old one is gone may still have to be noticed.
        hg_return_t ret = HG_HOSTUNREACH;
        for (int tries = 0; tries < 100 && ret == HG_HOSTUNREACH; ++tries)
            ret = echo(side, to, offers, 100);
        CHECK(ret == HG_SUCCESS);
        CHECK(echo(side, to, offers, 100000) == HG_SUCCESS);
        peer.process().kill();
        (void)peer.process().wait();
        CHECK(echo(side, to, offers, 100) == HG_HOSTUNREACH);
    }
}

CINNABAR_INTEGRATION("64 client processes are served", peer_setups) {
    allow_log("");
    cinnabar::test::arm_watchdog(120, "64 clients");
    Peer server(setup);
    const int before = server.descriptors();
    std::vector<std::unique_ptr<Process>> clients;
#ifdef __SANITIZE_THREAD__
    const std::size_t all = 16;  // a process takes a second to begin
#else
    const std::size_t all = 64;
#endif
    // Busy ones would only take each other's time.
    const std::size_t count = setup.busy ? 8 : all;
    for (std::size_t i = 0; i < count; ++i)
        clients.push_back(std::make_unique<Process>(
            "integration_client", cinnabar::test::Arguments{setup.name, server.address(), "many"}));
    for (auto& client : clients)
        CHECK(client->listen() == "done");
    for (auto& client : clients) {
        client->finish();
        CHECK(client->wait() == 0);
    }
    while (server.descriptors() > before) {
    }
    server.end();
}
