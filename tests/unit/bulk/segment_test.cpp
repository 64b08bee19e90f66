// SPDX-License-Identifier: BSD-3-Clause
// Ranges over segments, up to the edges where sums would wrap.
#include "bulk/segment.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

using namespace cinnabar::bulk;

namespace {

constexpr std::uint64_t huge = UINT64_MAX;

struct Piece {
    const char* base;
    std::uint64_t length;
    bool operator==(const Piece&) const = default;
};

std::vector<Piece> visited(std::span<const na_segment> segments, std::uint64_t offset,
                           std::uint64_t size) {
    std::vector<Piece> pieces;
    visit_range(segments, offset, size, [&](const char* base, std::uint64_t length) {
        pieces.push_back({base, length});
        return true;
    });
    return pieces;
}

}  // namespace

TEST_CASE("in_range accepts what lies inside and nothing that wraps") {
    CHECK(in_range(0, 0, 0));
    CHECK(in_range(0, 10, 10));
    CHECK(in_range(10, 0, 10));
    CHECK(in_range(3, 7, 10));
    CHECK_FALSE(in_range(3, 8, 10));
    CHECK_FALSE(in_range(11, 0, 10));
    CHECK_FALSE(in_range(0, 1, 0));
    CHECK(in_range(0, huge, huge));
    CHECK(in_range(huge, 0, huge));
    CHECK(in_range(huge - 1, 1, huge));
    CHECK_FALSE(in_range(huge, 1, huge));
    CHECK_FALSE(in_range(1, huge, huge));
    CHECK_FALSE(in_range(huge, huge, huge));
    CHECK_FALSE(in_range(huge - 1, 2, 10));
    CHECK_FALSE(in_range(5, huge - 4, 10));
    CHECK_FALSE(in_range(std::uint64_t{1} << 63, std::uint64_t{1} << 63, 10));
}

TEST_CASE("in_range agrees with arithmetic that cannot wrap") {
    std::mt19937_64 random(7);
    const auto edge = [&]() -> std::uint64_t {
        const std::uint64_t near = random() % 4;
        switch (random() % 4) {
            case 0:
                return near;
            case 1:
                return huge - near;
            case 2:
                return (std::uint64_t{1} << 63) - 2 + near;
            default:
                return 100 + near;
        }
    };
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t offset = edge();
        const std::uint64_t size = edge();
        const std::uint64_t length = edge();
        __extension__ using Wide = unsigned __int128;
        const bool expected = Wide{offset} + size <= length;
        if (in_range(offset, size, length) != expected)
            FAIL(offset << " + " << size << " in " << length);
    }
}

TEST_CASE("a range is visited in pieces, empty segments left out") {
    char a[4];
    char b[4];
    char c[4];
    const std::vector<na_segment> segments{{a, 3}, {nullptr, 0}, {b, 4}, {c, 0}, {c, 2}};
    CHECK(visited(segments, 0, 9) == std::vector<Piece>{{a, 3}, {b, 4}, {c, 2}});
    CHECK(visited(segments, 2, 3) == std::vector<Piece>{{a + 2, 1}, {b, 2}});
    CHECK(visited(segments, 3, 4) == std::vector<Piece>{{b, 4}});
    CHECK(visited(segments, 4, 1) == std::vector<Piece>{{b + 1, 1}});
    CHECK(visited(segments, 7, 2) == std::vector<Piece>{{c, 2}});
    CHECK(visited(segments, 5, 0).empty());
    CHECK(visited(segments, 9, 0).empty());
    CHECK(visited({}, 0, 0).empty());
}

TEST_CASE("a visit ends when the visitor says so") {
    char a[4];
    const std::vector<na_segment> segments{{a, 1}, {a + 1, 1}, {a + 2, 1}};
    int calls = 0;
    visit_range(segments, 0, 3, [&](const char*, std::uint64_t) { return ++calls < 2; });
    CHECK(calls == 2);
}

TEST_CASE("a visit covers a range byte by byte as it lies in the segments") {
    std::mt19937_64 random(11);
    for (int round = 0; round < 500; ++round) {
        std::string memory(100, ' ');
        for (char& byte : memory)
            byte = static_cast<char>(random());
        std::vector<na_segment> segments;
        std::string flat;
        for (std::uint64_t i = random() % 8; i > 0; --i) {
            const std::size_t start = random() % 90;
            const std::size_t length = random() % 10;
            segments.push_back({memory.data() + start, length});
            flat += memory.substr(start, length);
        }
        const std::size_t offset = random() % (flat.size() + 1);
        const std::size_t size = random() % (flat.size() - offset + 1);
        std::string seen;
        for (const Piece& piece : visited(segments, offset, size)) {
            REQUIRE(piece.length > 0);
            seen.append(piece.base, piece.length);
        }
        REQUIRE(seen == flat.substr(offset, size));
    }
}
