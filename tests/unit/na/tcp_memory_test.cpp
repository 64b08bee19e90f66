// SPDX-License-Identifier: BSD-3-Clause
// Regions of several segments, their pins, and the table that finds them by key.
#include "plugins/tcp/memory.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

using namespace cinnabar::tcp;

namespace {

struct Pieces {
    std::vector<std::byte> bytes = std::vector<std::byte>(100);
    // 10 bytes from 0, nothing, 20 bytes from 50, 5 bytes from 20
    std::vector<na_segment> segments{{bytes.data(), 10},
                                     {bytes.data() + 99, 0},
                                     {bytes.data() + 50, 20},
                                     {bytes.data() + 20, 5}};
    Region region{segments.data(), segments.size(), NA_MEM_READWRITE};
};

}  // namespace

TEST_CASE("a region's range is checked without wrapping around") {
    Pieces p;
    CHECK(p.region.length() == 35);
    CHECK(p.region.in_range(0, 35));
    CHECK(p.region.in_range(35, 0));
    CHECK_FALSE(p.region.in_range(0, 36));
    CHECK_FALSE(p.region.in_range(36, 0));
    CHECK_FALSE(p.region.in_range(1, ~std::uint64_t{0}));
    CHECK_FALSE(p.region.in_range(~std::uint64_t{0}, 2));
}

TEST_CASE("a range of a region becomes vectors") {
    Pieces p;
    std::array<iovec, 4> vectors;
    std::size_t used = 0;
    CHECK(p.region.vectors(8, 25, vectors, used) == 25);
    REQUIRE(used == 3);
    CHECK(vectors[0].iov_base == p.bytes.data() + 8);
    CHECK(vectors[0].iov_len == 2);
    CHECK(vectors[1].iov_base == p.bytes.data() + 50);
    CHECK(vectors[1].iov_len == 20);
    CHECK(vectors[2].iov_base == p.bytes.data() + 20);
    CHECK(vectors[2].iov_len == 3);
    CHECK(p.region.vectors(8, 25, std::span(vectors.data(), 2), used) == 22);
    CHECK(p.region.vectors(10, 1, vectors, used) == 1);
    CHECK(vectors[0].iov_base == p.bytes.data() + 50);
    CHECK(p.region.vectors(0, 0, vectors, used) == 0);
}

TEST_CASE("copying into a region crosses segments") {
    Pieces p;
    std::array<std::byte, 27> data;
    data.fill(std::byte{7});
    p.region.copy_in(7, data.data(), data.size());
    for (std::size_t i = 0; i < p.bytes.size(); ++i) {
        const bool inside = (i >= 7 && i < 10) || (i >= 50 && i < 70) || (i >= 20 && i < 24);
        CAPTURE(i);
        CHECK(p.bytes[i] == (inside ? std::byte{7} : std::byte{0}));
    }
}

TEST_CASE("a region that is retired waits for pins and gives no more") {
    Pieces p;
    CHECK_FALSE(p.region.pin());  // not registered yet
    p.region.revive();
    REQUIRE(p.region.pin());
    std::atomic<bool> retired{false};
    std::thread owner([&] {
        p.region.retire();
        retired = true;
    });
    // Once pins are refused the owner has begun to wait.
    while (p.region.pin()) {
        p.region.unpin();
        std::this_thread::yield();
    }
    CHECK_FALSE(retired);
    p.region.unpin();
    owner.join();
    CHECK(retired);
}

TEST_CASE("regions are found by their keys until they are erased") {
    RegionTable table;
    std::vector<std::uint64_t> keys;
    for (int i = 0; i < 100; ++i) {
        na_segment segment{&keys, static_cast<std::size_t>(i + 1)};
        keys.push_back(table.insert(std::make_shared<Region>(&segment, 1, NA_MEM_READ_ONLY)));
        REQUIRE(keys.back() != 0);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto region = table.find(keys[i]);
        REQUIRE(region != nullptr);
        CHECK(region->length() == i + 1);
        table.erase(keys[i]);
        CHECK(table.find(keys[i]) == nullptr);
    }
}
