// SPDX-License-Identifier: BSD-3-Clause
// Single messages: every size, both kinds, who sent it, which receive takes it, in which order they
// come.
#include "tests/conformance/net.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;

namespace {

// Sizes around what transports treat differently; 0 stands for the largest.
constexpr std::size_t sizes[] = {1, 7, 8, 64, 112, 113, 127, 128, 1000, 4000, 0};

}  // namespace

CINNABAR_CONFORMANCE("unexpected messages of every size arrive") {
    Pair pair(transport);
    const std::size_t largest = NA_Msg_get_max_unexpected_size(pair.a.cls()) -
                                NA_Msg_get_unexpected_header_size(pair.a.cls());
    for (const std::size_t size : sizes)
        exchange(pair, size == 0 ? largest : size, 3);
}

CINNABAR_CONFORMANCE("an empty unexpected message arrives") {
    Pair pair(transport);
    exchange(pair, 0, 4);
}

CINNABAR_CONFORMANCE("expected messages of every size arrive") {
    Pair pair(transport);
    exchange(pair);
    const std::size_t largest =
        NA_Msg_get_max_expected_size(pair.a.cls()) - NA_Msg_get_expected_header_size(pair.a.cls());
    for (std::size_t size : sizes) {
        if (size == 0) size = largest;
        if (size == 7) size = 0;
        CAPTURE(size);
        const Buffer out(pair.b, size, 5, true);
        const Buffer in(pair.a, size, 0, true);
        Op send(pair.b);
        Op receive(pair.a);
        REQUIRE(receive.recv_expected(in, pair.to_b, 17) == NA_SUCCESS);
        REQUIRE(send.send_expected(out, pair.to_a, 17) == NA_SUCCESS);
        pump(pair, [&] { return send.done() && receive.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
        CHECK(receive.size() == in.size());
        CHECK(in.holds(5, size));
    }
}

CINNABAR_CONFORMANCE("a message above the limit is refused") {
    Pair pair(transport);
    const Buffer big(pair.a, NA_Msg_get_max_unexpected_size(pair.a.cls()) + 1);
    cinnabar::test::allow_log("");
    Op op(pair.a);
    CHECK(op.send_unexpected(big, pair.to_b, 1) == codes::message_above_limit);
    CHECK(op.send_expected(big, pair.to_b, 1) == codes::message_above_limit);
    pair.progress();
    CHECK_FALSE(op.done());
    exchange(pair);
}

CINNABAR_CONFORMANCE("the source of an unexpected message can be answered") {
    Pair pair(transport);
    const Buffer question(pair.a, 10, 1);
    const Buffer question_in(pair.b, 10);
    const Buffer answer(pair.b, 20, 2, true);
    const Buffer answer_in(pair.a, 20, 0, true);
    Op send(pair.a), receive(pair.b), respond(pair.b), hear(pair.a);
    REQUIRE(receive.recv_unexpected(question_in) == NA_SUCCESS);
    REQUIRE(hear.recv_expected(answer_in, pair.to_b, 5) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(question, pair.to_b, 5) == NA_SUCCESS);
    pump(pair, [&] { return receive.done(); });
    REQUIRE(receive.ret() == NA_SUCCESS);
    REQUIRE(respond.send_expected(answer, receive.source(), receive.tag()) == NA_SUCCESS);
    pump(pair, [&] { return respond.done() && hear.done() && send.done(); });
    REQUIRE(hear.ret() == NA_SUCCESS);
    CHECK(answer_in.holds(2, 20));
}

CINNABAR_CONFORMANCE("between classes: a peer that does not listen can be answered") {
    Net server(transport);
    NetOptions options;
    options.listen = false;
    Net client(transport, options);
    const Address to_server = client.lookup(server);
    const Buffer out(client, 10, 1), in(server, 10);
    const Buffer answer(server, 20, 2, true), answer_in(client, 20, 0, true);
    Op send(client), receive(server), respond(server), hear(client);
    const auto both = [&](auto&& condition) {
        while (!condition()) {
            server.progress();
            client.progress();
        }
    };
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    REQUIRE(hear.recv_expected(answer_in, to_server, 5) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(out, to_server, 5) == NA_SUCCESS);
    both([&] { return receive.done(); });
    REQUIRE(receive.ret() == NA_SUCCESS);
    CHECK_FALSE(receive.source().text().empty());
    REQUIRE(respond.send_expected(answer, receive.source(), 5) == NA_SUCCESS);
    both([&] { return hear.done() && respond.done() && send.done(); });
    CHECK(hear.ret() == NA_SUCCESS);
    CHECK(answer_in.holds(2, 20));
}

CINNABAR_CONFORMANCE("a message sent before its receive is posted is kept") {
    Pair pair(transport);
    const Buffer out(pair.a, 100, 9), in(pair.b, 100);
    Op send(pair.a), receive(pair.b);
    REQUIRE(send.send_unexpected(out, pair.to_b, 5) == NA_SUCCESS);
    for (int i = 0; i < 50; ++i)
        pair.progress();
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    pump(pair, [&] { return send.done() && receive.done(); });
    CHECK(receive.ret() == NA_SUCCESS);
    CHECK(in.holds(9, 100));
}

CINNABAR_CONFORMANCE("a smaller message leaves the rest of the buffer alone") {
    Pair pair(transport);
    const Buffer out(pair.a, 10, 1), in(pair.b, 100, 2);
    Op send(pair.a), receive(pair.b);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(out, pair.to_b, 5) == NA_SUCCESS);
    pump(pair, [&] { return send.done() && receive.done(); });
    CHECK(receive.size() == out.size());
    CHECK(in.holds(1, 10));
    const Buffer untouched(pair.b, 100, 2);
    CHECK(std::memcmp(static_cast<char*>(in.data()) + in.header() + 10,
                      static_cast<char*>(untouched.data()) + untouched.header() + 10, 90) == 0);
}

CINNABAR_CONFORMANCE("a message larger than its receive ends that receive only") {
    Pair pair(transport);
    exchange(pair);
    cinnabar::test::allow_log("");
    {
        const Buffer out(pair.a, 100, 1), in(pair.b, 50);
        Op send(pair.a), receive(pair.b);
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        REQUIRE(send.send_unexpected(out, pair.to_b, 5) == NA_SUCCESS);
        pump(pair, [&] { return send.done() && receive.done(); });
        CHECK(receive.ret() == codes::message_above_receive);
        CHECK(receive.source().get() == nullptr);
    }
    {
        const Buffer out(pair.b, 3000, 1, true), in(pair.a, 50, 0, true);
        Op send(pair.b), receive(pair.a);
        REQUIRE(receive.recv_expected(in, pair.to_b, 6) == NA_SUCCESS);
        REQUIRE(send.send_expected(out, pair.to_a, 6) == NA_SUCCESS);
        pump(pair, [&] { return send.done() && receive.done(); });
        CHECK(receive.ret() == codes::message_above_receive);
    }
    exchange(pair);
}

CINNABAR_CONFORMANCE("a message with another tag is not matched") {
    Pair pair(transport);
    exchange(pair);
    const Buffer wrong(pair.b, 8, 1, true), right(pair.b, 8, 2, true), in(pair.a, 8, 0, true);
    Op send_wrong(pair.b), send_right(pair.b), receive(pair.a);
    REQUIRE(receive.recv_expected(in, pair.to_b, 100) == NA_SUCCESS);
    REQUIRE(send_wrong.send_expected(wrong, pair.to_a, 101) == NA_SUCCESS);
    REQUIRE(send_right.send_expected(right, pair.to_a, 100) == NA_SUCCESS);
    pump(pair, [&] { return send_wrong.done() && send_right.done() && receive.done(); });
    CHECK(receive.ret() == NA_SUCCESS);
    CHECK(in.holds(2, 8));
    CHECK(receive.completions() == 1);
}

CINNABAR_CONFORMANCE("the largest tag is carried") {
    Pair pair(transport);
    exchange(pair, 8, NA_Msg_get_max_tag(pair.a.cls()));
    exchange(pair, 8, 0);
}

CINNABAR_CONFORMANCE("receives are matched by tag in any order of arrival") {
    Pair pair(transport);
    exchange(pair);
    constexpr int count = 16;
    std::vector<Buffer> out, in;
    std::vector<std::unique_ptr<Op>> sends, receives;
    for (int i = 0; i < count; ++i) {
        in.emplace_back(pair.a, 8, 0, true);
        receives.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(receives.back()->recv_expected(in.back(), pair.to_b, static_cast<na_tag_t>(i)) ==
                NA_SUCCESS);
    }
    for (int i = 0; i < count; ++i) {
        const int tag = (i * 7 + 3) % count;
        out.emplace_back(pair.b, 8, static_cast<unsigned char>(tag), true);
        sends.push_back(std::make_unique<Op>(pair.b));
        REQUIRE(sends.back()->send_expected(out.back(), pair.to_a, static_cast<na_tag_t>(tag)) ==
                NA_SUCCESS);
    }
    pump(pair, [&] {
        return std::all_of(receives.begin(), receives.end(), [](auto& op) { return op->done(); }) &&
               std::all_of(sends.begin(), sends.end(), [](auto& op) { return op->done(); });
    });
    for (std::size_t i = 0; i < count; ++i) {
        CHECK(receives[i]->ret() == NA_SUCCESS);
        CHECK(in[i].holds(static_cast<unsigned char>(i), 8));
    }
}

CINNABAR_CONFORMANCE("between classes: the same tag from two peers does not cross") {
    Net a(transport), b(transport), c(transport);
    const auto progress = [&](auto&& condition) {
        while (!condition()) {
            a.progress();
            b.progress();
            c.progress();
        }
    };
    const Address b_of_a = a.lookup(b), c_of_a = a.lookup(c);
    const Address a_of_b = b.lookup(a), a_of_c = c.lookup(a);
    const Buffer from_b(b, 8, 1, true), from_c(c, 8, 2, true);
    const Buffer in_b(a, 8, 0, true), in_c(a, 8, 0, true);
    Op send_b(b), send_c(c), receive_b(a), receive_c(a);
    REQUIRE(receive_b.recv_expected(in_b, b_of_a, 5) == NA_SUCCESS);
    REQUIRE(receive_c.recv_expected(in_c, c_of_a, 5) == NA_SUCCESS);
    REQUIRE(send_c.send_expected(from_c, a_of_c, 5) == NA_SUCCESS);
    progress([&] { return receive_c.done() && send_c.done(); });
    CHECK_FALSE(receive_b.done());
    REQUIRE(send_b.send_expected(from_b, a_of_b, 5) == NA_SUCCESS);
    progress([&] { return receive_b.done() && send_b.done(); });
    CHECK(in_b.holds(1, 8));
    CHECK(in_c.holds(2, 8));
}

CINNABAR_CONFORMANCE(
    "between classes: both sides connect at the same time and nothing is lost or doubled") {
    Pair pair(transport);
    const Buffer out_a(pair.a, 8, 1), out_b(pair.b, 8, 2), in_a(pair.a, 8), in_b(pair.b, 8);
    Op send_a(pair.a), send_b(pair.b), receive_a(pair.a), receive_b(pair.b);
    REQUIRE(receive_a.recv_unexpected(in_a) == NA_SUCCESS);
    REQUIRE(receive_b.recv_unexpected(in_b) == NA_SUCCESS);
    REQUIRE(send_a.send_unexpected(out_a, pair.to_b, 1) == NA_SUCCESS);
    REQUIRE(send_b.send_unexpected(out_b, pair.to_a, 2) == NA_SUCCESS);
    pump(pair,
         [&] { return send_a.done() && send_b.done() && receive_a.done() && receive_b.done(); });
    CHECK(send_a.ret() == NA_SUCCESS);
    CHECK(send_b.ret() == NA_SUCCESS);
    CHECK(in_a.holds(2, 8));
    CHECK(in_b.holds(1, 8));
    CHECK(NA_Addr_cmp(pair.a.cls(), receive_a.source().get(), pair.to_b.get()));
    CHECK(NA_Addr_cmp(pair.b.cls(), receive_b.source().get(), pair.to_a.get()));
    for (int i = 0; i < 3; ++i)
        exchange(pair);
}
