// SPDX-License-Identifier: BSD-3-Clause
// Values that go through bytes and come back, bytes that are no values, and signatures.
#include <mercury.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

#include "cinnabar/signature.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;

namespace shapes {

enum class Colour : std::uint8_t { red, green };

struct Point {
    double x = 0, y = 0;
    bool operator==(const Point&) const = default;
};

struct Everything {
    int number = 0;
    bool flag = false;
    Colour colour = Colour::red;
    std::string text;
    std::vector<Point> points;
    std::array<std::int16_t, 3> triple{};
    std::map<std::string, std::vector<int>> table;
    std::optional<Point> maybe;
    std::variant<int, std::string> either;
    std::tuple<char, float> tuple;
    bool operator==(const Everything&) const = default;
};

struct Tree {
    int value = 0;
    std::unique_ptr<Tree> next;
};

struct Nothing {
    bool operator==(const Nothing&) const = default;
};

// Private members: one function for both directions.
class Account {
public:
    Account() = default;
    Account(std::string name, long balance) : name_(std::move(name)), balance_(balance) {}
    bool operator==(const Account&) const = default;
    template <class A>
    friend void archive(A& a, Account& account) {
        a(account.name_, account.balance_);
    }

private:
    std::string name_;
    long balance_ = 0;
};

}  // namespace shapes

namespace {

// A proc only remembers its class.
int anything = 0;
hg_class_t* const some_class = reinterpret_cast<hg_class_t*>(&anything);

template <class T>
std::vector<char> encode(const T& value) {
    std::vector<char> bytes(64 * 1024);
    hg_proc_t proc = nullptr;
    REQUIRE(hg_proc_create_set(some_class, bytes.data(), bytes.size(), HG_ENCODE, HG_NOHASH,
                               &proc) == HG_SUCCESS);
    Writer writer(proc);
    writer(value);
    CHECK(writer.status() == HG_SUCCESS);
    bytes.resize(hg_proc_get_size_used(proc));
    CHECK(hg_proc_free(proc) == HG_SUCCESS);
    return bytes;
}

template <class T>
hg_return_t decode(std::vector<char> bytes, T& value) {
    bytes.reserve(1);
    hg_proc_t proc = nullptr;
    REQUIRE(hg_proc_create_set(some_class, bytes.data(), bytes.size(), HG_DECODE, HG_NOHASH,
                               &proc) == HG_SUCCESS);
    Reader reader(proc);
    reader(value);
    const hg_return_t status = reader.status();
    CHECK(hg_proc_free(proc) == HG_SUCCESS);
    return status;
}

template <class T>
void round_trip(const T& value) {
    const std::vector<char> bytes = encode(value);
    T back{};
    CHECK(decode(bytes, back) == HG_SUCCESS);
    CHECK((back == value));
    // Every truncation is noticed, and nothing more.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        T part{};
        CHECK(decode({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, part) !=
              HG_SUCCESS);
    }
}

std::vector<char> with_length(std::uint64_t length, std::size_t rest) {
    std::vector<char> bytes = encode(length);
    bytes.resize(bytes.size() + rest);
    return bytes;
}

shapes::Everything everything() {
    return {-5,
            true,
            shapes::Colour::green,
            std::string("a\0b", 3),
            {{1, 2}, {3, 4}},
            {1, 2, 3},
            {{"one", {1}}, {"none", {}}},
            shapes::Point{5, 6},
            "seven",
            {'8', 9.5F}};
}

}  // namespace

TEST_CASE("values come back as they were, and no truncation passes") {
    round_trip(42);
    round_trip(std::numeric_limits<std::uint64_t>::max());
    round_trip(true);
    round_trip(2.5);
    round_trip(shapes::Colour::green);
    round_trip(std::string("text"));
    round_trip(std::vector<int>{1, 2, 3});
    round_trip(std::vector<bool>{true, false, true});
    round_trip(std::vector<std::string>{"", "b"});
    round_trip(std::list<int>{1, 2});
    round_trip(std::set<std::string>{"x", "y"});
    round_trip(std::unordered_map<int, std::string>{{1, "one"}, {2, "two"}});
    round_trip(std::pair<int, std::string>{1, "x"});
    round_trip(std::optional<int>());
    round_trip(std::optional<int>(5));
    round_trip(std::variant<int, std::string>("held"));
    round_trip(std::chrono::milliseconds(7));
    round_trip(shapes::Point{1, 2});
    round_trip(shapes::Nothing{});
    round_trip(shapes::Account("me", 12));
    round_trip(std::vector<shapes::Account>{{"me", 12}, {"you", -1}});
    round_trip(everything());
}

TEST_CASE("members of aggregates are counted") {
    using detail::member_count;
    CHECK(member_count<shapes::Nothing>() == 0);
    CHECK(member_count<shapes::Point>() == 2);
    CHECK(member_count<shapes::Everything>() == 10);
}

TEST_CASE("a vector of numbers is its bytes") {
    const std::vector<std::uint32_t> numbers{1, 2, 3};
    const std::vector<char> bytes = encode(numbers);
    REQUIRE(bytes.size() == 8 + 12);
    CHECK(std::memcmp(bytes.data() + 8, numbers.data(), 12) == 0);
}

namespace shapes {

struct Reading {
    std::int64_t time = 0;
    std::array<Point, 2> places{};
    std::chrono::nanoseconds spent{};
    float value = 0;
    std::uint32_t count = 0;
    bool operator==(const Reading&) const = default;
};
struct Gap {
    std::uint8_t small = 0;
    std::uint32_t large = 0;
    bool operator==(const Gap&) const = default;
};
struct Flagged {
    std::uint8_t number = 0;
    bool flag = false;
};

}  // namespace shapes

TEST_CASE("what lies in memory as it is written is one copy") {
    using detail::is_bitwise;
    using namespace shapes;
    STATIC_REQUIRE(is_bitwise<Point>);
    STATIC_REQUIRE(is_bitwise<const Reading>);
    STATIC_REQUIRE(is_bitwise<std::array<Reading, 3>>);
    STATIC_REQUIRE_FALSE(is_bitwise<Gap>);
    STATIC_REQUIRE_FALSE(is_bitwise<Flagged>);
    STATIC_REQUIRE_FALSE(is_bitwise<Account>);
    STATIC_REQUIRE_FALSE(is_bitwise<Tree>);
    STATIC_REQUIRE_FALSE(is_bitwise<Nothing>);
    STATIC_REQUIRE_FALSE(is_bitwise<std::array<bool, 4>>);

    const std::vector<Reading> readings{{1, {{{2, 3}, {4, 5}}}, 6ns, 7, 8}, {}};
    round_trip(readings);
    const std::vector<char> bytes = encode(readings);
    REQUIRE(bytes.size() == 8 + 2 * sizeof(Reading));
    CHECK(std::memcmp(bytes.data() + 8, readings.data(), 2 * sizeof(Reading)) == 0);
    // One by one they are the same bytes.
    CHECK(encode(std::list<Reading>(readings.begin(), readings.end())) == bytes);
    // Nothing is read of what is not there as a whole; one by one the first would be.
    std::vector<Reading> back;
    CHECK(decode({bytes.begin(), bytes.end() - 1}, back) == HG_OVERFLOW);
    CHECK(back.capacity() == 0);
    round_trip(std::vector<Gap>{{1, 2}, {3, 4}});
    CHECK(encode(Gap{1, 2}).size() == 5);
}

TEST_CASE("a length that the bytes cannot fill is refused before memory is asked for") {
    for (const std::uint64_t length :
         {std::uint64_t{9}, std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max()}) {
        std::vector<char> chars;
        CHECK(decode(with_length(length, 8), chars) == HG_OVERFLOW);
        CHECK(chars.capacity() == 0);
        std::vector<double> doubles;
        CHECK(decode(with_length(length, 8), doubles) == HG_OVERFLOW);
        CHECK(doubles.capacity() == 0);
        std::string text;
        CHECK(decode(with_length(length, 8), text) == HG_OVERFLOW);
        std::vector<std::string> texts;
        CHECK(decode(with_length(length, 8), texts) != HG_SUCCESS);
        CHECK(texts.capacity() == 0);
        std::map<int, int> map;
        CHECK(decode(with_length(length, 8), map) != HG_SUCCESS);
    }
    // Fits by a byte each, but the second element does not.
    std::vector<std::string> texts;
    CHECK(decode(with_length(8, 8), texts) == HG_OVERFLOW);
    CHECK(texts.size() == 1);
}

TEST_CASE("bytes that are no value are refused") {
    bool flag = false;
    CHECK(decode({2}, flag) == HG_PROTOCOL_ERROR);
    std::optional<int> maybe;
    CHECK(decode({7, 0, 0, 0, 0}, maybe) == HG_PROTOCOL_ERROR);
    std::variant<int, bool> either;
    CHECK(decode({2, 0, 0, 0, 0, 0, 0, 0}, either) == HG_PROTOCOL_ERROR);
}

TEST_CASE("a chain is read, one too long for the stack is refused") {
    shapes::Tree chain;
    shapes::Tree* end = &chain;
    for (int i = 1; i < 20; ++i) {
        end->next = std::make_unique<shapes::Tree>();
        end = end->next.get();
        end->value = i;
    }
    shapes::Tree back;
    CHECK(decode(encode(chain), back) == HG_SUCCESS);
    int count = 0;
    for (const shapes::Tree* at = &back; at != nullptr; at = at->next.get())
        count += at->value == count ? 1 : 1000;
    CHECK(count == 20);

    std::vector<char> deep;
    for (int i = 0; i < 100000; ++i)
        deep.insert(deep.end(), {0, 0, 0, 0, 1});
    CHECK(decode(deep, back) == HG_PROTOCOL_ERROR);
}

TEST_CASE("signatures tell types apart that differ in bytes, and only those") {
    using detail::signature;
    CHECK(signature<int, int, int> == signature<std::int32_t, std::int32_t, const int&>);
    CHECK(signature<long> == signature<long long>);
    CHECK(signature<void, std::vector<int>> == signature<void, std::list<int>>);
    CHECK(signature<void, shapes::Colour> == signature<void, std::uint8_t>);
    CHECK(signature<int, int> != signature<int, int, int>);
    CHECK(signature<int, int> != signature<int, unsigned>);
    CHECK(signature<int> != signature<void>);
    CHECK(signature<void, float> != signature<void, int>);
    CHECK(signature<void, shapes::Point> != signature<void, std::vector<double>>);
    CHECK(signature<void, std::optional<int>> != signature<void, int>);
    CHECK(signature<void, std::string> != signature<void, std::vector<int>>);
    CHECK(signature<shapes::Tree> != signature<shapes::Point>);
}
