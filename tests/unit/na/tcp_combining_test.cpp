// SPDX-License-Identifier: BSD-3-Clause
// When frames leave that are posted between two polls: all of them with the next poll, and of many
// that are awaited the first half ahead of the others. Through na.h, two nets in one process.
#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "na.h"

namespace {

constexpr int burst = 40;

struct Net {
    na_class_t* cls;
    na_context_t* context;
    explicit Net(const char* info, bool listen)
        : cls(NA_Initialize(info, listen)), context(NA_Context_create_sink(cls, 0)) {
        REQUIRE(context != nullptr);
    }
    ~Net() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    void poll() { REQUIRE(NA_Poll(cls, context, nullptr) == NA_SUCCESS); }
};

struct Op {
    Net& net;
    na_op_id_t* id;
    bool done = true;
    na_addr_t* source = nullptr;
    std::array<std::byte, 16> bytes{};
    explicit Op(Net& owner) : net(owner), id(NA_Op_create(owner.cls, 0)) {}
    ~Op() {
        if (source != nullptr) NA_Addr_free(net.cls, source);
        NA_Op_destroy(net.cls, id);
    }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;
    static void completed(const na_cb_info* info) {
        Op& op = *static_cast<Op*>(info->arg);
        CHECK(info->ret == NA_SUCCESS);
        if (info->type == NA_CB_RECV_UNEXPECTED) op.source = info->info.recv_unexpected.source;
        op.done = true;
    }
    void receive() {
        done = false;
        REQUIRE(NA_Msg_recv_unexpected(net.cls, net.context, completed, this, bytes.data(),
                                       bytes.size(), nullptr, id) == NA_SUCCESS);
    }
    void receive_from(na_addr_t* peer, na_tag_t tag) {
        done = false;
        REQUIRE(NA_Msg_recv_expected(net.cls, net.context, completed, this, bytes.data(),
                                     bytes.size(), nullptr, peer, 0, tag, id) == NA_SUCCESS);
    }
    void send(na_addr_t* to, na_tag_t tag) {
        done = false;
        REQUIRE(NA_Msg_send_unexpected(net.cls, net.context, completed, this, bytes.data(),
                                       bytes.size(), nullptr, to, 0, tag, id) == NA_SUCCESS);
    }
    void answer(na_addr_t* to, na_tag_t tag) {
        done = false;
        REQUIRE(NA_Msg_send_expected(net.cls, net.context, completed, this, bytes.data(),
                                     bytes.size(), nullptr, to, 0, tag, id) == NA_SUCCESS);
    }
};

using Ops = std::vector<std::unique_ptr<Op>>;

Ops make_ops(Net& net) {
    Ops ops;
    for (int i = 0; i < burst; ++i)
        ops.push_back(std::make_unique<Op>(net));
    return ops;
}

int count_done(const Ops& ops) {
    int done = 0;
    for (const auto& op : ops)
        done += op->done ? 1 : 0;
    return done;
}

// Sends a burst without polling; returns how much of it had come when the peer was asked, and has
// all of it come.
int send_burst(Net& client, Net& server, na_addr_t* to) {
    Ops received = make_ops(server);
    Ops sent = make_ops(client);
    for (const auto& op : received)
        op->receive();
    for (const auto& op : sent)
        op->send(to, 7);
    for (int i = 0; i < 100; ++i)
        server.poll();
    const int early = count_done(received);
    while (count_done(received) < burst) {
        client.poll();
        server.poll();
    }
    CHECK(count_done(sent) == burst);
    return early;
}

}  // namespace

TEST_CASE("of many that are awaited the first half leaves ahead, of few none") {
    Net server("na+tcp://127.0.0.1:0", true);
    Net client("na+tcp://127.0.0.1", false);
    na_addr_t* self = nullptr;
    REQUIRE(NA_Addr_self(server.cls, &self) == NA_SUCCESS);
    char name[256];
    std::size_t size = sizeof name;
    REQUIRE(NA_Addr_to_string(server.cls, name, &size, self) == NA_SUCCESS);
    NA_Addr_free(server.cls, self);
    na_addr_t* to = nullptr;
    REQUIRE(NA_Addr_lookup(client.cls, name, &to) == NA_SUCCESS);
    {
        const auto step = [&](const Op& until) {
            while (!until.done) {
                client.poll();
                server.poll();
            }
        };
        Op greeted(server);
        Op greeting(client);
        greeted.receive();
        greeting.send(to, 1);
        step(greeted);

        Ops awaited = make_ops(client);
        Op answer(server);
        for (int i = 0; i < burst; ++i)
            awaited[static_cast<std::size_t>(i)]->receive_from(to, static_cast<na_tag_t>(i));
        // What is in flight is looked at when bytes come.
        answer.answer(greeted.source, 0);
        step(*awaited[0]);
        CHECK(send_burst(client, server, to) == burst / 2);

        for (int i = 1; i < burst; ++i) {
            answer.answer(greeted.source, static_cast<na_tag_t>(i));
            step(*awaited[static_cast<std::size_t>(i)]);
        }
        CHECK(send_burst(client, server, to) <= 1);
    }
    NA_Addr_free(client.cls, to);
}
