// SPDX-License-Identifier: BSD-3-Clause
// Copies between lists of segments against a copy byte by byte.
#include "bulk/local_copy.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>
#include <string>
#include <vector>

using namespace cinnabar::bulk;

namespace {

using Random = std::mt19937_64;

std::string random_bytes(Random& random, std::size_t size) {
    std::string bytes(size, ' ');
    for (char& byte : bytes)
        byte = static_cast<char>(random());
    return bytes;
}

// Cuts memory into segments that do not overlap, shuffled, some empty.
std::vector<na_segment> cut(Random& random, std::string& memory) {
    std::vector<na_segment> segments;
    std::size_t start = 0;
    while (start < memory.size()) {
        const std::size_t length = std::min<std::size_t>(random() % 9, memory.size() - start);
        segments.push_back({memory.data() + start, length});
        start += length;
    }
    std::shuffle(segments.begin(), segments.end(), random);
    return segments;
}

// Where each byte of the segments lies.
std::vector<char*> places(const std::vector<na_segment>& segments) {
    std::vector<char*> all;
    for (const na_segment& segment : segments)
        for (std::size_t i = 0; i < segment.len; ++i)
            all.push_back(static_cast<char*>(segment.base) + i);
    return all;
}

}  // namespace

TEST_CASE("copies between unequal segmentations are as copies byte by byte") {
    Random random(3);
    for (int round = 0; round < 1000; ++round) {
        std::string source = random_bytes(random, random() % 64 + 1);
        std::string target = random_bytes(random, random() % 64 + 1);
        const std::vector<na_segment> from = cut(random, source);
        const std::vector<na_segment> to = cut(random, target);
        const std::size_t from_offset = random() % (source.size() + 1);
        const std::size_t to_offset = random() % (target.size() + 1);
        const std::size_t size =
            random() % (std::min(source.size() - from_offset, target.size() - to_offset) + 1);

        std::string expected = target;
        const std::vector<char*> read = places(from);
        const std::vector<char*> written = places(to);
        for (std::size_t i = 0; i < size; ++i)
            expected[static_cast<std::size_t>(written[to_offset + i] - target.data())] =
                *read[from_offset + i];

        const std::string before = source;
        copy({to, to_offset}, {from, from_offset}, size);
        REQUIRE(target == expected);
        REQUIRE(source == before);
    }
}

TEST_CASE("nothing is copied between empty ranges") {
    std::string memory = "abc";
    const std::vector<na_segment> segments{{memory.data(), 3}};
    copy({segments, 3}, {segments, 0}, 0);
    copy({{}, 0}, {{}, 0}, 0);
    CHECK(memory == "abc");
}

TEST_CASE("a copy within one piece of memory is right in both directions") {
    for (std::size_t from = 0; from <= 20; ++from)
        for (std::size_t to = 0; to <= 20; ++to) {
            std::string memory(40, ' ');
            std::iota(memory.begin(), memory.end(), 'A');
            std::string expected = memory;
            expected.replace(to, 20, memory.substr(from, 20));
            const std::vector<na_segment> segments{{memory.data(), memory.size()}};
            copy({segments, to}, {segments, from}, 20);
            REQUIRE(memory == expected);
        }
}
