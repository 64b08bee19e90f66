// SPDX-License-Identifier: BSD-3-Clause
// The proc on plain buffers: every basic type, bounds, growth, raw access, flags and checksums. No
// class or network is needed; the class pointer given to hg_proc_create is only remembered.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "mercury_proc.h"
#include "tests/support/log_check.hpp"

namespace {

struct ProcFree {
    void operator()(hg_proc_t proc) const { hg_proc_free(proc); }
};
using Proc = std::unique_ptr<hg_proc, ProcFree>;

hg_class_t* some_class() {
    static int anything;
    return reinterpret_cast<hg_class_t*>(&anything);
}

Proc make_proc(void* buffer, hg_size_t size, hg_proc_op_t op, hg_proc_hash_t hash = HG_NOHASH) {
    hg_proc_t proc = HG_PROC_NULL;
    REQUIRE(hg_proc_create_set(some_class(), buffer, size, op, hash, &proc) == HG_SUCCESS);
    return Proc(proc);
}

using BasicProc = hg_return_t (*)(hg_proc_t, void*);

// A value of each basic type goes in and comes out, takes its own size and nothing more, and is not
// read when one byte of it is missing.
template <class T>
void check_basic_type(BasicProc basic, T value) {
    std::vector<char> buffer(sizeof(T) + 1, 'x');
    T copy = value;
    Proc proc = make_proc(buffer.data(), sizeof(T), HG_ENCODE);
    REQUIRE(basic(proc.get(), &copy) == HG_SUCCESS);
    CHECK(hg_proc_get_size_used(proc.get()) == sizeof(T));
    CHECK(hg_proc_get_size_left(proc.get()) == 0);
    CHECK(hg_proc_get_extra_buf(proc.get()) == nullptr);
    CHECK(std::memcmp(buffer.data(), &value, sizeof(T)) == 0);
    CHECK(buffer.back() == 'x');

    T decoded{};
    REQUIRE(hg_proc_reset(proc.get(), buffer.data(), sizeof(T), HG_DECODE) == HG_SUCCESS);
    REQUIRE(basic(proc.get(), &decoded) == HG_SUCCESS);
    CHECK(decoded == value);
    CHECK(basic(proc.get(), &decoded) == HG_OVERFLOW);

    T untouched = value;
    auto exact = std::make_unique<char[]>(sizeof(T) - 1);
    REQUIRE(hg_proc_reset(proc.get(), exact.get(), sizeof(T) - 1, HG_DECODE) == HG_SUCCESS);
    CHECK(basic(proc.get(), &untouched) == HG_OVERFLOW);
    CHECK(untouched == value);
    CHECK(hg_proc_get_size_used(proc.get()) == 0);

    REQUIRE(hg_proc_reset(proc.get(), nullptr, 0, HG_FREE) == HG_SUCCESS);
    CHECK(basic(proc.get(), &untouched) == HG_SUCCESS);
    CHECK(untouched == value);
}

}  // namespace

TEST_CASE("each basic type round-trips and is refused past the end", "[proc]") {
    cinnabar::test::allow_log("hg_proc");
    check_basic_type<std::int8_t>(hg_proc_int8_t, -100);
    check_basic_type<std::uint8_t>(hg_proc_uint8_t, 200);
    check_basic_type<std::int16_t>(hg_proc_int16_t, -30000);
    check_basic_type<std::uint16_t>(hg_proc_uint16_t, 60000);
    check_basic_type<std::int32_t>(hg_proc_int32_t, -2000000000);
    check_basic_type<std::uint32_t>(hg_proc_uint32_t, 4000000000U);
    check_basic_type<std::int64_t>(hg_proc_int64_t, std::numeric_limits<std::int64_t>::min());
    check_basic_type<std::uint64_t>(hg_proc_uint64_t, std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("the names of the API's own types lead to the basic procs", "[proc]") {
    cinnabar::test::allow_log("hg_proc");
    check_basic_type<hg_size_t>(hg_proc_hg_size_t, 1ULL << 40);
    check_basic_type<hg_bool_t>(hg_proc_hg_bool_t, HG_TRUE);
    check_basic_type<hg_ptr_t>(hg_proc_hg_ptr_t, 0x7fffdeadbeefULL);
    check_basic_type<hg_int32_t>(hg_proc_hg_int32_t, -7);

    // Of an id only the lower half travels.
    char buffer[16];
    hg_id_t id = 0x1122334455667788ULL;
    Proc proc = make_proc(buffer, sizeof buffer, HG_ENCODE);
    REQUIRE(hg_proc_hg_id_t(proc.get(), &id) == HG_SUCCESS);
    CHECK(hg_proc_get_size_used(proc.get()) == 4);
}

TEST_CASE("bytes of any number round-trip, none included", "[proc]") {
    cinnabar::test::allow_log("hg_proc");
    char buffer[8] = "1234567";
    Proc proc = make_proc(buffer, sizeof buffer, HG_DECODE);
    CHECK(hg_proc_bytes(proc.get(), nullptr, 0) == HG_SUCCESS);
    CHECK(hg_proc_get_size_used(proc.get()) == 0);

    char out[9] = {};
    CHECK(hg_proc_raw(proc.get(), out, 9) == HG_OVERFLOW);
    // Not a constant, of which the compiler would warn at the call.
    volatile hg_size_t huge = HG_SIZE_MAX;
    CHECK(hg_proc_memcpy(proc.get(), out, huge) == HG_OVERFLOW);
    REQUIRE(hg_proc_memcpy(proc.get(), out, 8) == HG_SUCCESS);
    CHECK(std::strcmp(out, "1234567") == 0);
    CHECK(hg_proc_bytes(proc.get(), nullptr, 0) == HG_SUCCESS);
}

TEST_CASE("an encoding that outgrows its buffer continues in one piece", "[proc]") {
    char small[10];
    Proc proc = make_proc(small, sizeof small, HG_ENCODE);
    constexpr std::uint32_t count = 10000;
    unsigned moves = 0;
    const void* last = nullptr;
    for (std::uint32_t i = 0; i < count; i++) {
        REQUIRE(hg_proc_uint32_t(proc.get(), &i) == HG_SUCCESS);
        REQUIRE(hg_proc_get_size_used(proc.get()) == (i + 1) * sizeof i);
        if (hg_proc_get_extra_buf(proc.get()) != last) moves++;
        last = hg_proc_get_extra_buf(proc.get());
    }
    REQUIRE(last != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(last) % 4096 == 0);
    CHECK(hg_proc_get_size(proc.get()) == hg_proc_get_extra_size(proc.get()));
    CHECK(moves <= 5);  // 4, 8, 16, 32 and 64 KiB: doubled, not a page at a time

    Proc reader = make_proc(const_cast<void*>(last), count * sizeof(std::uint32_t), HG_DECODE);
    for (std::uint32_t i = 0; i < count; i++) {
        std::uint32_t value = ~i;
        REQUIRE(hg_proc_uint32_t(reader.get(), &value) == HG_SUCCESS);
        REQUIRE(value == i);
    }
}

TEST_CASE("a reset drops the extra buffer and the flags", "[proc]") {
    char small[4];
    std::vector<char> large(100, 'l');
    Proc proc = make_proc(small, sizeof small, HG_ENCODE);
    hg_proc_set_flags(proc.get(), HG_PROC_BULK_EAGER);
    CHECK(hg_proc_get_flags(proc.get()) == HG_PROC_BULK_EAGER);
    REQUIRE(hg_proc_bytes(proc.get(), large.data(), large.size()) == HG_SUCCESS);
    REQUIRE(hg_proc_get_extra_buf(proc.get()) != nullptr);

    REQUIRE(hg_proc_reset(proc.get(), small, sizeof small, HG_ENCODE) == HG_SUCCESS);
    CHECK(hg_proc_get_extra_buf(proc.get()) == nullptr);
    CHECK(hg_proc_get_extra_size(proc.get()) == 0);
    CHECK(hg_proc_get_size(proc.get()) == sizeof small);
    CHECK(hg_proc_get_size_used(proc.get()) == 0);
    CHECK(hg_proc_get_flags(proc.get()) == 0);
}

TEST_CASE("the caller can take the extra buffer over", "[proc]") {
    char small[4];
    std::vector<char> large(100, 'l');
    Proc proc = make_proc(small, sizeof small, HG_ENCODE);
    CHECK(hg_proc_set_extra_buf_is_mine(proc.get(), 1) == HG_INVALID_ARG);
    REQUIRE(hg_proc_bytes(proc.get(), large.data(), large.size()) == HG_SUCCESS);
    void* extra = hg_proc_get_extra_buf(proc.get());
    REQUIRE(hg_proc_set_extra_buf_is_mine(proc.get(), 1) == HG_SUCCESS);
    proc.reset();
    CHECK(std::memcmp(extra, large.data(), large.size()) == 0);
    std::free(extra);
}

TEST_CASE("the size can be set ahead when encoding, never when decoding", "[proc]") {
    cinnabar::test::allow_log("hg_proc");
    char small[4] = "abc";
    Proc proc = make_proc(small, sizeof small, HG_ENCODE);
    REQUIRE(hg_proc_bytes(proc.get(), small, 2) == HG_SUCCESS);
    REQUIRE(hg_proc_set_size(proc.get(), 5000) == HG_SUCCESS);
    CHECK(hg_proc_get_size(proc.get()) >= 5000);
    CHECK(hg_proc_get_size_used(proc.get()) == 2);
    CHECK(std::memcmp(hg_proc_get_extra_buf(proc.get()), "ab", 2) == 0);
    CHECK(hg_proc_set_size(proc.get(), 1) == HG_SUCCESS);
    CHECK(hg_proc_get_size(proc.get()) >= 5000);
    CHECK(hg_proc_set_size(proc.get(), HG_SIZE_MAX) == HG_NOMEM);
    CHECK(hg_proc_make_room(proc.get(), HG_SIZE_MAX) == HG_NOMEM);
    CHECK(hg_proc_get_size_used(proc.get()) == 2);

    REQUIRE(hg_proc_reset(proc.get(), small, sizeof small, HG_DECODE) == HG_SUCCESS);
    CHECK(hg_proc_set_size(proc.get(), 5) == HG_OVERFLOW);
    CHECK(hg_proc_make_room(proc.get(), HG_SIZE_MAX) == HG_OVERFLOW);
    CHECK(hg_proc_get_extra_buf(proc.get()) == nullptr);
}

TEST_CASE("saved pointers give access in place", "[proc]") {
    cinnabar::test::allow_log("hg_proc");
    char buffer[16] = {};
    Proc proc = make_proc(buffer, sizeof buffer, HG_ENCODE);
    void* place = hg_proc_save_ptr(proc.get(), 5);
    REQUIRE(place == buffer);
    std::memcpy(place, "12345", 5);
    REQUIRE(hg_proc_restore_ptr(proc.get(), place, 5) == HG_SUCCESS);
    CHECK(hg_proc_get_size_used(proc.get()) == 5);
    CHECK(hg_proc_save_ptr(proc.get(), 0) == buffer + 5);

    SECTION("decoding reads in place and stops at the end") {
        REQUIRE(hg_proc_reset(proc.get(), buffer, 5, HG_DECODE) == HG_SUCCESS);
        CHECK(hg_proc_save_ptr(proc.get(), 6) == nullptr);
        CHECK(hg_proc_save_ptr(proc.get(), HG_SIZE_MAX) == nullptr);
        const void* read = hg_proc_save_ptr(proc.get(), 5);
        REQUIRE(read == buffer);
        CHECK(std::memcmp(read, "12345", 5) == 0);
        CHECK(hg_proc_save_ptr(proc.get(), 0) == buffer + 5);
        CHECK(hg_proc_save_ptr(proc.get(), 1) == nullptr);
    }
    SECTION("encoding grows") {
        void* far = hg_proc_save_ptr(proc.get(), 100000);
        REQUIRE(far != nullptr);
        std::memset(far, 'f', 100000);
        CHECK(hg_proc_get_size_used(proc.get()) == 100005);
        CHECK(std::memcmp(hg_proc_get_extra_buf(proc.get()), "12345f", 6) == 0);
    }
    SECTION("freeing has nothing to point at") {
        REQUIRE(hg_proc_reset(proc.get(), nullptr, 0, HG_FREE) == HG_SUCCESS);
        CHECK(hg_proc_save_ptr(proc.get(), 1) == nullptr);
    }
}

TEST_CASE("each checksum accepts what it covered and nothing else", "[proc]") {
    cinnabar::test::allow_log("hg_proc");
    const auto [hash, size] =
        GENERATE(table<hg_proc_hash_t, hg_size_t>({{HG_CRC16, 2}, {HG_CRC32, 4}, {HG_CRC64, 8}}));
    std::vector<std::uint8_t> payload(300);
    std::iota(payload.begin(), payload.end(), std::uint8_t{0});
    // The second buffer is too small, so that the checksum spans the move to the extra one.
    std::vector<std::uint8_t> buffer(GENERATE(1024U, 16U));
    std::uint8_t digest[8] = {};

    Proc writer = make_proc(buffer.data(), buffer.size(), HG_ENCODE, hash);
    std::uint32_t number = 42;
    REQUIRE(hg_proc_uint32_t(writer.get(), &number) == HG_SUCCESS);
    REQUIRE(hg_proc_bytes(writer.get(), payload.data(), payload.size()) == HG_SUCCESS);
    REQUIRE(hg_proc_flush(writer.get()) == HG_SUCCESS);
    CHECK(hg_proc_checksum_get(writer.get(), digest, size + 1) == HG_INVALID_ARG);
    REQUIRE(hg_proc_checksum_get(writer.get(), digest, size) == HG_SUCCESS);

    void* encoded = hg_proc_get_extra_buf(writer.get());
    if (encoded == nullptr) encoded = buffer.data();
    const auto decode = [&] {
        Proc reader = make_proc(encoded, 304, HG_DECODE, hash);
        REQUIRE(hg_proc_uint32_t(reader.get(), &number) == HG_SUCCESS);
        REQUIRE(hg_proc_bytes(reader.get(), payload.data(), payload.size()) == HG_SUCCESS);
        REQUIRE(hg_proc_flush(reader.get()) == HG_SUCCESS);
        CHECK(hg_proc_checksum_verify(reader.get(), digest, size - 1) == HG_INVALID_ARG);
        return hg_proc_checksum_verify(reader.get(), digest, size);
    };
    CHECK(decode() == HG_SUCCESS);
    static_cast<std::uint8_t*>(encoded)[200] ^= 1;
    CHECK(decode() == HG_CHECKSUM_ERROR);
    static_cast<std::uint8_t*>(encoded)[200] ^= 1;
    digest[0] ^= 1;
    CHECK(decode() == HG_CHECKSUM_ERROR);
}

TEST_CASE("a checksum starts anew at a reset and takes other bytes in on request", "[proc]") {
    char buffer[8];
    char other[] = "other";
    std::uint64_t value = 7;
    const auto digest_of = [&](hg_proc_t proc, bool with_other) {
        std::uint64_t digest = 0;
        REQUIRE(hg_proc_reset(proc, buffer, sizeof buffer, HG_ENCODE) == HG_SUCCESS);
        REQUIRE(hg_proc_uint64_t(proc, &value) == HG_SUCCESS);
        if (with_other) hg_proc_checksum_update(proc, other, sizeof other);
        REQUIRE(hg_proc_flush(proc) == HG_SUCCESS);
        REQUIRE(hg_proc_checksum_get(proc, &digest, sizeof digest) == HG_SUCCESS);
        return digest;
    };
    Proc proc = make_proc(buffer, sizeof buffer, HG_ENCODE, HG_CRC64);
    const std::uint64_t plain = digest_of(proc.get(), false);
    CHECK(digest_of(proc.get(), true) != plain);
    CHECK(digest_of(proc.get(), false) == plain);
}

TEST_CASE("a proc without a checksum has none to give", "[proc]") {
    char buffer[8];
    std::uint64_t digest = 0;
    Proc proc = make_proc(buffer, sizeof buffer, HG_ENCODE);
    CHECK(hg_proc_flush(proc.get()) == HG_SUCCESS);
    CHECK(hg_proc_checksum_get(proc.get(), &digest, sizeof digest) == HG_INVALID_ARG);
    CHECK(hg_proc_checksum_verify(proc.get(), &digest, 0) == HG_INVALID_ARG);
}

TEST_CASE("a proc remembers its class, handle and operation", "[proc]") {
    char buffer[8];
    Proc proc = make_proc(buffer, sizeof buffer, HG_DECODE);
    CHECK(hg_proc_get_class(proc.get()) == some_class());
    CHECK(hg_proc_get_handle(proc.get()) == HG_HANDLE_NULL);
    const auto handle = reinterpret_cast<hg_handle_t>(buffer);
    hg_proc_set_handle(proc.get(), handle);
    CHECK(hg_proc_get_handle(proc.get()) == handle);
    CHECK(hg_proc_get_op(proc.get()) == HG_DECODE);
}

TEST_CASE("what is missing or does not exist is refused", "[proc]") {
    cinnabar::test::allow_log("hg_proc");
    char buffer[8];
    hg_proc_t proc = HG_PROC_NULL;
    CHECK(hg_proc_create(nullptr, HG_NOHASH, &proc) == HG_INVALID_ARG);
    CHECK(hg_proc_create(some_class(), HG_NOHASH, nullptr) == HG_INVALID_ARG);
    CHECK(hg_proc_create_set(some_class(), nullptr, 8, HG_ENCODE, HG_NOHASH, &proc) ==
          HG_INVALID_ARG);
    CHECK(hg_proc_create_set(some_class(), buffer, 8, HG_ENCODE, HG_NOHASH, nullptr) ==
          HG_INVALID_ARG);
    CHECK(proc == HG_PROC_NULL);
    CHECK(hg_proc_free(HG_PROC_NULL) == HG_SUCCESS);
    CHECK(hg_proc_reset(HG_PROC_NULL, buffer, 8, HG_ENCODE) == HG_INVALID_ARG);
    CHECK(hg_proc_set_size(HG_PROC_NULL, 8) == HG_INVALID_ARG);
    CHECK(hg_proc_save_ptr(HG_PROC_NULL, 8) == nullptr);
    CHECK(hg_proc_restore_ptr(HG_PROC_NULL, buffer, 8) == HG_INVALID_ARG);
    CHECK(hg_proc_flush(HG_PROC_NULL) == HG_INVALID_ARG);
    CHECK(hg_proc_get_size(HG_PROC_NULL) == 0);
    CHECK(hg_proc_get_size_used(HG_PROC_NULL) == 0);
    CHECK(hg_proc_get_size_left(HG_PROC_NULL) == 0);
    CHECK(hg_proc_get_class(HG_PROC_NULL) == nullptr);

    Proc fresh = make_proc(buffer, sizeof buffer, HG_ENCODE);
    CHECK(hg_proc_reset(fresh.get(), nullptr, 8, HG_DECODE) == HG_INVALID_ARG);
    CHECK(hg_proc_reset(fresh.get(), buffer, 8, static_cast<hg_proc_op_t>(3)) == HG_INVALID_ARG);
    CHECK(hg_proc_restore_ptr(fresh.get(), nullptr, 1) == HG_INVALID_ARG);
}
