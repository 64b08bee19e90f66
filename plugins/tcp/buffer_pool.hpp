// SPDX-License-Identifier: BSD-3-Clause
// Equal buffers lent to connections while they have bytes in them, so that idle connections hold
// none. One pool for each context, used inside its serial.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace cinnabar::tcp {

class BufferPool {
public:
    explicit BufferPool(std::size_t size) noexcept : size_(size) {}
    ~BufferPool() {
        for (std::byte* buffer : free_)
            std::free(buffer);
    }
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    std::size_t size() const noexcept { return size_; }
    // nullptr: out of memory.
    std::byte* take() noexcept {
        if (free_.empty()) return static_cast<std::byte*>(std::malloc(size_));
        std::byte* buffer = free_.back();
        free_.pop_back();
        return buffer;
    }
    void give(std::byte* buffer) noexcept {
        // Kept warm: a few; a storm's worth of buffers goes back to the heap.
        if (buffer != nullptr && free_.size() < free_.capacity())
            free_.push_back(buffer);
        else
            std::free(buffer);
    }
    void reserve() { free_.reserve(kept); }

private:
    static constexpr std::size_t kept = 32;
    std::size_t size_;
    std::vector<std::byte*> free_;
};

}  // namespace cinnabar::tcp
