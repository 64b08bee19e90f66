// SPDX-License-Identifier: BSD-3-Clause
// How transfers are cut, against a plan that goes byte by byte.
#include "bulk/plan.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace cinnabar::bulk;

namespace {

using Lengths = std::vector<std::uint64_t>;

struct Place {
    std::size_t piece;
    std::uint64_t offset;
    bool operator==(const Place&) const = default;
};

std::vector<Place> places(const Lengths& lengths) {
    std::vector<Place> all;
    for (std::size_t piece = 0; piece < lengths.size(); ++piece)
        for (std::uint64_t offset = 0; offset < lengths[piece]; ++offset)
            all.push_back({piece, offset});
    return all;
}

std::vector<Step> steps_of(Plan plan) {
    std::vector<Step> steps;
    Step step;
    while (plan.next(step))
        steps.push_back(step);
    CHECK_FALSE(plan.next(step));
    return steps;
}

Lengths random_lengths(std::mt19937_64& random) {
    Lengths lengths(random() % 6);
    for (std::uint64_t& length : lengths)
        length = random() % 3 == 0 ? 0 : random() % 20;
    return lengths;
}

std::uint64_t sum(const Lengths& lengths) {
    std::uint64_t total = 0;
    for (const std::uint64_t length : lengths)
        total += length;
    return total;
}

}  // namespace

TEST_CASE("one piece on either side makes one step") {
    const Lengths local{100};
    const Lengths remote{50};
    const auto steps = steps_of(Plan(local, 60, remote, 10, 40));
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].local_piece == 0);
    CHECK(steps[0].local_offset == 60);
    CHECK(steps[0].remote_piece == 0);
    CHECK(steps[0].remote_offset == 10);
    CHECK(steps[0].size == 40);
}

TEST_CASE("nothing to move makes no step, wherever the range begins") {
    const Lengths lengths{4, 0, 4};
    CHECK(steps_of(Plan()).empty());
    CHECK(steps_of(Plan(lengths, 0, lengths, 8, 0)).empty());
    CHECK(steps_of(Plan({}, 0, {}, 0, 0)).empty());
}

TEST_CASE("a plan never leaves its pieces, even if the range was not checked") {
    const Lengths local{4};
    const Lengths remote{3, 3};
    std::uint64_t moved = 0;
    for (const Step& step : steps_of(Plan(local, 1, remote, 0, 100)))
        moved += step.size;
    CHECK(moved == 3);
    CHECK(steps_of(Plan(local, 4, remote, 0, 1)).empty());
    CHECK(steps_of(Plan(local, UINT64_MAX, remote, 0, UINT64_MAX)).empty());
    CHECK(steps_of(Plan({}, 0, remote, 0, 5)).empty());
}

TEST_CASE("pieces as long as memory do not wrap") {
    constexpr std::uint64_t half = std::uint64_t{1} << 63;
    const Lengths local{half, half - 1};
    const Lengths remote{UINT64_MAX};
    const auto steps = steps_of(Plan(local, 1, remote, 1, UINT64_MAX - 1));
    REQUIRE(steps.size() == 2);
    CHECK(steps[0].size == half - 1);
    CHECK(steps[1].local_piece == 1);
    CHECK(steps[1].remote_offset == half);
    CHECK(steps[1].size == half - 1);
}

TEST_CASE("random plans move each byte to its place, in the fewest steps") {
    std::mt19937_64 random(5);
    for (int round = 0; round < 3000; ++round) {
        const Lengths local = random_lengths(random);
        const Lengths remote = random_lengths(random);
        const std::uint64_t local_offset = random() % (sum(local) + 1);
        const std::uint64_t remote_offset = random() % (sum(remote) + 1);
        const std::uint64_t size =
            random() % (std::min(sum(local) - local_offset, sum(remote) - remote_offset) + 1);

        const std::vector<Place> from = places(local);
        const std::vector<Place> to = places(remote);
        std::uint64_t at = 0;
        std::size_t count = 0;
        for (const Step& step : steps_of(Plan(local, local_offset, remote, remote_offset, size))) {
            REQUIRE(step.size > 0);
            ++count;
            for (std::uint64_t i = 0; i < step.size; ++i, ++at) {
                REQUIRE(from[local_offset + at] == Place{step.local_piece, step.local_offset + i});
                REQUIRE(to[remote_offset + at] == Place{step.remote_piece, step.remote_offset + i});
            }
        }
        REQUIRE(at == size);
        // A step ends where a piece ends on either side, and nowhere else.
        std::size_t fewest = size > 0 ? 1 : 0;
        for (std::uint64_t i = 1; i < size; ++i)
            if (from[local_offset + i].piece != from[local_offset + i - 1].piece ||
                to[remote_offset + i].piece != to[remote_offset + i - 1].piece)
                ++fewest;
        REQUIRE(count == fewest);
    }
}
