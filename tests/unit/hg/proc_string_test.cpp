// SPDX-License-Identifier: BSD-3-Clause
// Strings through the proc, honest and hostile, and the string object's ownership.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "mercury_proc_string.h"
#include "tests/support/log_check.hpp"

namespace {

// A proc that lives in the test, on bytes that an address sanitizer guards on both sides.
class Walk {
public:
    Walk(std::vector<char>& bytes, hg_proc_op_t op) {
        static int anything;
        REQUIRE(hg_proc_create_set(reinterpret_cast<hg_class_t*>(&anything), bytes.data(),
                                   bytes.size(), op, HG_NOHASH, &proc_) == HG_SUCCESS);
    }
    ~Walk() { hg_proc_free(proc_); }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    operator hg_proc_t() const { return proc_; }

private:
    hg_proc_t proc_ = HG_PROC_NULL;
};

// Encodes with `proc` and returns exactly the bytes that were written.
template <class T>
std::vector<char> encoded(hg_return_t (*proc)(hg_proc_t, void*), T value) {
    std::vector<char> bytes(256);
    Walk walk(bytes, HG_ENCODE);
    REQUIRE(proc(walk, &value) == HG_SUCCESS);
    REQUIRE(hg_proc_get_extra_buf(walk) == nullptr);
    bytes.resize(hg_proc_get_size_used(walk));
    bytes.shrink_to_fit();
    return bytes;
}

std::vector<char> with_length(std::uint64_t length, const std::string& rest) {
    std::vector<char> bytes(sizeof length + rest.size());
    std::memcpy(bytes.data(), &length, sizeof length);
    std::memcpy(bytes.data() + sizeof length, rest.data(), rest.size());
    return bytes;
}

hg_return_t decoding_of(std::vector<char> bytes) {
    char marker = 'm';
    hg_string_t string = &marker;
    const hg_return_t ret = [&] {
        Walk walk(bytes, HG_DECODE);
        return hg_proc_hg_string_t(walk, &string);
    }();
    if (ret != HG_SUCCESS) CHECK(string == nullptr);
    std::free(string);
    return ret;
}

}  // namespace

TEST_CASE("strings round-trip and are freed", "[proc][string]") {
    const std::string text = GENERATE(std::string("abc"), std::string(), std::string(200, 'z'));
    std::vector<char> bytes = encoded<hg_const_string_t>(hg_proc_hg_const_string_t, text.c_str());
    CHECK(bytes.size() == 8 + text.size() + 1 + 2);

    hg_string_t string = nullptr;
    hg_const_string_t const_string = nullptr;
    {
        Walk walk(bytes, HG_DECODE);
        REQUIRE(hg_proc_hg_string_t(walk, &string) == HG_SUCCESS);
        CHECK(hg_proc_get_size_left(walk) == 0);
        CHECK(string == text);
    }
    {
        Walk walk(bytes, HG_DECODE);
        REQUIRE(hg_proc_hg_const_string_t(walk, &const_string) == HG_SUCCESS);
        CHECK(const_string == text);
    }
    Walk walk(bytes, HG_FREE);
    CHECK(hg_proc_hg_string_t(walk, &string) == HG_SUCCESS);
    CHECK(string == nullptr);
    CHECK(hg_proc_hg_string_t(walk, &string) == HG_SUCCESS);
    CHECK(hg_proc_hg_const_string_t(walk, &const_string) == HG_SUCCESS);
    CHECK(const_string == nullptr);
}

TEST_CASE("a null string stays null", "[proc][string]") {
    std::vector<char> bytes = encoded<hg_string_t>(hg_proc_hg_string_t, nullptr);
    Walk walk(bytes, HG_DECODE);
    char marker = 'm';
    hg_string_t string = &marker;
    CHECK(hg_proc_hg_string_t(walk, &string) == HG_SUCCESS);
    CHECK(string == nullptr);
    CHECK(hg_proc_get_size_left(walk) == 0);
}

TEST_CASE("a string longer than its buffer moves the encoding to the extra one", "[proc][string]") {
    std::vector<char> bytes(16);
    const std::string text(10000, 'q');
    hg_const_string_t string = text.c_str();
    Walk walk(bytes, HG_ENCODE);
    REQUIRE(hg_proc_hg_const_string_t(walk, &string) == HG_SUCCESS);
    REQUIRE(hg_proc_get_extra_buf(walk) != nullptr);
    CHECK(hg_proc_get_size_used(walk) == 8 + text.size() + 1 + 2);
    CHECK(std::strcmp(static_cast<const char*>(hg_proc_get_extra_buf(walk)) + 8, text.c_str()) ==
          0);
}

TEST_CASE("every truncation of a string is refused", "[proc][string]") {
    cinnabar::test::allow_log("hg_proc");
    const std::vector<char> whole = encoded<hg_const_string_t>(hg_proc_hg_const_string_t, "abc");
    REQUIRE(decoding_of(whole) == HG_SUCCESS);
    for (std::size_t size = 1; size < whole.size(); size++) {
        CAPTURE(size);
        CHECK(decoding_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) ==
              HG_OVERFLOW);
    }
}

TEST_CASE("a hostile length is refused before memory is asked for", "[proc][string]") {
    cinnabar::test::allow_log("hg_proc");
    const std::string rest("abc\0\0\0", 6);
    CHECK(decoding_of(with_length(4, rest)) == HG_SUCCESS);
    for (const std::uint64_t length : {std::uint64_t{5}, std::uint64_t{6}, std::uint64_t{1} << 32,
                                       std::uint64_t{1} << 63, HG_SIZE_MAX, HG_SIZE_MAX - 1}) {
        CAPTURE(length);
        CHECK(decoding_of(with_length(length, rest)) == HG_OVERFLOW);
    }
}

TEST_CASE("bytes that are no string are refused", "[proc][string]") {
    cinnabar::test::allow_log("hg_proc");
    using namespace std::string_literals;
    CHECK(decoding_of(with_length(4, "abcd\0\0"s)) == HG_PROTOCOL_ERROR);
    CHECK(decoding_of(with_length(4, "a\0b\0\0\0"s)) == HG_PROTOCOL_ERROR);
    CHECK(decoding_of(with_length(1, "a\0\0"s)) == HG_PROTOCOL_ERROR);
}

TEST_CASE("a string object carries whether it is const and owns what it decoded",
          "[proc][string]") {
    cinnabar::test::allow_log("hg_proc");
    char writable[] = "text";
    hg_string_object_t sent;
    const bool is_const = GENERATE(true, false);
    REQUIRE((is_const ? hg_string_object_init_const_char(&sent, writable, 0)
                      : hg_string_object_init_char(&sent, writable, 0)) == HG_SUCCESS);
    std::vector<char> bytes = encoded(hg_proc_hg_string_object_t, sent);

    hg_string_object_t received;
    REQUIRE(hg_string_object_init(&received) == HG_SUCCESS);
    {
        Walk walk(bytes, HG_DECODE);
        REQUIRE(hg_proc_hg_string_object_t(walk, &received) == HG_SUCCESS);
    }
    CHECK(std::strcmp(received.data, "text") == 0);
    CHECK(received.is_const == is_const);
    CHECK(received.is_owned);
    Walk walk(bytes, HG_FREE);
    CHECK(hg_proc_hg_string_object_t(walk, &received) == HG_SUCCESS);
    CHECK(received.data == nullptr);
}

TEST_CASE("string objects copy, swap and free what they own", "[string]") {
    char borrowed[] = "borrowed";
    hg_string_object_t object;
    hg_string_object_t copy;
    REQUIRE(hg_string_object_init_char(&object, borrowed, 0) == HG_SUCCESS);
    REQUIRE(hg_string_object_dup(object, &copy) == HG_SUCCESS);
    CHECK(copy.data != borrowed);
    CHECK(std::strcmp(copy.data, borrowed) == 0);
    CHECK(copy.is_owned);
    CHECK(hg_string_object_free(&copy) == HG_SUCCESS);
    CHECK(copy.data == nullptr);

    char other[] = "other";
    CHECK(hg_string_object_swap(&object, other) == borrowed);
    CHECK(object.data == other);
    CHECK(hg_string_object_free(&object) == HG_SUCCESS);
    CHECK(std::strcmp(other, "other") == 0);

    REQUIRE(hg_string_object_init_char(&object, ::strdup("owned"), 1) == HG_SUCCESS);
    CHECK(hg_string_object_free(&object) == HG_SUCCESS);
    CHECK(hg_string_object_free(&object) == HG_SUCCESS);

    REQUIRE(hg_string_object_init(&object) == HG_SUCCESS);
    REQUIRE(hg_string_object_dup(object, &copy) == HG_SUCCESS);
    CHECK(copy.data == nullptr);
}

TEST_CASE("string functions refuse what is missing", "[string]") {
    cinnabar::test::allow_log("hg_proc");
    std::vector<char> bytes(32);
    Walk walk(bytes, HG_ENCODE);
    hg_string_t string = nullptr;
    CHECK(hg_proc_hg_string_t(HG_PROC_NULL, &string) == HG_INVALID_ARG);
    CHECK(hg_proc_hg_string_t(walk, nullptr) == HG_INVALID_ARG);
    CHECK(hg_proc_hg_const_string_t(walk, nullptr) == HG_INVALID_ARG);
    CHECK(hg_proc_hg_string_object_t(walk, nullptr) == HG_INVALID_ARG);
    CHECK(hg_string_object_init(nullptr) == HG_INVALID_ARG);
    CHECK(hg_string_object_init_const_char(nullptr, "x", 0) == HG_INVALID_ARG);
    CHECK(hg_string_object_free(nullptr) == HG_INVALID_ARG);
    CHECK(hg_string_object_dup({nullptr, false, false}, nullptr) == HG_INVALID_ARG);
    CHECK(hg_string_object_swap(nullptr, nullptr) == nullptr);
}
