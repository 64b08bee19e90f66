// SPDX-License-Identifier: BSD-3-Clause
// What a transport may not do for every message: allocate.
#include "tests/conformance/region.hpp"
#include "tests/support/allocation_counter.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::AllocationCounter;

namespace {

struct Rally {
    Rally(Pair& both, std::size_t size)
        : pair(both),
          question(both.a, size, 1),
          question_in(both.b, size),
          answer(both.b, size, 2, true),
          answer_in(both.a, size, 0, true),
          send(both.a),
          receive(both.b),
          respond(both.b),
          hear(both.a) {}

    // One request and its answer; without assertions, which allocate.
    bool play(na_tag_t tag) {
        for (Op* op : {&send, &receive, &respond, &hear})
            op->reset();
        if (receive.recv_unexpected(question_in) != NA_SUCCESS) return false;
        if (hear.recv_expected(answer_in, pair.to_b, tag) != NA_SUCCESS) return false;
        if (send.send_unexpected(question, pair.to_b, tag) != NA_SUCCESS) return false;
        pump(pair, [&] { return receive.done(); });
        if (respond.send_expected(answer, receive.source(), tag) != NA_SUCCESS) return false;
        pump(pair, [&] { return hear.done() && respond.done() && send.done(); });
        return hear.ret() == NA_SUCCESS && receive.ret() == NA_SUCCESS;
    }

    Pair& pair;
    Buffer question, question_in, answer, answer_in;
    Op send, receive, respond, hear;
};

}  // namespace

CINNABAR_CONFORMANCE("messages in a steady state allocate nothing") {
    if (!AllocationCounter::available()) return;
    Pair pair(transport);
    for (const std::size_t size : {8u, 500u, 4000u}) {
        Rally rally(pair, size);
        na_tag_t tag = 0;
        for (; tag < 1000; ++tag)
            REQUIRE(rally.play(tag));
        const AllocationCounter counter;
        bool good = true;
        for (; tag < 2000; ++tag)
            good = rally.play(tag) && good;
        const unsigned long allocations = counter.count();
        CAPTURE(size);
        CHECK(good);
        CHECK(allocations == 0);
    }
}
