// SPDX-License-Identifier: BSD-3-Clause
// Several contexts of a class, each with a thread of its own or none: transfers, sleepers, peers
// with another number of contexts, peers that go. What one message more or less may do is in
// context_test.cpp.
#include <thread>

#include "tests/conformance/region.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::allow_log;

namespace {

constexpr std::uint8_t contexts = 3;

NetOptions several() {
    NetOptions options;
    options.contexts = contexts;
    return options;
}

// Asks the next context of the other side, and serves the one before: for one thread, which makes
// progress in the contexts of its number alone. Without assertions, which belong to the test's own
// thread.
class Worker {
public:
    static constexpr int rounds = 40;

    Worker(Pair& both, std::uint8_t number)
        : pair_(both),
          id_(number),
          question_(both.a, 100, static_cast<unsigned char>(number)),
          question_in_(both.b, 100),
          answer_(both.b, 3000, static_cast<unsigned char>(number), true),
          answer_in_(both.a, 3000, 0, true),
          send_(both.a),
          hear_(both.a),
          receive_(both.b),
          respond_(both.b) {}

    void begin() {
        good_ = receive_.recv_unexpected(question_in_, id_) == NA_SUCCESS;
        ask();
    }
    void step() {
        progress(pair_.a);
        if (pair_.own_b != nullptr) progress(pair_.b);
        if (served_ < rounds && receive_.done() && (served_ == 0 || respond_.done())) serve();
        if (heard_ < rounds && hear_.done() && send_.done()) {
            expect(hear_.ret() == NA_SUCCESS && answer_in_.holds(next(), 3000));
            if (++heard_ < rounds) ask();
        }
    }
    // Nothing of it is under way any more. A failure ends it, too: the test then says so.
    bool done() const { return heard_ == rounds && served_ == rounds && respond_.done(); }
    bool good() const { return good_; }

private:
    std::uint8_t next() const { return static_cast<std::uint8_t>((id_ + 1) % contexts); }
    std::uint8_t previous() const {
        return static_cast<std::uint8_t>((id_ + contexts - 1) % contexts);
    }
    void expect(bool condition) { good_ = good_ && condition; }
    void progress(const Net& net) {
        expect(NA_Poll(net.cls(), net.context(id_), nullptr) == NA_SUCCESS);
        expect(NA_Trigger(net.context(id_), 16, nullptr) == NA_SUCCESS);
    }
    void ask() {
        hear_.reset();
        send_.reset();
        const auto tag = static_cast<na_tag_t>(heard_);
        expect(hear_.recv_expected(answer_in_, pair_.to_b, tag, next(), id_) == NA_SUCCESS);
        expect(send_.send_unexpected(question_, pair_.to_b, tag, next(), id_) == NA_SUCCESS);
    }
    void serve() {
        expect(receive_.ret() == NA_SUCCESS && question_in_.holds(previous(), 100));
        respond_.reset();
        expect(respond_.send_expected(answer_, receive_.source(), receive_.tag(), previous(),
                                      id_) == NA_SUCCESS);
        if (++served_ == rounds) return;
        receive_.reset();
        expect(receive_.recv_unexpected(question_in_, id_) == NA_SUCCESS);
    }

    Pair& pair_;
    const std::uint8_t id_;
    const Buffer question_, question_in_, answer_, answer_in_;
    Op send_, hear_, receive_, respond_;
    int heard_ = 0;
    int served_ = 0;
    bool good_ = true;
};

}  // namespace

CINNABAR_CONFORMANCE("each of several contexts has a thread of its own") {
    Pair pair(transport, several());
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::uint8_t id = 0; id < contexts; ++id)
        workers.push_back(std::make_unique<Worker>(pair, id));
    std::atomic<int> done{0};
    std::vector<std::thread> threads;
    for (auto& worker : workers)
        threads.emplace_back([&] {
            worker->begin();
            bool counted = false;
            // Others may need this context to be reached, or to send what they have left there.
            while (done.load() < contexts) {
                worker->step();
                if (!counted && worker->done()) {
                    counted = true;
                    ++done;
                }
                std::this_thread::yield();
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    for (const auto& worker : workers)
        CHECK(worker->good());
}

CINNABAR_CONFORMANCE("each context transfers from and to each context of the peer") {
    Pair pair(transport, several());
    constexpr std::size_t size = 50000;
    const Region local(pair.a, size, 3, 1), remote(pair.b, size, 5, 2);
    const Handle handle = remote.remote_in(pair.a);
    std::vector<std::unique_ptr<Op>> ops;
    const auto transfer_all = [&](auto* call) {
        for (std::uint8_t from = 0; from < contexts; ++from)
            for (std::uint8_t to = 0; to < contexts; ++to) {
                const std::size_t at = (from * contexts + to) * 5000u;
                ops.push_back(std::make_unique<Op>(pair.a));
                REQUIRE(call(pair.a.cls(), pair.a.context(from), Op::on_complete, ops.back().get(),
                             local.get(), at, handle.get(), at, 5000, pair.to_b.get(), to,
                             ops.back()->id()) == NA_SUCCESS);
            }
        for (const auto& op : ops) {
            pump(pair, [&] { return op->done(); });
            CHECK(op->ret() == NA_SUCCESS);
        }
        ops.clear();
    };
    constexpr auto moved = static_cast<std::ptrdiff_t>(contexts * contexts * 5000);
    transfer_all(NA_Put);
    const auto there = remote.content(), mine = content_of(size, 1), theirs = content_of(size, 2);
    CHECK(std::equal(there.begin(), there.begin() + moved, mine.begin()));
    CHECK(std::equal(there.begin() + moved, there.end(), theirs.begin() + moved));
    const Region other(pair.b, size, 2, 3);
    const Handle source = other.remote_in(pair.a);
    for (std::uint8_t from = 0; from < contexts; ++from) {
        Op op(pair.a);
        const std::size_t at = from * 5000u;
        REQUIRE(NA_Get(pair.a.cls(), pair.a.context(from), Op::on_complete, &op, local.get(), at,
                       source.get(), at, 5000, pair.to_b.get(), from, op.id()) == NA_SUCCESS);
        pump(pair, [&] { return op.done(); });
        CHECK(op.ret() == NA_SUCCESS);
    }
    const auto here = local.content(), got = content_of(size, 3);
    CHECK(std::equal(got.begin(), got.begin() + 15000, here.begin()));
}

CINNABAR_CONFORMANCE("between classes: one context talks to each of several") {
    Net one(transport);
    Net many(transport, several());
    const Address to_many = one.lookup(many);
    const auto both = [&](auto condition) {
        while (!condition()) {
            one.progress();
            many.progress();
        }
    };
    for (int round = 0; round < 2; ++round)
        for (std::uint8_t id = contexts; id-- > 0;) {
            const Buffer question(one, 50, id), question_in(many, 50);
            const Buffer answer(many, 60, static_cast<unsigned char>(id + 7), true);
            const Buffer answer_in(one, 60, 0, true);
            Op send(one), hear(one), receive(many), respond(many);
            REQUIRE(receive.recv_unexpected(question_in, id) == NA_SUCCESS);
            REQUIRE(hear.recv_expected(answer_in, to_many, 3, id) == NA_SUCCESS);
            REQUIRE(send.send_unexpected(question, to_many, 3, id) == NA_SUCCESS);
            both([&] { return send.done() && receive.done(); });
            CHECK(question_in.holds(id, 50));
            REQUIRE(respond.send_expected(answer, receive.source(), 3, 0, id) == NA_SUCCESS);
            both([&] { return respond.done() && hear.done(); });
            CHECK(hear.ret() == NA_SUCCESS);
            CHECK(answer_in.holds(static_cast<unsigned char>(id + 7), 60));
        }
}

CINNABAR_CONFORMANCE("between classes: a peer that closes ends what waits in each context") {
    Pair pair(transport, several());
    allow_log("");
    std::vector<Buffer> in;
    std::vector<std::unique_ptr<Op>> receives;
    for (std::uint8_t id = 0; id < contexts; ++id) {
        const Buffer out(pair.a, 8, 1), out_in(pair.b, 8);
        Op send(pair.a), receive(pair.b);
        REQUIRE(receive.recv_unexpected(out_in, id) == NA_SUCCESS);
        REQUIRE(send.send_unexpected(out, pair.to_b, 1, id, id) == NA_SUCCESS);
        pump(pair, [&] { return send.done() && receive.done(); });
        in.emplace_back(pair.a, 8, 0, true);
        receives.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(receives.back()->recv_expected(in.back(), pair.to_b, 5, id, id) == NA_SUCCESS);
    }
    pair.to_a = Address();
    pair.b.close();
    for (const auto& receive : receives) {
        pump(pair.a, [&] { return receive->done(); });
        CHECK(receive->ret() == codes::peer_is_gone);
        CHECK(receive->completions() == 1);
    }
}

CINNABAR_CONFORMANCE("a sleeper in each of several contexts is woken by its message") {
    Pair pair(transport, several());
    const Buffer out(pair.a, 8, 1);
    std::vector<Buffer> in;
    std::vector<std::unique_ptr<Op>> receives;
    for (std::uint8_t id = 0; id < contexts; ++id) {
        in.emplace_back(pair.b, 8);
        receives.push_back(std::make_unique<Op>(pair.b));
        REQUIRE(receives.back()->recv_unexpected(in.back(), id) == NA_SUCCESS);
    }
    std::vector<std::thread> sleepers;
    for (std::uint8_t id = 0; id < contexts; ++id)
        sleepers.emplace_back([&, id] {
            while (!receives[id]->done()) {
                // Longer than the watchdog waits: only the message can end it.
                if (NA_Poll_wait(pair.b.cls(), pair.b.context(id), NA_MAX_IDLE_TIME, nullptr) !=
                    NA_SUCCESS)
                    std::abort();
                (void)NA_Trigger(pair.b.context(id), 10, nullptr);
            }
        });
    // Context 0 last: some transports need it to reach the others.
    for (std::uint8_t id = contexts; id-- > 0;) {
        Op send(pair.a);
        REQUIRE(send.send_unexpected(out, pair.to_b, 1, id) == NA_SUCCESS);
        // Of a class that calls itself, the sleeper's own progress is all there is.
        if (pair.own_b != nullptr) pump(pair.a, [&] { return send.done(); });
        sleepers[id].join();
        pump(pair.a, [&] { return send.done(); });
        CHECK(receives[id]->ret() == NA_SUCCESS);
        CHECK(in[id].holds(1, 8));
    }
}
