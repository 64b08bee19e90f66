// SPDX-License-Identifier: BSD-3-Clause
// Messages and transfers without an operation: either nothing has happened, or all has.
#include <string_view>

#include "tests/conformance/region.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;

namespace {

// The transports that promise it, for what needs no waiting: others may always say NA_AGAIN.
bool moves_at_once(const Transport& transport) {
    return std::string_view(transport.info).starts_with("na+sm") && transport.peers == Peers::two;
}
bool sends_at_once(const Transport& transport) {
    return moves_at_once(transport) || (std::string_view(transport.info).starts_with("na+tcp") &&
                                        transport.peers == Peers::two);
}

na_return_t try_send(Net& net, const Buffer& buffer, const Address& to, na_tag_t tag) {
    return NA_Msg_try_send_unexpected(net.cls(), net.context(), buffer.data(), buffer.size(),
                                      buffer.plugin_data(), to.get(), 0, tag);
}

na_return_t try_answer(Net& net, const Buffer& buffer, const Address& to, na_tag_t tag) {
    return NA_Msg_try_send_expected(net.cls(), net.context(), buffer.data(), buffer.size(),
                                    buffer.plugin_data(), to.get(), 0, tag);
}

na_return_t try_transfer(Pair& pair, const Transfer& transfer) {
    const auto move = transfer.direction == Direction::put ? NA_Try_put : NA_Try_get;
    return move(pair.a.cls(), pair.a.context(), transfer.local, transfer.local_offset,
                transfer.remote, transfer.remote_offset, transfer.size, pair.to_b.get(), 0);
}

}  // namespace

CINNABAR_CONFORMANCE("tried messages keep their place among the posted ones") {
    Pair pair(transport);
    exchange(pair);
    constexpr na_tag_t count = 400;
    int left_at_once = 0;
    Op receive(pair.b);
    std::vector<std::unique_ptr<Op>> posted;
    std::vector<Buffer> out;
    for (na_tag_t tag = 0; tag < count; ++tag) {
        out.emplace_back(pair.a, 40 + tag % 100, static_cast<unsigned char>(tag));
        // Room comes at the receiver while posted ones still wait here.
        if (tag % 150 == 141) pair.b.progress();
        // Every fifth is posted in any case.
        const na_return_t ret =
            tag % 5 == 0 ? NA_AGAIN : try_send(pair.a, out.back(), pair.to_b, tag);
        if (ret == NA_SUCCESS) {
            ++left_at_once;
            continue;
        }
        REQUIRE(ret == NA_AGAIN);
        posted.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(posted.back()->send_unexpected(out.back(), pair.to_b, tag) == NA_SUCCESS);
    }
    for (na_tag_t tag = 0; tag < count; ++tag) {
        const std::size_t size = 40 + tag % 100;
        const Buffer in(pair.b, size);
        receive.reset();
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        pump(pair, [&] { return receive.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
        REQUIRE(receive.tag() == tag);
        CHECK(receive.size() == in.size());
        CHECK(in.holds(static_cast<unsigned char>(tag), size));
    }
    pump(pair, [&] {
        for (const auto& op : posted)
            if (!op->done()) return false;
        return true;
    });
    // Each posted one has a completion of its own, the others have none.
    for (const auto& op : posted)
        CHECK(op->completions() == 1);
    if (sends_at_once(transport)) CHECK(left_at_once > 0);
}

CINNABAR_CONFORMANCE("a tried answer completes the receive that expects it") {
    Pair pair(transport);
    exchange(pair);
    Op receive(pair.a), send(pair.b);
    const Buffer out(pair.b, 100, 9, true);
    const Buffer in(pair.a, 100, 0, true);
    REQUIRE(receive.recv_expected(in, pair.to_b, 21) == NA_SUCCESS);
    const na_return_t ret = try_answer(pair.b, out, pair.to_a, 21);
    if (ret != NA_SUCCESS) {
        REQUIRE(ret == NA_AGAIN);
        REQUIRE(send.send_expected(out, pair.to_a, 21) == NA_SUCCESS);
    }
    pump(pair, [&] { return receive.done() && (ret == NA_SUCCESS || send.done()); });
    CHECK(receive.ret() == NA_SUCCESS);
    CHECK(in.holds(9, 100));
    if (sends_at_once(transport)) CHECK(ret == NA_SUCCESS);
}

CINNABAR_CONFORMANCE("to a peer that is not connected nothing is tried, and a post arrives") {
    Pair pair(transport);
    const Buffer out(pair.a, 30, 3);
    const Buffer in(pair.b, 30);
    Op send(pair.a), receive(pair.b);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    const na_return_t ret = try_send(pair.a, out, pair.to_b, 5);
    if (ret != NA_SUCCESS) {
        REQUIRE(ret == NA_AGAIN);
        REQUIRE(send.send_unexpected(out, pair.to_b, 5) == NA_SUCCESS);
    }
    pump(pair, [&] { return receive.done() && (ret == NA_SUCCESS || send.done()); });
    CHECK(receive.tag() == 5);
    CHECK(in.holds(3, 30));
    // It came once.
    exchange(pair);
}

CINNABAR_CONFORMANCE("what may not be posted may not be tried") {
    cinnabar::test::allow_log("");
    Pair pair(transport);
    exchange(pair);
    const Buffer big(pair.a, NA_Msg_get_max_unexpected_size(pair.a.cls()) + 1);
    CHECK(try_send(pair.a, big, pair.to_b, 1) == codes::message_above_limit);
    CHECK(try_answer(pair.a, big, pair.to_b, 1) == codes::message_above_limit);
    const Buffer small(pair.a, 8);
    CHECK(NA_Msg_try_send_unexpected(pair.a.cls(), pair.a.context(), small.data(), small.size(),
                                     small.plugin_data(), nullptr, 0, 1) == codes::null_argument);
    const Region local(pair.a, 100, 1, 1), remote(pair.b, 100, 1, 2);
    const Region closed(pair.b, 100, 1, 3, NA_MEM_WRITE_ONLY);
    const Handle there = remote.remote_in(pair.a), shut = closed.remote_in(pair.a);
    for (const Transfer& transfer :
         {Transfer{Direction::get, local.get(), 0, there.get(), 1, 100},
          Transfer{Direction::put, local.get(), 90, there.get(), 0, 11},
          Transfer{Direction::get, local.get(), 0, shut.get(), 0, 100}}) {
        CHECK(try_transfer(pair, transfer) != NA_SUCCESS);
        CHECK(local.content() == content_of(100, 1));
        CHECK(remote.content() == content_of(100, 2));
    }
    CHECK(NA_Try_get(pair.a.cls(), pair.a.context(), local.get(), 0, there.get(), 0, 100, nullptr,
                     0) == codes::null_argument);
}

CINNABAR_CONFORMANCE("a tried transfer is whole or not begun") {
    Pair pair(transport);
    exchange(pair);
    for (const std::size_t size : {1u, 64u, 4096u, 65537u, 1048576u, 5000001u})
        for (const Direction direction : {Direction::put, Direction::get}) {
            CAPTURE(size, direction == Direction::put);
            const Region local(pair.a, size + 3, 1, 1);
            const Region remote(pair.b, size + 7, 1, 2);
            const Handle there = remote.remote_in(pair.a);
            const na_return_t ret =
                try_transfer(pair, {direction, local.get(), 3, there.get(), 7, size});
            const auto ours = content_of(size + 3, 1), theirs = content_of(size + 7, 2);
            auto expected = direction == Direction::put ? theirs : ours;
            if (ret == NA_SUCCESS)
                std::copy_n((direction == Direction::put ? ours.begin() + 3 : theirs.begin() + 7),
                            size, expected.begin() + (direction == Direction::put ? 7 : 3));
            else
                REQUIRE(ret == NA_AGAIN);
            CHECK(local.content() == (direction == Direction::get ? expected : ours));
            CHECK(remote.content() == (direction == Direction::put ? expected : theirs));
            if (moves_at_once(transport) && size <= 1048576) CHECK(ret == NA_SUCCESS);
        }
}
