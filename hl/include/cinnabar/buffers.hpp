// SPDX-License-Identifier: BSD-3-Clause
// Buffers that are exposed once and used again and again: exposing memory may cost a system call, a
// lookup in this pool does not. Any thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cinnabar/engine.hpp"

namespace cinnabar {
inline namespace v1 {

class BufferPool;

// A buffer that is lent, and given back by its destructor. No peer may use its region afterwards.
class CINNABAR_API Buffer {
public:
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&&) = delete;
    ~Buffer();

    // At least as many bytes as were asked for.
    std::span<std::byte> memory() const noexcept;
    const Region& region() const noexcept;

private:
    friend class BufferPool;
    struct Shelf;
    struct Lent;
    explicit Buffer(std::unique_ptr<Lent> lent) noexcept;
    std::unique_ptr<Lent> lent_;
};

class CINNABAR_API BufferPool {
public:
    struct Kind {
        std::size_t size;
        std::size_t count;
    };
    // Allocates all of them, memory of the library's, at once; throws Failure.
    BufferPool(Engine& engine, const std::vector<Kind>& kinds, Access access);
    // Blocks while all buffers of the smallest kind that is large enough are lent. Errc::invalid
    // when none is, Errc::timeout after the deadline.
    Result<Buffer> acquire(std::size_t size, std::optional<TimePoint> deadline = {});

private:
    std::vector<std::shared_ptr<Buffer::Shelf>> shelves_;  // by size
};

}  // namespace v1
}  // namespace cinnabar
