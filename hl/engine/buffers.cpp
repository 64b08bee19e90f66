// SPDX-License-Identifier: BSD-3-Clause
#include "cinnabar/buffers.hpp"

#include <algorithm>
#include <mutex>

namespace cinnabar {
inline namespace v1 {

struct Buffer::Shelf {
    Shelf(std::size_t each, std::size_t count) : size(each), free(count) {}

    const std::size_t size;
    Semaphore free;
    detail::Lock lock;
    std::vector<Region> regions;  // has room for all
};

struct Buffer::Lent {
    std::shared_ptr<Shelf> shelf;
    Region region;
    std::span<std::byte> memory;
};

Buffer::Buffer(std::unique_ptr<Lent> lent) noexcept : lent_(std::move(lent)) {}

Buffer::Buffer(Buffer&&) noexcept = default;

Buffer::~Buffer() {
    if (lent_ == nullptr) return;
    Shelf& shelf = *lent_->shelf;
    {
        const std::lock_guard lock(shelf.lock);
        shelf.regions.push_back(std::move(lent_->region));
    }
    shelf.free.release();
}

std::span<std::byte> Buffer::memory() const noexcept {
    return lent_->memory;
}

const Region& Buffer::region() const noexcept {
    return lent_->region;
}

BufferPool::BufferPool(Engine& engine, const std::vector<Kind>& kinds, Access access) {
    for (const Kind& kind : kinds) {
        auto shelf = std::make_shared<Buffer::Shelf>(kind.size, kind.count);
        for (std::size_t i = 0; i < kind.count; ++i)
            shelf->regions.push_back(engine.allocate(kind.size, access));
        shelves_.push_back(std::move(shelf));
    }
    std::sort(shelves_.begin(), shelves_.end(),
              [](const auto& left, const auto& right) { return left->size < right->size; });
}

Result<Buffer> BufferPool::acquire(std::size_t size, std::optional<TimePoint> deadline) {
    const auto found = std::find_if(shelves_.begin(), shelves_.end(),
                                    [size](const auto& shelf) { return shelf->size >= size; });
    if (found == shelves_.end())
        return Error{Errc::invalid, HG_INVALID_ARG, "no buffer is that large", false};
    auto lent = std::make_unique<Buffer::Lent>();
    lent->shelf = *found;
    Buffer::Shelf& shelf = **found;
    if (!deadline)
        shelf.free.acquire();
    else if (!shelf.free.try_acquire_until(*deadline))
        return Error{Errc::timeout, HG_TIMEOUT, "all buffers are lent", false};
    {
        const std::lock_guard lock(shelf.lock);
        lent->region = std::move(shelf.regions.back());
        shelf.regions.pop_back();
    }
    lent->memory = lent->region.memory();
    return Buffer(std::move(lent));
}

}  // namespace v1
}  // namespace cinnabar
