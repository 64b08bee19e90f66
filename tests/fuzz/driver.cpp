// SPDX-License-Identifier: BSD-3-Clause
// Runs a fuzz target without libFuzzer: first every seed as it is, then mutations of seeds, the
// same on every run: input number n depends on the seed of the random numbers and on n only. When
// the program dies, the input is printed as hexadecimal digits; `--hex DIGITS` runs that one input.
//     fuzz_<decoder> [--runs N] [--seconds N] [--seed N] [--hex DIGITS] [file or folder of
//     seeds]...
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/property.hpp"

// Of the sanitizers' runtimes, if one is linked.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Bytes = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

constexpr std::size_t largest_input = 4096;

struct Arguments {
    std::uint64_t runs = 5000;
    std::uint64_t seconds = 0;  // not 0: instead of `runs`
    std::uint64_t seed = 1;
    std::vector<Bytes> seeds;
};

Bytes current;

void print_current() {
    std::fputs("the input was: --hex ", stderr);
    for (const std::uint8_t byte : current)
        std::fprintf(stderr, "%02x", byte);
    std::fputs("\n", stderr);
}

void on_signal(int number) {
    print_current();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void run(Bytes bytes) {
    // Exactly as large as its bytes, so that an address sanitizer sees an over-read.
    bytes.shrink_to_fit();
    current = std::move(bytes);
    LLVMFuzzerTestOneInput(current.data(), current.size());
}

std::size_t below(Random& random, std::size_t limit) {
    return static_cast<std::size_t>(random() % limit);
}

void overwrite_with_edge(Random& random, Bytes& bytes) {
    static constexpr std::uint64_t edges[] = {0,          1,          0x7f,       0x80,
                                              0xff,       0x7fff,     0x8000,     0xffff,
                                              0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX,
                                              1ULL << 63, UINT64_MAX, 1ULL << 32, UINT64_MAX - 1};
    const std::size_t width = std::size_t{1} << below(random, 4);
    if (bytes.size() < width) return;
    const std::uint64_t value = edges[below(random, std::size(edges))];
    std::memcpy(bytes.data() + below(random, bytes.size() - width + 1), &value, width);
}

void mutate(Random& random, Bytes& bytes, const Bytes& other) {
    const auto at = static_cast<std::ptrdiff_t>(below(random, bytes.size() + 1));
    const auto length = static_cast<std::ptrdiff_t>(
        below(random, std::min<std::size_t>(bytes.size() - static_cast<std::size_t>(at), 16) + 1));
    switch (below(random, 7)) {
        case 0:
            if (!bytes.empty())
                bytes[below(random, bytes.size())] ^=
                    static_cast<std::uint8_t>(1u << below(random, 8));
            break;
        case 1:
            if (!bytes.empty())
                bytes[below(random, bytes.size())] = static_cast<std::uint8_t>(random());
            break;
        case 2:
            overwrite_with_edge(random, bytes);
            break;
        case 3:
            bytes.erase(bytes.begin() + at, bytes.begin() + at + length);
            break;
        case 4: {
            const Bytes copy(bytes.begin() + at, bytes.begin() + at + length);
            bytes.insert(
                bytes.begin() + static_cast<std::ptrdiff_t>(below(random, bytes.size() + 1)),
                copy.begin(), copy.end());
            break;
        }
        case 5:
            bytes.insert(bytes.begin() + at, static_cast<std::uint8_t>(random()));
            break;
        default:
            bytes.resize(static_cast<std::size_t>(at));
            if (!other.empty())
                bytes.insert(
                    bytes.end(),
                    other.begin() + static_cast<std::ptrdiff_t>(below(random, other.size())),
                    other.end());
    }
    if (bytes.size() > largest_input) bytes.resize(largest_input);
}

Bytes input_number(std::uint64_t number, const Arguments& arguments) {
    Random random(arguments.seed * 0x9e3779b97f4a7c15ULL + number);
    const auto pick = [&] {
        return arguments.seeds.empty() ? Bytes()
                                       : arguments.seeds[below(random, arguments.seeds.size())];
    };
    Bytes bytes = pick();
    // One input in sixteen is noise.
    if (below(random, 16) == 0) {
        bytes.resize(below(random, 256));
        for (std::uint8_t& byte : bytes)
            byte = static_cast<std::uint8_t>(random());
    }
    for (std::size_t i = below(random, 8); i > 0; --i)
        mutate(random, bytes, pick());
    return bytes;
}

void load(const std::filesystem::path& path, std::vector<Bytes>& seeds) {
    if (std::filesystem::is_directory(path)) {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(path))
            files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (const auto& file : files)
            load(file, seeds);
        return;
    }
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

bool number(std::string_view text, std::uint64_t& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ptr ==
           text.data() + text.size();
}

Bytes from_hex(std::string_view digits) {
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        std::uint8_t byte = 0;
        std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
        bytes.push_back(byte);
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
        std::uint64_t* wanted = argument == "--runs"      ? &arguments.runs
                                : argument == "--seconds" ? &arguments.seconds
                                : argument == "--seed"    ? &arguments.seed
                                                          : nullptr;
        if (argument == "--hex") {
            run(from_hex(value));
            return 0;
        }
        if (wanted == nullptr) {
            load(argument, arguments.seeds);
        } else if (!number(value, *wanted) || ++i == argc) {
            std::fprintf(stderr, "%s needs a number\n", argument.data());
            return 2;
        }
    }
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(print_current);
    std::signal(SIGABRT, on_signal);
    std::signal(SIGSEGV, on_signal);
    for (const Bytes& seed : arguments.seeds)
        run(seed);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(arguments.seconds);
    std::uint64_t count = 0;
    while (arguments.seconds == 0 ? count < arguments.runs : std::chrono::steady_clock::now() < end)
        run(input_number(count++, arguments));
    std::printf("%zu seeds and %llu mutations\n", arguments.seeds.size(),
                static_cast<unsigned long long>(count));
    return 0;
}
