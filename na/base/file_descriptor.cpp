// SPDX-License-Identifier: BSD-3-Clause
#include "na/base/file_descriptor.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cinnabar {
namespace {

// One bit per descriptor; the kernel's default ceiling (fs.nr_open) is 2^20. Untouched pages cost
// nothing.
constexpr std::size_t max_descriptors = std::size_t{1} << 20;
std::array<std::atomic<std::uint64_t>, max_descriptors / 64> owned{};

void mark(int fd, bool own) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= max_descriptors) return;
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if (own)
        owned[index / 64].fetch_or(bit, std::memory_order_relaxed);
    else
        owned[index / 64].fetch_and(~bit, std::memory_order_relaxed);
}

}  // namespace

void FileDescriptor::reset(int fd) noexcept {
    if (fd_ >= 0) {
        mark(fd_, false);
        ::close(fd_);
    }
    fd_ = fd;
    if (fd_ >= 0) mark(fd_, true);
}

int FileDescriptor::release() noexcept {
    if (fd_ >= 0) mark(fd_, false);
    return std::exchange(fd_, -1);
}

void close_owned_descriptors() noexcept {
    for (std::size_t word = 0; word < owned.size(); ++word) {
        std::uint64_t bits = owned[word].load(std::memory_order_relaxed);
        owned[word].store(0, std::memory_order_relaxed);
        for (std::size_t bit = 0; bits != 0; ++bit, bits >>= 1)
            if ((bits & 1) != 0) ::close(static_cast<int>(word * 64 + bit));
    }
}

}  // namespace cinnabar
