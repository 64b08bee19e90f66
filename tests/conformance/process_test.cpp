// SPDX-License-Identifier: BSD-3-Clause
// Two processes: messages, transfers, clients that come and go, a peer that is suspended.
#include "tests/conformance/peer.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::allow_log;
using cinnabar::test::Process;

namespace {

// The remote memory of a peer, and transfers with it.
na_return_t transfer(Net& net, const Address& peer, const Transfer& t) {
    Op op(net);
    const na_return_t ret = (t.direction == Direction::put ? NA_Put : NA_Get)(
        net.cls(), net.context(), Op::on_complete, &op, t.local, t.local_offset, t.remote,
        t.remote_offset, t.size, peer.get(), 0, op.id());
    if (ret != NA_SUCCESS) return ret;
    pump(net, [&] { return op.done(); });
    return op.ret();
}

Handle memory_of(const Peer& peer, const Net& net) {
    na_mem_handle_t* mem = nullptr;
    REQUIRE(NA_Mem_handle_deserialize(net.cls(), &mem, peer.memory().data(),
                                      peer.memory().size()) == NA_SUCCESS);
    return {net.cls(), mem};
}

}  // namespace

CINNABAR_ROLE(conformance_client) {
    NetOptions options;
    options.listen = arguments[2] == "listen";
    Net net(transport_named(arguments[0]), options);
    const Address peer = net.lookup(arguments[1]);
    for (na_tag_t tag = 0; tag < 50; ++tag)
        ask(net, peer, 1 + tag * 50, tag);
    cinnabar::test::say("asked");
    // Either told to end, or killed here.
    (void)cinnabar::test::hear();
    return 0;
}

CINNABAR_CONFORMANCE("across processes: requests of every size are answered") {
    Peer peer(transport);
    {
        Net net(transport);
        const Address to = net.lookup(peer.address());
        const std::size_t largest = NA_Msg_get_max_unexpected_size(net.cls()) -
                                    NA_Msg_get_unexpected_header_size(net.cls());
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{112}, std::size_t{113},
              std::size_t{1000}, largest})
            ask(net, to, size, 7);
        for (int i = 0; i < 2000; ++i)
            ask(net, to, 16, static_cast<na_tag_t>(i % 1000));
    }
    peer.end();
}

CINNABAR_CONFORMANCE("across processes: memory is read and written") {
    Peer peer(transport);
    {
        Net net(transport);
        const Address to = net.lookup(peer.address());
        const Handle remote = memory_of(peer, net);
        const Region in(net, peer_memory, 3, 1);
        REQUIRE(transfer(net, to, {Direction::get, in.get(), 0, remote.get(), 0, peer_memory}) ==
                NA_SUCCESS);
        CHECK(in.content() == content_of(peer_memory, peer_seed));
        const Region out(net, peer_memory, 2, 9);
        REQUIRE(
            transfer(net, to, {Direction::put, out.get(), 5, remote.get(), 5, peer_memory - 5}) ==
            NA_SUCCESS);
        REQUIRE(
            transfer(net, to, {Direction::get, in.get(), 5, remote.get(), 5, peer_memory - 5}) ==
            NA_SUCCESS);
        auto expected = content_of(peer_memory, 9);
        const auto first = content_of(5, peer_seed);
        std::copy(first.begin(), first.end(), expected.begin());
        CHECK(in.content() == expected);
        allow_log("outside");
        allow_log("leave the");
        CHECK(transfer(net, to, {Direction::get, in.get(), 0, remote.get(), 1, peer_memory}) ==
              codes::range_outside_memory);
        ask(net, to, 100, 7);
    }
    peer.end();
}

CINNABAR_CONFORMANCE("across processes: clients come and go, by end or by signal") {
    Peer peer(transport);
    for (int round = 0; round < 8; ++round) {
        Process client("conformance_client",
                       {transport.name, peer.address(), round % 4 < 2 ? "listen" : "silent"});
        REQUIRE(client.listen() == "asked");
        if (round % 2 == 0) {
            client.finish();
            CHECK(client.wait() == 0);
        } else {
            client.kill();
            (void)client.wait();
        }
    }
    {
        Net net(transport);
        ask(net, net.lookup(peer.address()), 100, 7);
    }
    peer.end();
}

CINNABAR_CONFORMANCE("across processes: several clients are served at once") {
    Peer peer(transport);
    std::vector<std::unique_ptr<Process>> clients;
    for (int i = 0; i < 4; ++i)
        clients.push_back(std::make_unique<Process>(
            "conformance_client",
            cinnabar::test::Arguments{transport.name, peer.address(), "listen"}));
    for (auto& client : clients)
        CHECK(client->listen() == "asked");
    for (auto& client : clients) {
        client->finish();
        CHECK(client->wait() == 0);
    }
    peer.end();
}

CINNABAR_CONFORMANCE("across processes: a suspended peer answers when it is resumed") {
    Peer peer(transport);
    {
        Net net(transport);
        const Address to = net.lookup(peer.address());
        ask(net, to, 100, 7);
        peer.process().suspend();
        constexpr int count = 64;
        std::vector<Buffer> out, in;
        std::vector<std::unique_ptr<Op>> sends, hears;
        for (int i = 0; i < count; ++i) {
            out.emplace_back(net, 1000, static_cast<unsigned char>(i));
            in.emplace_back(net, 1000, 0, true);
            sends.push_back(std::make_unique<Op>(net));
            hears.push_back(std::make_unique<Op>(net));
            const auto tag = static_cast<na_tag_t>(i);
            REQUIRE(hears.back()->recv_expected(in.back(), to, tag) == NA_SUCCESS);
            REQUIRE(sends.back()->send_unexpected(out.back(), to, tag) == NA_SUCCESS);
        }
        for (int i = 0; i < 1000; ++i)
            net.progress();
        for (const auto& hear : hears)
            REQUIRE_FALSE(hear->done());
        // A receive from the suspended peer can be given up.
        REQUIRE(hears[0]->cancel() == NA_SUCCESS);
        pump(net, [&] { return hears[0]->done(); });
        CHECK(hears[0]->ret() == codes::canceled);
        peer.process().resume();
        pump(net, [&] {
            return std::all_of(hears.begin(), hears.end(), [](auto& op) { return op->done(); }) &&
                   std::all_of(sends.begin(), sends.end(), [](auto& op) { return op->done(); });
        });
        for (std::size_t i = 1; i < count; ++i) {
            REQUIRE(hears[i]->ret() == NA_SUCCESS);
            REQUIRE(in[i].holds(static_cast<unsigned char>(i), 1000));
        }
        ask(net, to, 100, 800);
    }
    peer.end();
}
