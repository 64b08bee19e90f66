// SPDX-License-Identifier: BSD-3-Clause
// The life of an operation: posted once, completed exactly once, cancelled, used again.
#include <thread>

#include "tests/conformance/net.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;

CINNABAR_CONFORMANCE("an operation that is posted cannot be posted again") {
    Pair pair(transport);
    const Buffer in(pair.b, 64), out(pair.b, 8);
    Op op(pair.b);
    REQUIRE(op.recv_unexpected(in) == NA_SUCCESS);
    CHECK(op.recv_unexpected(in) == codes::object_in_use);
    CHECK(op.recv_expected(in, pair.to_a, 1) == codes::object_in_use);
    CHECK(op.send_unexpected(out, pair.to_a, 1) == codes::object_in_use);
    REQUIRE(op.cancel() == NA_SUCCESS);
    pump(pair, [&] { return op.done(); });
    CHECK(op.completions() == 1);
}

CINNABAR_CONFORMANCE("a refused post posts nothing") {
    Pair pair(transport);
    const Buffer in(pair.b, 64);
    cinnabar::test::allow_log("");
    Op op(pair.b);
    CHECK(NA_Msg_recv_unexpected(pair.b.cls(), nullptr, Op::on_complete, &op, in.data(), in.size(),
                                 in.plugin_data(), op.id()) == codes::null_argument);
    CHECK(NA_Msg_send_unexpected(pair.b.cls(), pair.b.context(), Op::on_complete, &op, in.data(),
                                 in.size(), in.plugin_data(), nullptr, 0, 0,
                                 op.id()) == codes::null_argument);
    CHECK(NA_Msg_recv_unexpected(pair.b.cls(), pair.b.context(), Op::on_complete, &op, nullptr, 10,
                                 nullptr, op.id()) == codes::null_argument);
    pair.progress();
    CHECK_FALSE(op.done());
}

CINNABAR_CONFORMANCE("a receive is cancelled, and the next one takes the message") {
    Pair pair(transport);
    exchange(pair);
    const Buffer cancelled_in(pair.b, 8, 9), in(pair.b, 8), out(pair.a, 8, 1);
    Op cancelled(pair.b), receive(pair.b), send(pair.a);
    REQUIRE(cancelled.recv_unexpected(cancelled_in) == NA_SUCCESS);
    REQUIRE(cancelled.cancel() == NA_SUCCESS);
    pump(pair, [&] { return cancelled.done(); });
    CHECK(cancelled.ret() == codes::canceled);
    CHECK(cancelled.source().get() == nullptr);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
    pump(pair, [&] { return send.done() && receive.done(); });
    CHECK(in.holds(1, 8));
    CHECK(cancelled_in.holds(9, 8));
}

CINNABAR_CONFORMANCE("an expected receive is cancelled, and a late answer is dropped") {
    Pair pair(transport);
    exchange(pair);
    const Buffer late(pair.b, 8, 1, true), next(pair.b, 8, 2, true);
    const Buffer late_in(pair.a, 8, 9, true), next_in(pair.a, 8, 0, true);
    Op cancelled(pair.a), receive(pair.a), send_late(pair.b), send_next(pair.b);
    REQUIRE(cancelled.recv_expected(late_in, pair.to_b, 50) == NA_SUCCESS);
    REQUIRE(cancelled.cancel() == NA_SUCCESS);
    pump(pair, [&] { return cancelled.done(); });
    CHECK(cancelled.ret() == codes::canceled);
    REQUIRE(receive.recv_expected(next_in, pair.to_b, 51) == NA_SUCCESS);
    REQUIRE(send_late.send_expected(late, pair.to_a, 50) == NA_SUCCESS);
    REQUIRE(send_next.send_expected(next, pair.to_a, 51) == NA_SUCCESS);
    pump(pair, [&] { return receive.done() && send_late.done() && send_next.done(); });
    CHECK(send_late.ret() == NA_SUCCESS);
    CHECK(next_in.holds(2, 8));
    CHECK(late_in.holds(9, 8));
}

CINNABAR_CONFORMANCE("cancelling what is complete, or cancelling twice, does nothing") {
    Pair pair(transport);
    const Buffer in(pair.b, 8), out(pair.a, 8, 1);
    Op receive(pair.b), send(pair.a);
    CHECK(receive.cancel() == NA_SUCCESS);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
    pump(pair, [&] { return send.done() && receive.done(); });
    CHECK(send.cancel() == NA_SUCCESS);
    CHECK(receive.cancel() == NA_SUCCESS);
    for (int i = 0; i < 20; ++i)
        pair.progress();
    CHECK(receive.completions() == 1);
    CHECK(send.completions() == 1);

    receive.reset();
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    CHECK(receive.cancel() == NA_SUCCESS);
    CHECK(receive.cancel() == NA_SUCCESS);
    pump(pair, [&] { return receive.done(); });
    for (int i = 0; i < 20; ++i)
        pair.progress();
    CHECK(receive.completions() == 1);
}

CINNABAR_CONFORMANCE("a send that is cancelled completes once, either way") {
    Pair pair(transport);
    for (int round = 0; round < 50; ++round) {
        const Buffer out(pair.a, 1000, 1), in(pair.b, 1000);
        Op send(pair.a), receive(pair.b);
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
        if (round % 2 == 1) pair.progress();
        REQUIRE(send.cancel() == NA_SUCCESS);
        pump(pair, [&] { return send.done(); });
        CHECK((send.ret() == NA_SUCCESS || send.ret() == codes::canceled));
        // Sent or not, what follows in the same direction comes after it.
        if (send.ret() == NA_SUCCESS)
            pump(pair, [&] { return receive.done(); });
        else
            REQUIRE(receive.cancel() == NA_SUCCESS);
        pump(pair, [&] { return receive.done(); });
        CHECK(send.completions() == 1);
        CHECK(receive.completions() == 1);
    }
}

CINNABAR_CONFORMANCE("a cancel that races the completion gives one callback") {
    Pair pair(transport);
    exchange(pair);
    const Buffer out(pair.a, 8, 1), in(pair.b, 8);
    for (int round = 0; round < 300; ++round) {
        Op send(pair.a), receive(pair.b);
        std::atomic<bool> posted{false};
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        std::thread canceller([&] {
            while (!posted.load())
                std::this_thread::yield();
            for (int i = 0; i < round % 20; ++i)
                std::this_thread::yield();
            (void)receive.cancel();
        });
        REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
        posted.store(true);
        pump(pair, [&] { return send.done() && receive.done(); });
        canceller.join();
        for (int i = 0; i < 5; ++i)
            pair.progress();
        REQUIRE(receive.completions() == 1);
        REQUIRE(send.completions() == 1);
        if (receive.ret() == NA_SUCCESS) continue;
        REQUIRE(receive.ret() == codes::canceled);
        // The message is still there for the next receive.
        receive.reset();
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        pump(pair, [&] { return receive.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
    }
}

CINNABAR_CONFORMANCE("an operation is posted again from its own callback") {
    Pair pair(transport);
    constexpr int rounds = 200;
    struct State {
        const Buffer* in;
        int received = 0;
    };
    const Buffer in(pair.b, 8), out(pair.a, 8, 1);
    State state{&in};
    Op receive(pair.b), send(pair.a);
    receive.then_arg = &state;
    receive.then = [](Op& op, void* arg) {
        State& s = *static_cast<State*>(arg);
        if (op.ret() == NA_SUCCESS && ++s.received < rounds)
            REQUIRE(op.recv_unexpected(*s.in) == NA_SUCCESS);
    };
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    for (int i = 0; i < rounds; ++i) {
        send.reset();
        REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
        pump(pair, [&] { return send.done() && state.received == i + 1; });
    }
    CHECK(receive.completions() == rounds);
}

CINNABAR_CONFORMANCE("on a sink context callbacks run at once, and may post") {
    NetOptions options;
    options.sink = true;
    Pair pair(transport, options);
    struct State {
        Pair* pair;
        const Buffer* answer;
        Op* respond;
    };
    const Buffer question(pair.a, 8, 1), question_in(pair.b, 8);
    const Buffer answer(pair.b, 8, 2, true), answer_in(pair.a, 8, 0, true);
    Op send(pair.a), receive(pair.b), respond(pair.b), hear(pair.a);
    State state{&pair, &answer, &respond};
    receive.then_arg = &state;
    receive.then = [](Op& op, void* arg) {
        const State& s = *static_cast<State*>(arg);
        REQUIRE(s.respond->send_expected(*s.answer, op.source(), op.tag()) == NA_SUCCESS);
    };
    REQUIRE(hear.recv_expected(answer_in, pair.to_b, 3) == NA_SUCCESS);
    REQUIRE(receive.recv_unexpected(question_in) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(question, pair.to_b, 3) == NA_SUCCESS);
    pump(pair, [&] { return send.done() && receive.done() && respond.done() && hear.done(); });
    CHECK(hear.ret() == NA_SUCCESS);
    CHECK(answer_in.holds(2, 8));
    CHECK(NA_Context_get_completion_count(pair.a.context()) == 0);
}

CINNABAR_CONFORMANCE("a cancel on a sink context may call back at once") {
    NetOptions options;
    options.sink = true;
    Net net(transport, options);
    const Buffer in(net, 8);
    Op receive(net);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    REQUIRE(receive.cancel() == NA_SUCCESS);
    pump(net, [&] { return receive.done(); });
    CHECK(receive.ret() == codes::canceled);
    CHECK(receive.completions() == 1);
}
