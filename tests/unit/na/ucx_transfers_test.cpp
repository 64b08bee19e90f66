// SPDX-License-Identifier: BSD-3-Clause
// Transfers by messages: their header, the slots of both sides, regions and their keys,
// and what is read from another process.
#include "plugins/ucx/transfers.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>

#include "plugins/ucx/direct.hpp"
#include "plugins/ucx/op.hpp"

using namespace cinnabar::ucx;

namespace {

std::shared_ptr<Region> three_segments(std::array<unsigned char, 64>& memory) {
    const std::array<na_segment, 4> segments{
        {{&memory[10], 5}, {&memory[0], 3}, {&memory[60], 0}, {&memory[40], 9}}};
    return std::make_shared<Region>(segments.data(), segments.size(), NA_MEM_READWRITE);
}

}  // namespace

TEST_CASE("a header of a transfer comes back as it was") {
    const TransferHeader in{{1, 2}, {3, 4}, 5, ~std::uint64_t{0}, 7, 8, 9};
    std::array<std::byte, transfer_header_size> bytes;
    bytes.fill(std::byte{0xff});
    encode_transfer_header(in, bytes.data());
    const TransferHeader out = decode_transfer_header(bytes.data());
    CHECK(out.token == in.token);
    CHECK(out.id == in.id);
    CHECK(out.key == 5);
    CHECK(out.offset == ~std::uint64_t{0});
    CHECK(out.size == 7);
    CHECK(out.total == 8);
    CHECK(out.code == 9);
    CHECK(bytes.back() == std::byte{0});
}

TEST_CASE("tickets are as many as slots, and what was given back is not found") {
    Tickets tickets;
    std::array<Op, transfer_slots> ops;
    std::array<TransferId, transfer_slots> ids;
    CHECK(tickets.idle());
    CHECK(tickets.any() == nullptr);
    for (std::size_t i = 0; i < ops.size(); ++i) {
        REQUIRE_FALSE(tickets.full());
        ids[i] = tickets.take(ops[i]);
    }
    CHECK(tickets.full());
    for (std::size_t i = 0; i < ops.size(); ++i)
        CHECK(tickets.find(ids[i]) == &ops[i]);
    tickets.give_back(ids[5]);
    CHECK(tickets.find(ids[5]) == nullptr);
    const TransferId again = tickets.take(ops[0]);
    CHECK(again.slot == ids[5].slot);
    CHECK(tickets.find(ids[5]) == nullptr);
    CHECK(tickets.find(again) == &ops[0]);
    CHECK(tickets.find({transfer_slots, 1}) == nullptr);
    CHECK(tickets.find({~std::uint32_t{0}, 0}) == nullptr);
    tickets.give_back(again);
    for (std::size_t left = transfer_slots - 1; left > 0; --left) {
        Op* op = tickets.any();
        REQUIRE(op != nullptr);
        tickets.give_back(ids[static_cast<std::size_t>(op - ops.data())]);
    }
    CHECK(tickets.idle());
}

TEST_CASE("a slot serves the newest transfer only") {
    Serving serving;
    bool fresh = false;
    CHECK(serving.at({transfer_slots, 1}, fresh) == nullptr);
    Served* first = serving.at({7, 10}, fresh);
    REQUIRE(first != nullptr);
    CHECK(fresh);
    serving.start(*first);
    CHECK(serving.has_work());
    CHECK(serving.at({7, 10}, fresh) == first);
    CHECK_FALSE(fresh);
    // An older one comes late.
    CHECK(serving.at({7, 9}, fresh) == nullptr);
    // A newer one ends it, also around the end of the numbers.
    REQUIRE(serving.at({7, 11}, fresh) == first);
    CHECK(fresh);
    CHECK_FALSE(serving.has_work());
    REQUIRE(serving.at({7, 0x7fffffffu}, fresh) != nullptr);
    REQUIRE(serving.at({7, 0xfffffff0u}, fresh) != nullptr);
    REQUIRE(serving.at({7, 5}, fresh) != nullptr);
    CHECK(fresh);
}

TEST_CASE("what is served takes turns, and an answer ends it") {
    Serving serving;
    bool fresh = false;
    for (const std::uint32_t slot : {0u, 5u, 63u})
        serving.start(*serving.at({slot, 1}, fresh));
    std::vector<std::uint32_t> turns;
    for (int i = 0; i < 6; ++i)
        turns.push_back(serving.next_to_send()->id.slot);
    CHECK(turns == std::vector<std::uint32_t>{0, 5, 63, 0, 5, 63});
    CHECK(serving.next_answer() == nullptr);
    Served& five = *serving.at({5, 1}, fresh);
    serving.answer(five, NA_PERMISSION);
    CHECK(five.ended);
    REQUIRE(serving.next_answer() == &five);
    CHECK(five.code == NA_PERMISSION);
    serving.stop(five);
    CHECK(serving.next_answer() == nullptr);
    // A new transfer in a slot leaves the others alone.
    (void)serving.at({63, 2}, fresh);
    REQUIRE(serving.next_to_send() != nullptr);
    CHECK(serving.next_to_send()->id.slot == 0);
}

TEST_CASE("a region is copied through its segments") {
    std::array<unsigned char, 64> memory{};
    const auto owned = three_segments(memory);
    const Region& region = *owned;
    std::array<std::byte, 17> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(i + 1);
    region.copy_in(0, bytes.data(), bytes.size());
    CHECK(memory[10] == 1);
    CHECK(memory[14] == 5);
    CHECK(memory[0] == 6);
    CHECK(memory[2] == 8);
    CHECK(memory[40] == 9);
    CHECK(memory[48] == 17);
    CHECK(memory[3] == 0);
    CHECK(memory[15] == 0);
    for (std::size_t offset = 0; offset <= 17; ++offset)
        for (std::size_t size = 0; offset + size <= 17; ++size) {
            std::array<std::byte, 17> out{};
            region.copy_out(offset, out.data(), size);
            CHECK(std::memcmp(out.data(), bytes.data() + offset, size) == 0);
        }
}

TEST_CASE("a region is found by its key, while it is registered") {
    RegionTable table;
    std::array<unsigned char, 64> memory{};
    std::set<std::uint64_t> keys;
    for (int i = 0; i < 100; ++i)
        keys.insert(table.insert(three_segments(memory)));
    CHECK(keys.size() == 100);
    CHECK(keys.count(0) == 0);
    const std::uint64_t key = *keys.begin();
    CHECK(table.find(key) != nullptr);
    CHECK(table.find(key + 1) == nullptr);
    table.erase(key);
    CHECK(table.find(key) == nullptr);
}

TEST_CASE("nobody copies a region that is retired, and it waits for those who do") {
    std::array<unsigned char, 64> memory{};
    const na_segment segment{memory.data(), memory.size()};
    Region region(&segment, 1, NA_MEM_READWRITE);
    CHECK_FALSE(region.pin());
    region.revive();
    REQUIRE(region.pin());
    std::atomic<bool> retired{false};
    std::thread owner([&] {
        region.retire();
        retired = true;
    });
    // From now on it is refused, and still ours.
    for (bool pinned = true; pinned;)
        if ((pinned = region.pin())) region.unpin();
    CHECK_FALSE(retired);
    region.unpin();
    owner.join();
    CHECK(retired);
    CHECK_FALSE(region.pin());
}

TEST_CASE("a range is described and parsed, and what does not add up is refused") {
    const std::vector<Segment> segments = {{1000, 10, 0, 0}, {5000, 1, 10, 0}, {70, 100, 11, 1}};
    std::array<std::byte, 3 * described_segment_size> bytes{};
    REQUIRE(describe_range(segments, 4, 20, bytes) == bytes.size());
    std::vector<Segment> parsed;
    REQUIRE(parse_range(bytes, 20, parsed));
    REQUIRE(parsed.size() == 3);
    CHECK(parsed[0].base == 1004);
    CHECK(parsed[0].length == 6);
    CHECK(parsed[1].base == 5000);
    CHECK(parsed[1].start == 6);
    CHECK(parsed[2].base == 70);
    CHECK(parsed[2].length == 13);
    CHECK(parsed[2].start == 7);
    CHECK_FALSE(parse_range(bytes, 19, parsed));
    CHECK_FALSE(parse_range(bytes, 21, parsed));
    CHECK_FALSE(parse_range(std::span(bytes).first(bytes.size() - 1), 20, parsed));
    CHECK_FALSE(parse_range({}, 0, parsed));
    CHECK_FALSE(parse_range({}, 20, parsed));
    // Lengths of nothing, and ends beyond the last address.
    const std::array<std::byte, described_segment_size> zeros{};
    CHECK_FALSE(parse_range(zeros, 0, parsed));
    std::array<std::byte, described_segment_size> ones;
    ones.fill(std::byte{0xff});
    CHECK_FALSE(parse_range(ones, ~std::uint64_t{0}, parsed));
    // No room.
    CHECK(describe_range(segments, 4, 20, std::span(bytes).first(bytes.size() - 1)) == 0);
}

TEST_CASE("a process is read, as far as it may be, and known by its proof") {
    const auto self = static_cast<std::uint32_t>(::getpid());
    const std::array<unsigned char, 6> from = {1, 2, 3, 4, 5, 6};
    std::array<unsigned char, 6> to{};
    const auto source = reinterpret_cast<std::uintptr_t>(from.data());
    const auto target = reinterpret_cast<std::uintptr_t>(to.data());
    const std::vector<Segment> there = {{source + 3, 3, 0, 0}, {source, 3, 3, 0}};
    const std::vector<Segment> here = {{target, 1, 0, 0}, {target + 1, 5, 1, 0}};
    CHECK(read_process(self, there, 1, here, 0, 5) == 5);
    CHECK(to == std::array<unsigned char, 6>{5, 6, 1, 2, 3, 0});
    CHECK(read_process(self, {{8, 4, 0, 0}}, 0, here, 0, 4) == -EFAULT);
    const std::uint64_t proof = 4711;
    const auto at = reinterpret_cast<std::uintptr_t>(&proof);
    CHECK(can_read(self, at, proof));
    CHECK_FALSE(can_read(self, at, proof + 1));
    CHECK_FALSE(can_read(self, 8, proof));
    const std::uint64_t zero = 0;
    CHECK_FALSE(can_read(self, reinterpret_cast<std::uintptr_t>(&zero), zero));
}
