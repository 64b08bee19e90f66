// SPDX-License-Identifier: BSD-3-Clause
// A piece of shared memory without a name: a memfd, sealed so that nobody can shrink it under a
// reader. Used for the rings of a connection, for doorbell pages and for memory that users
// allocate. The mapping is owned and goes with the object; the descriptor is the caller's.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <utility>

#include "na/base/file_descriptor.hpp"
#include "na/base/result.hpp"

namespace cinnabar::sm {

class Region {
public:
    Region() noexcept = default;
    Region(Region&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Region& operator=(Region&& other) noexcept {
        if (this != &other) {
            unmap();
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    ~Region() { unmap(); }

    // Makes and maps a zeroed, sealed region; fd receives its descriptor. One log line on failure.
    static Result<Region> create(const char* name, std::size_t size, FileDescriptor& fd) noexcept;
    // Maps a region that a peer made, if it is a sealed memfd of exactly this size;
    // NA_PROTOCOL_ERROR otherwise. The caller logs, who knows the peer.
    static Result<Region> adopt(int fd, std::size_t size) noexcept;

    void* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    template <class T>
    T& as(std::size_t offset = 0) const noexcept {
        return *reinterpret_cast<T*>(static_cast<std::byte*>(data_) + offset);
    }
    // Gives the mapping up without unmapping it.
    void* release() noexcept {
        size_ = 0;
        return std::exchange(data_, nullptr);
    }

private:
    void unmap() noexcept;

    void* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace cinnabar::sm
