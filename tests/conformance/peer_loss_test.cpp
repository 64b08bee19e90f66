// SPDX-License-Identifier: BSD-3-Clause
// Peers that die: whatever was posted ends with an error, once; whoever lives on works on; a peer
// that comes back under the same address is served, and never sees what was meant for the one
// before it.
#include <fmt/format.h>
#include <unistd.h>

#include "tests/conformance/peer.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::allow_log;

namespace {

// A number for a fixed address that other runs on this machine hardly use at the same time.
std::string fixed_info(const Transport& transport) {
    static int uses = 0;
    return fmt::format(fmt::runtime(transport.restart),
                       20000 + (::getpid() * 8 + uses++ % 8) % 12000);
}

// Operations of every kind, posted to a peer.
struct Pending {
    Pending(const Net& owner, const Address& to, const Handle* remote)
        : net(owner), out(owner, 3000, 1), local(owner, peer_memory, 1, 2) {
        for (na_tag_t tag = 0; tag < 20; ++tag) {
            in.emplace_back(owner, 3000, 0, true);
            REQUIRE(add().recv_expected(in.back(), to, silent_tag + tag) == NA_SUCCESS);
            REQUIRE(add().send_unexpected(out, to, silent_tag + tag) == NA_SUCCESS);
        }
        if (remote == nullptr) return;
        for (int i = 0; i < 4; ++i) {
            const auto call = i % 2 == 0 ? NA_Put : NA_Get;
            Op& op = add();
            REQUIRE(call(owner.cls(), owner.context(), Op::on_complete, &op, local.get(), 0,
                         remote->get(), 0, peer_memory, to.get(), 0, op.id()) == NA_SUCCESS);
        }
    }
    Op& add() {
        ops.push_back(std::make_unique<Op>(net));
        return *ops.back();
    }
    bool done() const {
        return std::all_of(ops.begin(), ops.end(), [](auto& op) { return op->done(); });
    }
    // Sends may have been handed over before the end, transfers may have finished; receives cannot.
    void check() const {
        for (std::size_t i = 0; i < ops.size(); ++i) {
            CAPTURE(i, ops[i]->ret());
            CHECK(ops[i]->completions() == 1);
            const bool receive = i < 40 && i % 2 == 0;
            CHECK((ops[i]->ret() == codes::peer_is_gone ||
                   (!receive && ops[i]->ret() == NA_SUCCESS)));
        }
    }
    const Net& net;
    Buffer out;
    std::vector<Buffer> in;
    Region local;
    std::vector<std::unique_ptr<Op>> ops;
};

// Until the peer has been found dead: an operation to it fails.
void send_until_lost(Net& net, const Address& to) {
    const Buffer out(net, 8, 1);
    for (;;) {
        Op send(net);
        const na_return_t ret = send.send_unexpected(out, to, silent_tag);
        if (ret == codes::peer_is_gone) return;
        REQUIRE(ret == NA_SUCCESS);
        pump(net, [&] { return send.done(); });
        if (send.ret() == codes::peer_is_gone) return;
        REQUIRE(send.ret() == NA_SUCCESS);
    }
}

}  // namespace

CINNABAR_CONFORMANCE("between classes: a peer that closes ends what waits for it") {
    Pair pair(transport);
    exchange(pair);
    allow_log("");
    {
        const Buffer in(pair.a, 8, 0, true);
        Op receive(pair.a);
        REQUIRE(receive.recv_expected(in, pair.to_b, 5) == NA_SUCCESS);
        pair.to_a = Address();
        pair.b.close();
        pump(pair.a, [&] { return receive.done(); });
        CHECK(receive.ret() == codes::peer_is_gone);
        CHECK(receive.completions() == 1);
    }
    send_until_lost(pair.a, pair.to_b);
}

CINNABAR_CONFORMANCE("between classes: a peer that is idle closes without a word in the log") {
    Net a(transport);
    {
        Net b(transport);
        Address to_b = a.lookup(b);
        const Buffer out(a, 8, 1), in(b, 8);
        Op send(a), receive(b);
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        REQUIRE(send.send_unexpected(out, to_b, 1) == NA_SUCCESS);
        while (!send.done() || !receive.done()) {
            a.progress();
            b.progress();
        }
    }
    for (int i = 0; i < 200; ++i)
        a.progress();
}

CINNABAR_CONFORMANCE("between classes: nobody listens at an address") {
    Net net(transport);
    std::string text;
    {
        const Net gone(transport);
        text = gone.self().text();
    }
    allow_log("");
    const Address to = net.lookup(text);
    for (int round = 0; round < 3; ++round) {
        const Buffer out(net, 8, 1), in(net, 8, 0, true);
        Op send(net);
        const na_return_t ret = send.send_unexpected(out, to, 1);
        if (ret == NA_SUCCESS) {
            pump(net, [&] { return send.done(); });
            CHECK(send.ret() == codes::peer_is_gone);
        } else {
            CHECK(ret == codes::peer_is_gone);
        }
    }
}

CINNABAR_CONFORMANCE("across processes: a killed peer ends everything posted to it") {
    for (int round = 0; round < 4; ++round) {
        allow_log("");
        Peer peer(transport);
        Net net(transport);
        const Address to = net.lookup(peer.address());
        ask(net, to, 100, 7);
        na_mem_handle_t* mem = nullptr;
        REQUIRE(NA_Mem_handle_deserialize(net.cls(), &mem, peer.memory().data(),
                                          peer.memory().size()) == NA_SUCCESS);
        const Handle remote(net.cls(), mem);
        // Suspended, it cannot take anything before it dies.
        if (round % 2 == 0) peer.process().suspend();
        const Pending pending(net, to, &remote);
        for (int i = 0; i < round * 3; ++i)
            net.progress();
        peer.process().kill();
        pump(net, [&] { return pending.done(); });
        for (int i = 0; i < 20; ++i)
            net.progress();
        pending.check();
        (void)peer.process().wait();
    }
}

CINNABAR_CONFORMANCE("across processes: others are served while a peer is dead") {
    Peer dying(transport), living(transport);
    Net net(transport);
    const Address to_dying = net.lookup(dying.address()), to_living = net.lookup(living.address());
    ask(net, to_dying, 100, 7);
    ask(net, to_living, 100, 7);
    allow_log("");
    dying.process().kill();
    (void)dying.process().wait();
    for (int i = 0; i < 20; ++i)
        ask(net, to_living, 100, 7);
    send_until_lost(net, to_dying);
    for (int i = 0; i < 20; ++i)
        ask(net, to_living, 100, 7);
    living.end();
}

CINNABAR_CONFORMANCE("across processes, restarted: a peer comes back under the same address") {
    allow_log("");
    const std::string info = fixed_info(transport);
    Net net(transport);
    Address to;
    for (int round = 0; round < 3; ++round) {
        Peer peer(transport, info);
        if (round == 0) to = net.lookup(peer.address());
        ask(net, to, 100, 7);
        peer.process().kill();
        (void)peer.process().wait();
        send_until_lost(net, to);
    }
}

CINNABAR_CONFORMANCE("across processes, restarted: a new incarnation never sees old messages") {
    allow_log("");
    const std::string info = fixed_info(transport);
    Net net(transport);
    auto first = std::make_unique<Peer>(transport, info);
    const Address to = net.lookup(first->address());
    ask(net, to, 100, 7);
    first->process().suspend();
    const Pending pending(net, to, nullptr);
    for (int i = 0; i < 100; ++i)
        net.progress();
    first->process().kill();
    (void)first->process().wait();
    pump(net, [&] { return pending.done(); });
    pending.check();
    // The tag of an old message that were delivered would be answered, and so be seen here.
    Peer second(transport, info);
    const Buffer in(net, 3000, 0, true);
    Op stale(net);
    REQUIRE(stale.recv_expected(in, to, silent_tag) == NA_SUCCESS);
    for (int i = 0; i < 20; ++i)
        ask(net, to, 100, 7);
    CHECK_FALSE(stale.done());
    REQUIRE(stale.cancel() == NA_SUCCESS);
    pump(net, [&] { return stale.done(); });
    second.end();
}

CINNABAR_CONFORMANCE("across processes: a client that dies leaves the server its receives") {
    Net server(transport);
    allow_log("");
    const Buffer in(server, 3000);
    Op receive(server);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    for (int round = 0; round < 3; ++round) {
        cinnabar::test::Process client("conformance_sender",
                                       {transport.name, server.self().text()});
        pump(server, [&] { return receive.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
        client.kill();
        (void)client.wait();
        receive.reset();
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        for (int i = 0; i < 200; ++i)
            server.progress();
        // Unexpected receives belong to nobody: the death of a peer does not end them.
        REQUIRE_FALSE(receive.done());
    }
    REQUIRE(receive.cancel() == NA_SUCCESS);
    pump(server, [&] { return receive.done(); });
}

CINNABAR_ROLE(conformance_sender) {
    Net net(transport_named(arguments[0]));
    const Address to = net.lookup(arguments[1]);
    const Buffer out(net, 100, 1);
    Op send(net);
    REQUIRE(send.send_unexpected(out, to, 1) == NA_SUCCESS);
    pump(net, [&] { return send.done(); });
    (void)cinnabar::test::hear();
    return 0;
}
