// SPDX-License-Identifier: BSD-3-Clause
// Put and get: every size, any offset, any segmentation on both sides, what is refused, many at
// once.
#include <algorithm>
#include <limits>

#include "tests/conformance/region.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::allow_log;

namespace {

// The content of `to` after `size` bytes were copied into it from `from`.
std::vector<unsigned char> copied(std::vector<unsigned char> to, std::size_t to_offset,
                                  const std::vector<unsigned char>& from, std::size_t from_offset,
                                  std::size_t size) {
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(from_offset), size,
                to.begin() + static_cast<std::ptrdiff_t>(to_offset));
    return to;
}

// Both directions between two regions, with the content of both compared in full.
void check_transfers(Pair& pair, std::size_t size, std::size_t local_segments,
                     std::size_t remote_segments, std::size_t local_offset,
                     std::size_t remote_offset) {
    CAPTURE(size, local_segments, remote_segments, local_offset, remote_offset);
    const std::size_t local_size = local_offset + size + 11;
    const std::size_t remote_size = remote_offset + size + 5;
    for (const Direction direction : {Direction::put, Direction::get}) {
        const Region local(pair.a, local_size, local_segments, 1);
        const Region remote(pair.b, remote_size, remote_segments, 2);
        const Handle handle = remote.remote_in(pair.a);
        REQUIRE(run(pair, {direction, local.get(), local_offset, handle.get(), remote_offset,
                           size}) == NA_SUCCESS);
        const auto local_before = content_of(local_size, 1);
        const auto remote_before = content_of(remote_size, 2);
        const bool put = direction == Direction::put;
        REQUIRE(local.content() ==
                (put ? local_before
                     : copied(local_before, local_offset, remote_before, remote_offset, size)));
        REQUIRE(remote.content() ==
                (put ? copied(remote_before, remote_offset, local_before, local_offset, size)
                     : remote_before));
    }
}

}  // namespace

CINNABAR_CONFORMANCE("transfers of every size arrive whole") {
    Pair pair(transport);
    for (const std::size_t size : {0u, 1u, 7u, 8u, 63u, 64u, 65u, 1000u, 4095u, 4096u, 4097u,
                                   65535u, 65536u, 65537u, 262145u, 1048576u, 5000001u})
        check_transfers(pair, size, 1, 1, 0, 0);
}

CINNABAR_CONFORMANCE("transfers run through segments of unequal sizes at odd offsets") {
    Pair pair(transport);
    for (const std::size_t local_segments : {1u, 2u, 16u, 1024u})
        for (const std::size_t remote_segments : {1u, 2u, 16u, 1024u}) {
            check_transfers(pair, 50001, local_segments, remote_segments, 0, 0);
            check_transfers(pair, 50001, local_segments, remote_segments, 3, 1009);
            check_transfers(pair, 1, local_segments, remote_segments, 4999, 777);
        }
}

CINNABAR_CONFORMANCE("an empty transfer succeeds anywhere inside, also at the end") {
    Pair pair(transport);
    const Region local(pair.a, 100, 2, 1), remote(pair.b, 200, 2, 2);
    const Handle handle = remote.remote_in(pair.a);
    for (const Direction direction : {Direction::put, Direction::get}) {
        CHECK(run(pair, {direction, local.get(), 0, handle.get(), 0, 0}) == NA_SUCCESS);
        CHECK(run(pair, {direction, local.get(), 100, handle.get(), 200, 0}) == NA_SUCCESS);
    }
}

CINNABAR_CONFORMANCE("a range outside either memory is refused, wrapping ones too") {
    Pair pair(transport);
    const Region local(pair.a, 100, 2, 1), remote(pair.b, 200, 2, 2);
    const Handle handle = remote.remote_in(pair.a);
    allow_log("");
    constexpr auto huge = std::numeric_limits<std::uint64_t>::max();
    struct Range {
        na_offset_t local;
        na_offset_t remote;
        std::size_t size;
    };
    for (const Range& range :
         {Range{0, 0, 101}, Range{1, 0, 100}, Range{101, 0, 1}, Range{0, 101, 100},
          Range{0, 200, 1}, Range{0, 201, 0}, Range{101, 0, 0}, Range{huge, 0, 1},
          Range{0, huge, 1}, Range{huge - 49, 0, 100}, Range{0, huge - 49, 100}, Range{0, 0, huge},
          Range{50, 50, huge - 20}})
        for (const Direction direction : {Direction::put, Direction::get}) {
            CAPTURE(range.local, range.remote, range.size);
            CHECK(run(pair, {direction, local.get(), range.local, handle.get(), range.remote,
                             range.size}) == codes::range_outside_memory);
        }
    CHECK(local.content() == content_of(100, 1));
    CHECK(remote.content() == content_of(200, 2));
    exchange(pair);
}

CINNABAR_CONFORMANCE("a direction that the owner forbids is refused") {
    Pair pair(transport);
    const Region local(pair.a, 100, 1, 1);
    const Region readable(pair.b, 100, 1, 2, NA_MEM_READ_ONLY);
    const Region writable(pair.b, 100, 1, 3, NA_MEM_WRITE_ONLY);
    const Handle read = readable.remote_in(pair.a), write = writable.remote_in(pair.a);
    allow_log("");
    CHECK(run(pair, {Direction::put, local.get(), 0, read.get(), 0, 10}) ==
          codes::direction_forbidden);
    CHECK(run(pair, {Direction::get, local.get(), 0, write.get(), 0, 10}) ==
          codes::direction_forbidden);
    CHECK(readable.content() == content_of(100, 2));
    CHECK(local.content() == content_of(100, 1));
    CHECK(run(pair, {Direction::put, local.get(), 0, write.get(), 0, 10}) == NA_SUCCESS);
    CHECK(run(pair, {Direction::get, local.get(), 0, read.get(), 0, 10}) == NA_SUCCESS);
}

CINNABAR_CONFORMANCE("deregistered memory is not written, or the transfer says so") {
    Pair pair(transport);
    exchange(pair);
    allow_log("");
    const Region local(pair.a, 100, 1, 1);
    Region remote(pair.b, 100, 1, 2);
    const Handle handle = remote.remote_in(pair.a);
    REQUIRE(run(pair, {Direction::get, local.get(), 0, handle.get(), 0, 100}) == NA_SUCCESS);
    remote.deregister();
    // A transport that copies memory directly may not notice; one that does must say so once.
    const na_return_t ret = run(pair, {Direction::put, local.get(), 0, handle.get(), 0, 100});
    if (ret != NA_SUCCESS) CHECK(remote.content() == content_of(100, 2));
    exchange(pair);
}

CINNABAR_CONFORMANCE(
    "a transfer that the peer refuses harms neither messages nor other transfers") {
    Pair pair(transport);
    exchange(pair);
    allow_log("");
    constexpr std::size_t count = 9, piece = 10000;
    const Region in(pair.a, count * piece, 1, 1), source(pair.b, count * piece, 3, 2);
    Region gone(pair.b, piece, 1, 3);
    const Handle good = source.remote_in(pair.a), bad = gone.remote_in(pair.a);
    gone.deregister();
    for (int round = 0; round < 3; ++round) {
        const Buffer answer_in(pair.a, 8, 0, true), answer(pair.b, 8, 7, true);
        Op wait(pair.a), send(pair.b);
        REQUIRE(wait.recv_expected(answer_in, pair.to_b, 5) == NA_SUCCESS);
        std::vector<std::unique_ptr<Op>> ops;
        for (std::size_t i = 0; i < count; ++i) {
            ops.push_back(std::make_unique<Op>(pair.a));
            const auto* from = i == count / 2 ? &bad : &good;
            REQUIRE(post(*ops.back(), pair,
                         {Direction::get, in.get(), i * piece, from->get(),
                          from == &bad ? 0 : i * piece, piece}) == NA_SUCCESS);
        }
        pump(pair, [&] {
            return std::all_of(ops.begin(), ops.end(), [](auto& op) { return op->done(); });
        });
        for (std::size_t i = 0; i < count; ++i)
            if (i != count / 2) REQUIRE(ops[i]->ret() == NA_SUCCESS);
        CHECK_FALSE(wait.done());
        REQUIRE(send.send_expected(answer, pair.to_a, 5) == NA_SUCCESS);
        pump(pair, [&] { return wait.done() && send.done(); });
        CHECK(wait.ret() == NA_SUCCESS);
        CHECK(answer_in.holds(7, 8));
    }
    const auto content = in.content(), wanted = content_of(count * piece, 2);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < content.size(); ++i)
        if (i / piece != count / 2 && content[i] != wanted[i]) ++wrong;
    CHECK(wrong == 0);
}

CINNABAR_CONFORMANCE("many transfers and messages are in flight at once") {
    Pair pair(transport);
    constexpr std::size_t count = 64, piece = 20000;
    const Region out(pair.a, count * piece, 3, 1), in(pair.a, count * piece, 2, 9);
    const Region target(pair.b, count * piece, 5, 2), source(pair.b, count * piece, 1, 3);
    const Handle to = target.remote_in(pair.a), from = source.remote_in(pair.a);
    std::vector<std::unique_ptr<Op>> ops;
    for (std::size_t i = 0; i < count; ++i) {
        ops.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(post(*ops.back(), pair,
                     {Direction::put, out.get(), i * piece, to.get(), i * piece, piece}) ==
                NA_SUCCESS);
        ops.push_back(std::make_unique<Op>(pair.a));
        REQUIRE(post(*ops.back(), pair,
                     {Direction::get, in.get(), i * piece, from.get(), i * piece, piece}) ==
                NA_SUCCESS);
        if (i % 8 == 0) exchange(pair, 100, static_cast<na_tag_t>(i));
    }
    pump(pair,
         [&] { return std::all_of(ops.begin(), ops.end(), [](auto& op) { return op->done(); }); });
    for (const auto& op : ops)
        REQUIRE(op->ret() == NA_SUCCESS);
    CHECK(target.content() == content_of(count * piece, 1));
    CHECK(in.content() == content_of(count * piece, 3));
}

CINNABAR_CONFORMANCE("a completed put is visible to whoever is told by a message") {
    Pair pair(transport);
    const Region local(pair.a, 100000, 1, 1), remote(pair.b, 100000, 4, 2);
    const Handle handle = remote.remote_in(pair.a);
    REQUIRE(run(pair, {Direction::put, local.get(), 0, handle.get(), 0, 100000}) == NA_SUCCESS);
    CHECK(remote.content() == content_of(100000, 1));
}

CINNABAR_CONFORMANCE("a cancelled transfer ends once") {
    Pair pair(transport);
    exchange(pair);
    const Region local(pair.a, 4000000, 1, 1), remote(pair.b, 4000000, 1, 2);
    const Handle handle = remote.remote_in(pair.a);
    for (int round = 0; round < 10; ++round)
        for (const Direction direction : {Direction::put, Direction::get}) {
            Op op(pair.a);
            REQUIRE(post(op, pair, {direction, local.get(), 0, handle.get(), 0, 4000000}) ==
                    NA_SUCCESS);
            for (int i = 0; i < round; ++i)
                pair.progress();
            REQUIRE(op.cancel() == NA_SUCCESS);
            pump(pair, [&] { return op.done(); });
            REQUIRE((op.ret() == NA_SUCCESS || op.ret() == codes::canceled));
            for (int i = 0; i < 5; ++i)
                pair.progress();
            REQUIRE(op.completions() == 1);
        }
    exchange(pair);
}

CINNABAR_CONFORMANCE("an address may be freed once operations with it are posted") {
    Pair pair(transport);
    const Region local(pair.a, 20000, 1, 1), remote(pair.b, 20000, 1, 2);
    const Handle handle = remote.remote_in(pair.a);
    const Buffer in(pair.b, 8), out(pair.a, 8, 3);
    Op receive(pair.b), send(pair.a), get(pair.a), put(pair.a);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    REQUIRE(post(get, pair, {Direction::get, local.get(), 0, handle.get(), 0, 5000}) == NA_SUCCESS);
    REQUIRE(post(put, pair, {Direction::put, local.get(), 10000, handle.get(), 10000, 5000}) ==
            NA_SUCCESS);
    REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
    pair.to_b = Address();
    pump(pair, [&] { return receive.done() && send.done() && get.done() && put.done(); });
    CHECK(receive.ret() == NA_SUCCESS);
    CHECK(in.holds(3, 8));
    CHECK(send.ret() == NA_SUCCESS);
    CHECK(get.ret() == NA_SUCCESS);
    CHECK(put.ret() == NA_SUCCESS);
    CHECK(local.content() == copied(content_of(20000, 1), 0, content_of(20000, 2), 0, 5000));
}
