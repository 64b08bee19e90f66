// SPDX-License-Identifier: BSD-3-Clause
// Equal buffers lent to connections while they have bytes in them, so that idle connections hold
// none. One pool for each context, used inside its serial.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace cinnabar::tcp {

class BufferPool {
public:
    // A buffer has room for a pointer at least.
    explicit BufferPool(std::size_t size) noexcept : size_(size) {}
    ~BufferPool() {
        while (top_ != nullptr)
            std::free(pop());
    }
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    std::size_t size() const noexcept { return size_; }
    // nullptr: out of memory.
    std::byte* take() noexcept {
        return top_ != nullptr ? pop() : static_cast<std::byte*>(std::malloc(size_));
    }
    void give(std::byte* buffer) noexcept {
        // Kept warm: a few; a storm's worth of buffers goes back to the heap.
        if (buffer == nullptr || count_ == kept) {
            std::free(buffer);
            return;
        }
        std::memcpy(buffer, &top_, sizeof top_);
        top_ = buffer;
        ++count_;
    }

private:
    // Each buffer begins with the address of the next one.
    std::byte* pop() noexcept {
        std::byte* buffer = top_;
        std::memcpy(&top_, buffer, sizeof top_);
        --count_;
        return buffer;
    }

    static constexpr std::size_t kept = 32;
    std::size_t size_;
    std::byte* top_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace cinnabar::tcp
