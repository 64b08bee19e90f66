// SPDX-License-Identifier: BSD-3-Clause
// Shared-memory handles and cursors: the serialised form in both directions, hostile forms, the
// table of keys, and transfers between segment lists of different shape.
#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "plugins/sm/class.hpp"
#include "plugins/sm/cross_memory.hpp"

using namespace cinnabar::sm;

namespace {

struct Fixture {
    std::vector<unsigned char> bytes = std::vector<unsigned char>(1000);
    Class cls;
    Memory memory;

    explicit Fixture(unsigned long flags = NA_MEM_READWRITE) {
        std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
        const na_segment segments[] = {{bytes.data(), 10},
                                       {bytes.data() + 100, 0},
                                       {bytes.data() + 200, 50},
                                       {bytes.data() + 500, 500}};
        REQUIRE(memory.create(cls, segments, 4, flags).ok());
    }
    std::vector<unsigned char> serialized() {
        std::vector<unsigned char> form(memory.serialize_size(cls));
        REQUIRE(memory.serialize(cls, form.data(), form.size()).ok());
        return form;
    }
};

}  // namespace

TEST_CASE("a handle survives its serialised form") {
    Fixture f;
    const auto form = f.serialized();
    Memory copy;
    REQUIRE(copy.deserialize(f.cls, form.data(), form.size()).ok());
    CHECK(copy.total() == 560);
    CHECK(copy.segments().size() == 4);
    CHECK(copy.may_read());
    CHECK(copy.may_write());
}

TEST_CASE("every truncation of a serialised handle is an overflow") {
    Fixture f;
    const auto form = f.serialized();
    for (std::size_t size = 0; size < form.size(); ++size) {
        // A copy of just that size, so that a sanitizer sees a read beyond it.
        const std::vector<unsigned char> part(form.begin(),
                                              form.begin() + static_cast<std::ptrdiff_t>(size));
        Memory copy;
        CHECK(copy.deserialize(f.cls, part.data(), size).code() == NA_OVERFLOW);
    }
}

TEST_CASE("serialised handles that lie are refused") {
    Fixture f;
    auto form = f.serialized();
    Memory copy;
    const std::uint64_t huge = ~std::uint64_t{0};
    SECTION("magic") {
        form[0] ^= 1;
    }
    SECTION("flags") {
        form[7] = 0x80;
    }
    SECTION("more segments than there may be") {
        std::memcpy(&form[8], &huge, 4);
    }
    SECTION("places for some of the segments only") {
        form[12] = 1;
    }
    SECTION("an address range that wraps") {
        std::memcpy(&form[24 + 8], &huge, 8);
    }
    CHECK(copy.deserialize(f.cls, form.data(), form.size()).code() == NA_PROTOCOL_ERROR);
}

TEST_CASE("ranges are checked without wrapping") {
    Fixture f;
    CHECK(f.memory.contains(0, 560));
    CHECK(f.memory.contains(560, 0));
    CHECK_FALSE(f.memory.contains(1, 560));
    CHECK_FALSE(f.memory.contains(561, 0));
    CHECK_FALSE(f.memory.contains(~std::uint64_t{0}, 2));
    CHECK_FALSE(f.memory.contains(2, ~std::uint64_t{0}));
}

TEST_CASE("the table serves registered memory within its range and permission only") {
    Fixture f(NA_MEM_READ_ONLY);
    REQUIRE(f.memory.register_memory(f.cls, NA_MEM_TYPE_HOST, 0).ok());
    unsigned char got[20] = {};
    MemoryTable& table = f.cls.memories();
    const std::uint64_t key = f.memory.key();
    REQUIRE(table.read(key, 5, got, 20).ok());
    CHECK(got[0] == f.bytes[5]);
    CHECK(got[5] == f.bytes[200]);
    CHECK(got[19] == f.bytes[214]);
    CHECK(table.read(key, 550, got, 20).code() == NA_INVALID_ARG);
    CHECK(table.read(key, ~std::uint64_t{0} - 5, got, 20).code() == NA_INVALID_ARG);
    CHECK(table.read(key + 1, 0, got, 1).code() == NA_ADDRNOTAVAIL);
    CHECK(table.write(key, 0, got, 1).code() == NA_PERMISSION);
    REQUIRE(f.memory.deregister_memory(f.cls).ok());
    CHECK(table.read(key, 0, got, 1).code() == NA_ADDRNOTAVAIL);
}

TEST_CASE("a transfer between lists of different shape moves every byte once") {
    Fixture f;
    std::vector<unsigned char> flat(560, 0);
    const std::vector<Segment> target{{reinterpret_cast<std::uintptr_t>(flat.data()), 33},
                                      {reinterpret_cast<std::uintptr_t>(flat.data() + 33), 527}};
    Cursor local(target, 0);
    Cursor remote(f.memory.segments(), 0);
    auto moved = cross_copy(::getpid(), Direction::get, local, remote, 560);
    REQUIRE(moved.ok());
    CHECK(moved.value() == 560);
    CHECK(local.contiguous() == 0);
    std::vector<unsigned char> wanted(560);
    copy_out(f.memory, 0, wanted.data(), 560);
    CHECK(flat == wanted);
}

TEST_CASE("a transfer from memory that is not there is a fault") {
    std::vector<unsigned char> flat(64);
    const std::vector<Segment> here{{reinterpret_cast<std::uintptr_t>(flat.data()), 64}};
    const std::vector<Segment> nowhere{{8, 64}};
    Cursor local(here, 0);
    Cursor remote(nowhere, 0);
    CHECK(cross_copy(::getpid(), Direction::get, local, remote, 64).status().code() == NA_FAULT);
}
