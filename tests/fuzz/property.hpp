// SPDX-License-Identifier: BSD-3-Clause
// What every fuzz target uses: a statement that must hold for any input, and a reader that turns
// the input into choices. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace cinnabar::fuzz {

// Ends the program with the place of the statement if it does not hold.
// (Not std::source_location, which clang 14 does not have.)
inline void require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    if (holds) return;
    std::fprintf(stderr, "FAILED: %s:%d: a property does not hold\n", file, line);
    std::abort();
}

// Reads forward through the input; behind its end there are zeros.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

    template <class T>
    T take() {
        T value{};
        const std::size_t size = std::min(sizeof value, left_.size());
        if (size > 0) std::memcpy(&value, left_.data(), size);
        left_ = left_.subspan(size);
        return value;
    }
    // At most `most` bytes, less if the input ends.
    std::span<const std::uint8_t> take_bytes(std::size_t most) {
        const auto bytes = left_.first(std::min(most, left_.size()));
        left_ = left_.subspan(bytes.size());
        return bytes;
    }
    std::span<const std::uint8_t> rest() { return take_bytes(left_.size()); }
    bool empty() const { return left_.empty(); }

private:
    std::span<const std::uint8_t> left_;
};

}  // namespace cinnabar::fuzz
