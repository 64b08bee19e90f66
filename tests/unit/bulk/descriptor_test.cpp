// SPDX-License-Identifier: BSD-3-Clause
// The form in which regions travel: its bytes, which peers of other builds rely on, and what is
// refused. What the net puts into its own memory handles and addresses is opaque here.
#include "bulk/descriptor.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "hg/core/class.hpp"
#include "na/base/little_endian.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/memory_plugin.hpp"

using namespace cinnabar::bulk;
using cinnabar::store_le;

namespace {

using Bytes = std::vector<char>;

struct Unref {
    void operator()(hg_bulk* region) const { unref_region(region); }
};
using RegionPtr = std::unique_ptr<hg_bulk, Unref>;

// A class on the in-memory transport and a region of three segments over "abcdefghij".
class Fixture {
public:
    Fixture() {
        cinnabar::test::register_memory_plugin();
        cls = HG_Init("na+mem://descriptor", HG_TRUE);
        REQUIRE(cls != nullptr);
        context = HG_Context_create(cls);
        REQUIRE(context != nullptr);
    }
    ~Fixture() {
        region.reset();
        CHECK(HG_Context_destroy(context) == HG_SUCCESS);
        CHECK(HG_Finalize(cls) == HG_SUCCESS);
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    hg_bulk& create(std::uint8_t permissions = HG_BULK_READWRITE) {
        void* bases[] = {memory.data(), memory.data() + 6, memory.data() + 4};
        const hg_size_t sizes[] = {4, 4, 2};
        hg_bulk* created = nullptr;
        REQUIRE(create_region(*cls, {3, bases, sizes, permissions, {HG_MEM_TYPE_HOST, 0}},
                              &created) == HG_SUCCESS);
        region.reset(created);
        return *created;
    }
    Bytes written(bool eager) const {
        Bytes bytes(descriptor_size(*region, eager));
        REQUIRE(write_descriptor(*region, eager, bytes.data(), bytes.size()) == HG_SUCCESS);
        return bytes;
    }
    // From a block of exactly that size, so that an over-read is seen.
    hg_return_t read(const Bytes& bytes, RegionPtr& made) const {
        const Bytes exact(bytes);
        hg_bulk* raw = nullptr;
        const hg_return_t ret = read_descriptor(*cls, exact.data(), exact.size(), &raw);
        CHECK((raw != nullptr) == (ret == HG_SUCCESS));
        made.reset(raw);
        return ret;
    }
    hg_return_t read(const Bytes& bytes) const {
        cinnabar::test::allow_log("a descriptor of");
        RegionPtr made;
        return read(bytes, made);
    }
    Bytes net_handle(std::size_t index) const {
        Bytes bytes(NA_Mem_handle_get_serialize_size(cls->na, region->handles[index]));
        REQUIRE(NA_Mem_handle_serialize(cls->na, bytes.data(), bytes.size(),
                                        region->handles[index]) == NA_SUCCESS);
        return bytes;
    }

    hg_class* cls = nullptr;
    hg_context_t* context = nullptr;
    std::string memory = "abcdefghij";
    RegionPtr region;
};

// What the wire format says the descriptor of the fixture's region is, without what follows the
// pieces.
Bytes expected_bytes(const Fixture& fixture, std::uint8_t flags, std::uint32_t address_size) {
    Bytes bytes{0x43, 0x42, 0x01, static_cast<char>(flags)};
    bytes.resize(24);
    store_le(bytes.data() + 4, std::uint32_t{3});
    store_le(bytes.data() + 8, std::uint64_t{10});
    const std::size_t pieces = fixture.region->handles.size();
    store_le(bytes.data() + 16, static_cast<std::uint32_t>(pieces));
    store_le(bytes.data() + 20, address_size);
    for (std::size_t i = 0; i < pieces; ++i) {
        const Bytes handle = fixture.net_handle(i);
        char piece[12];
        store_le(piece, fixture.region->lengths[i]);
        store_le(piece + 8, static_cast<std::uint32_t>(handle.size()));
        bytes.insert(bytes.end(), piece, piece + sizeof piece);
        bytes.insert(bytes.end(), handle.begin(), handle.end());
    }
    return bytes;
}

template <class T>
Bytes with(Bytes bytes, std::size_t offset, T value) {
    store_le(bytes.data() + offset, value);
    return bytes;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a descriptor has the bytes that the wire format says") {
    const auto permissions =
        GENERATE(std::uint8_t{HG_BULK_READ_ONLY}, std::uint8_t{HG_BULK_WRITE_ONLY},
                 std::uint8_t{HG_BULK_READWRITE});
    create(permissions);
    CHECK(HG_BULK_READ_ONLY == 1);
    CHECK(HG_BULK_WRITE_ONLY == 2);
    CHECK(written(false) == expected_bytes(*this, permissions, 0));
    const bool readable = (permissions & HG_BULK_READ_ONLY) != 0;
    Bytes eager =
        expected_bytes(*this, static_cast<std::uint8_t>(permissions | (readable ? 4 : 0)), 0);
    const std::string data = "abcdghijef";
    if (readable) eager.insert(eager.end(), data.begin(), data.end());
    CHECK(written(true) == eager);
}

TEST_CASE_METHOD(Fixture, "the descriptor of a bound region carries the address") {
    create();
    REQUIRE(bind_region(*region, *context) == HG_SUCCESS);
    Bytes address(NA_Addr_get_serialize_size(cls->na, region->bound->na));
    REQUIRE(NA_Addr_serialize(cls->na, address.data(), address.size(), region->bound->na) ==
            NA_SUCCESS);
    Bytes expected = expected_bytes(*this, 3 | 8, static_cast<std::uint32_t>(address.size()));
    expected.push_back(0);  // the context's id
    expected.insert(expected.end(), address.begin(), address.end());
    CHECK(written(false) == expected);

    RegionPtr made;
    REQUIRE(read(expected, made) == HG_SUCCESS);
    REQUIRE(made->bound != nullptr);
    CHECK(NA_Addr_cmp(cls->na, made->bound->na, region->bound->na));
    for (std::size_t size = 0; size < expected.size(); ++size)
        CHECK(read({expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(size)}) ==
              HG_OVERFLOW);
}

TEST_CASE_METHOD(Fixture,
                 "a descriptor is read as it was written, and passed on without its data") {
    create();
    const bool eager = GENERATE(false, true);
    RegionPtr made;
    REQUIRE(read(written(eager), made) == HG_SUCCESS);
    CHECK(made->remote);
    CHECK(made->length == 10);
    CHECK(made->segment_count == 3);
    CHECK(made->permissions == HG_BULK_READWRITE);
    CHECK(made->lengths == region->lengths);
    CHECK(std::string(made->eager.begin(), made->eager.end()) == (eager ? "abcdghijef" : ""));
    CHECK(made->has_data() == eager);

    const Bytes plain = written(false);
    REQUIRE(descriptor_size(*made, true) == plain.size());
    Bytes again(plain.size());
    REQUIRE(write_descriptor(*made, true, again.data(), again.size()) == HG_SUCCESS);
    CHECK(again == plain);
}

TEST_CASE_METHOD(Fixture, "a descriptor does not fit a buffer that is a byte too small") {
    create();
    Bytes bytes(descriptor_size(*region, true));
    CHECK(write_descriptor(*region, true, bytes.data(), bytes.size() - 1) == HG_OVERFLOW);
    CHECK(write_descriptor(*region, false, bytes.data(), 0) == HG_OVERFLOW);
}

TEST_CASE_METHOD(Fixture, "a descriptor that is cut short is refused at every length") {
    create();
    const Bytes whole = written(true);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) ==
              HG_OVERFLOW);
    }
}

TEST_CASE_METHOD(Fixture, "a descriptor with a wrong magic, version or flags is refused") {
    create();
    const Bytes good = written(false);
    for (int bit = 0; bit < 8; ++bit) {
        CHECK(read(with(good, 0, static_cast<char>(good[0] ^ (1 << bit)))) == HG_PROTOCOL_ERROR);
        CHECK(read(with(good, 1, static_cast<char>(good[1] ^ (1 << bit)))) == HG_PROTOCOL_ERROR);
        CHECK(read(with(good, 2, static_cast<char>(good[2] ^ (1 << bit)))) == HG_PROTOCOL_ERROR);
    }
    CHECK(read(with(good, 3, char{0})) == HG_PROTOCOL_ERROR);            // no permission
    CHECK(read(with(good, 3, char{3 | 16})) == HG_PROTOCOL_ERROR);       // unknown
    CHECK(read(with(good, 3, char{3 | 8})) == HG_PROTOCOL_ERROR);        // bound without address
    CHECK(read(with(good, 20, std::uint32_t{4})) == HG_PROTOCOL_ERROR);  // address, not bound
    CHECK(read(with(good, 3, char{3 | 4})) == HG_OVERFLOW);              // data that is not there
    CHECK(read(with(good, 4, std::uint32_t{0})) == HG_PROTOCOL_ERROR);   // no segment
    CHECK(read(with(written(true), 3, char{2 | 4})) == HG_PROTOCOL_ERROR);  // data, not readable
    CHECK(read(with(with(good, 3, char{3 | 4}), 8, std::uint64_t{0})) == HG_PROTOCOL_ERROR);
}

TEST_CASE_METHOD(Fixture, "lengths of a descriptor that do not add up are refused") {
    create();
    const Bytes good = written(false);
    CHECK(read(with(good, 8, std::uint64_t{9})) == HG_PROTOCOL_ERROR);
    CHECK(read(with(good, 8, UINT64_MAX)) == HG_PROTOCOL_ERROR);
    CHECK(read(with(good, 24, UINT64_MAX)) == HG_PROTOCOL_ERROR);
    CHECK(read(with(good, 32, std::uint32_t{0})) == HG_PROTOCOL_ERROR);
    CHECK(read(with(good, 32, UINT32_MAX)) == HG_OVERFLOW);
    CHECK(read(with(good, 16, UINT32_MAX)) == HG_OVERFLOW);
    CHECK(read(with(good, 16, std::uint32_t{0})) == HG_PROTOCOL_ERROR);
    // Two pieces whose sum wraps to the length that is claimed.
    const Bytes piece(good.begin() + 24, good.end());
    Bytes two = with(with(good, 16, std::uint32_t{2}), 8, std::uint64_t{9});
    two.insert(two.end(), piece.begin(), piece.end());
    CHECK(read(with(two, 24, UINT64_MAX)) == HG_PROTOCOL_ERROR);
}

TEST_CASE_METHOD(Fixture, "more memory handles than segments are refused") {
    create();
    const Bytes good = written(false);
    const Bytes piece(good.begin() + 24, good.end());
    Bytes two = with(with(good, 16, std::uint32_t{2}), 8, std::uint64_t{20});
    two.insert(two.end(), piece.begin(), piece.end());
    CHECK(read(two) == HG_SUCCESS);
    CHECK(read(with(two, 4, std::uint32_t{1})) == HG_PROTOCOL_ERROR);
}

TEST_CASE_METHOD(Fixture, "bytes that are no memory handle of the net are refused") {
    create();
    Bytes bad = written(false);
    std::fill(bad.begin() + 36, bad.end(), '\x5a');
    CHECK(read(bad) != HG_SUCCESS);
}
