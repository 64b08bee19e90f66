// SPDX-License-Identifier: BSD-3-Clause
// Bytes of a peer that means harm: what is decoded from them ends, well or with an error, and takes
// memory by the bytes that are there, never by what they claim. The same inputs on every run;
// CINNABAR_TEST_ARCHIVE_ROUNDS makes more of them.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>

#include "cinnabar/signature.hpp"

using namespace cinnabar;

namespace {

std::size_t live = 0;
std::size_t peak = 0;

// Counts the bytes that containers ask for.
template <class T>
struct Counted {
    using value_type = T;
    Counted() = default;
    template <class Other>
    Counted(const Counted<Other>&) noexcept {}
    T* allocate(std::size_t count) {
        // What would not even fit a payload is not worth trying.
        if (count > (std::size_t{1} << 30) / sizeof(T)) throw std::bad_alloc();
        live += count * sizeof(T);
        peak = std::max(peak, live);
        return std::allocator<T>().allocate(count);
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        live -= count * sizeof(T);
        std::allocator<T>().deallocate(memory, count);
    }
    bool operator==(const Counted&) const = default;
};

using Text = std::basic_string<char, std::char_traits<char>, Counted<char>>;
template <class T>
using Vector = std::vector<T, Counted<T>>;

struct Point {
    double x = 0, y = 0;
    bool operator==(const Point&) const = default;
};

enum class Colour : std::uint16_t { red, green };

struct Link {
    Text text;
    std::unique_ptr<Link> next;
    bool operator==(const Link& other) const {
        if (text != other.text || (next == nullptr) != (other.next == nullptr)) return false;
        return next == nullptr || *next == *other.next;
    }
};

class Account {
public:
    bool operator==(const Account&) const = default;
    template <class A>
    friend void archive(A& a, Account& account) {
        a(account.name_, account.shares_);
    }

private:
    Text name_ = "me";
    Vector<std::uint32_t> shares_{1, 2};
};

struct Everything {
    Text text = "text";
    std::basic_string<char32_t, std::char_traits<char32_t>, Counted<char32_t>> wide = U"wide";
    Vector<std::uint64_t> numbers{1, 2, 3};
    Vector<Point> points{{1, 2}, {3, 4}};
    Vector<Text> texts{"", "b"};
    Vector<Vector<std::uint8_t>> rows{{1}, {}};
    Vector<bool> flags{true, false};
    std::list<Colour, Counted<Colour>> colours{Colour::green};
    std::set<int, std::less<>, Counted<int>> set{5, 6};
    std::map<Text, int, std::less<>, Counted<std::pair<const Text, int>>> table{{"one", 1}};
    std::unordered_map<int, Text, std::hash<int>, std::equal_to<>,
                       Counted<std::pair<const int, Text>>>
        loose{{7, "seven"}};
    std::optional<Text> maybe = "maybe";
    std::variant<std::monostate, int, Text> either = "either";
    std::tuple<char, Text> tuple{'c', "tuple"};
    std::array<Text, 2> pair{"first", "second"};
    Account account;
};

template <class T>
std::vector<char> encode(const T& value) {
    std::vector<char> bytes(1 << 16);
    hg_proc_t proc = nullptr;
    int any = 0;
    REQUIRE(hg_proc_create_set(reinterpret_cast<hg_class_t*>(&any), bytes.data(), bytes.size(),
                               HG_ENCODE, HG_NOHASH, &proc) == HG_SUCCESS);
    Writer writer(proc);
    writer(value);
    REQUIRE(writer.status() == HG_SUCCESS);
    bytes.resize(hg_proc_get_size_used(proc));
    REQUIRE(hg_proc_free(proc) == HG_SUCCESS);
    return bytes;
}

template <class T>
bool decode(std::vector<char> bytes, T& value) {
    // As large as it is, so that an address sanitizer sees who reads on.
    bytes.shrink_to_fit();
    bytes.reserve(1);
    hg_proc_t proc = nullptr;
    int any = 0;
    REQUIRE(hg_proc_create_set(reinterpret_cast<hg_class_t*>(&any), bytes.data(), bytes.size(),
                               HG_DECODE, HG_NOHASH, &proc) == HG_SUCCESS);
    Reader reader(proc);
    reader(value);
    REQUIRE(hg_proc_free(proc) == HG_SUCCESS);
    return reader.ok();
}

using Random = std::mt19937_64;

void harm(Random& random, std::vector<char>& bytes) {
    constexpr std::uint64_t edges[] = {0,          1,          2,          0x7f,       0xff,
                                       0xffff,     0x7fffffff, 0xffffffff, 1ULL << 32, 1ULL << 60,
                                       1ULL << 61, 1ULL << 63, UINT64_MAX};
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
        case 0:
            bytes.resize(at);
            break;
        case 1:
            bytes[at] = static_cast<char>(random());
            break;
        case 2: {
            const std::uint64_t edge = edges[random() % std::size(edges)];
            std::memcpy(&bytes[at], &edge, std::min<std::size_t>(8, bytes.size() - at));
            break;
        }
        default: {
            const std::vector<char> tail(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                         bytes.end());
            bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(random() % bytes.size()),
                         tail.begin(), tail.end());
        }
    }
}

int rounds() {
    const char* more = std::getenv("CINNABAR_TEST_ARCHIVE_ROUNDS");
    return more != nullptr ? std::atoi(more) : 3000;
}

template <class T>
void suffer(const T& value) {
    const std::vector<char> good = encode(value);
    Random random(1);
    int well = 0;
    for (int i = 0; i < rounds(); ++i) {
        std::vector<char> bytes = good;
        for (std::uint64_t left = random() % 3 + 1; left > 0 && !bytes.empty(); --left)
            harm(random, bytes);
        const std::size_t before = live;
        peak = live;
        {
            T back{};
            const bool ok = decode(bytes, back);
            // The densest is a byte for a list's node, or for an element of a vector that has
            // grown.
            const bool modest = peak - before <= 100 * bytes.size() + 4096;
            if (!modest) FAIL(peak - before << " bytes for " << bytes.size());
            if (ok) {
                T again{};
                const bool same = decode(encode(back), again) && encode(again) == encode(back);
                REQUIRE(same);
                ++well;
            }
        }
        REQUIRE(live == before);
    }
    // Some survive the harm, so that it is not all refused at the first byte.
    CHECK(well < rounds());
}

}  // namespace

TEST_CASE("whatever the bytes say, decoding ends and takes memory by their number") {
    suffer(Text("some text"));
    suffer(Vector<std::uint64_t>{1, 2, 3});
    suffer(Vector<Point>{{1, 2}, {3, 4}});
    suffer(Vector<Text>{"a", "", "b"});
    suffer(Vector<Vector<Vector<char>>>{{{'a'}}, {}});
    suffer(std::list<bool, Counted<bool>>{true, false});
    suffer(std::map<Text, Vector<int>, std::less<>, Counted<std::pair<const Text, Vector<int>>>>{
        {"one", {1}}, {"two", {}}});
    suffer(std::optional<Vector<int>>(Vector<int>{1, 2}));
    suffer(std::variant<int, Text, Vector<Text>>(Vector<Text>{"x"}));
    suffer(std::tuple<bool, Text, std::array<Text, 2>>(true, "a", {"b", "c"}));
    suffer(Account());
    suffer(Everything());
    Link chain;
    chain.next = std::make_unique<Link>();
    chain.next->text = "end";
    suffer(chain);
}

TEST_CASE("a claim of any length takes no memory") {
    const auto claims = [](auto empty, std::uint64_t length) {
        std::vector<char> bytes = encode(length);
        bytes.resize(bytes.size() + 16);
        peak = live = 0;
        auto back = std::move(empty);
        CHECK_FALSE(decode(bytes, back));
        CHECK(peak <= 2048);
    };
    for (const std::uint64_t length :
         {std::uint64_t{17}, std::uint64_t{1} << 32, std::uint64_t{1} << 60, std::uint64_t{1} << 61,
          (std::uint64_t{1} << 60) + 1, UINT64_MAX / 8 + 2, UINT64_MAX}) {
        claims(Text(), length);
        claims(Vector<std::uint64_t>(), length);
        claims(Vector<Point>(), length);
        claims(Vector<Text>(), length);
        claims(std::list<bool, Counted<bool>>(), length);
        claims(std::set<int, std::less<>, Counted<int>>(), length);
        claims(std::map<int, Text, std::less<>, Counted<std::pair<const int, Text>>>(), length);
    }
}
