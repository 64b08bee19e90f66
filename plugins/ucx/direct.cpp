// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/direct.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "na/base/little_endian.hpp"

namespace cinnabar::ucx {

namespace {

constexpr std::size_t vector_size = 64;
using Vectors = std::array<iovec, vector_size>;

// As many parts of a range as there is room for; `size` becomes their bytes.
std::size_t fill(const std::vector<Segment>& segments, std::uint64_t offset, std::size_t& size,
                 Vectors& to) noexcept {
    std::size_t index = segment_at(segments, offset);
    std::uint64_t skip = offset - segments[index].start;
    std::size_t covered = 0;
    std::size_t used = 0;
    for (; covered < size && used < to.size(); ++index, skip = 0) {
        const auto part = std::min<std::size_t>(segments[index].length - skip, size - covered);
        to[used++] = {reinterpret_cast<void*>(segments[index].base + skip), part};
        covered += part;
    }
    size = covered;
    return used;
}

}  // namespace

std::int64_t read_process(std::uint32_t process, const std::vector<Segment>& there,
                          std::uint64_t there_offset, const std::vector<Segment>& here,
                          std::uint64_t here_offset, std::size_t size) noexcept {
    Vectors from;
    Vectors to;
    const std::size_t from_count = fill(there, there_offset, size, from);
    // The kernel stops at the shorter side.
    const std::size_t to_count = fill(here, here_offset, size, to);
    const ssize_t copied = ::process_vm_readv(static_cast<pid_t>(process), to.data(), to_count,
                                              from.data(), from_count, 0);
    if (copied > 0) return copied;
    return copied == 0 ? -EFAULT : -errno;
}

bool can_read(std::uint32_t process, std::uint64_t address, std::uint64_t proof) noexcept {
    std::uint64_t found = 0;
    iovec to{&found, sizeof found};
    iovec from{reinterpret_cast<void*>(address), sizeof found};
    return proof != 0 &&
           ::process_vm_readv(static_cast<pid_t>(process), &to, 1, &from, 1, 0) ==
               static_cast<ssize_t>(sizeof found) &&
           found == proof;
}

std::size_t describe_range(const std::vector<Segment>& segments, std::uint64_t offset,
                           std::uint64_t size, std::span<std::byte> to) noexcept {
    std::size_t index = segment_at(segments, offset);
    std::uint64_t skip = offset - segments[index].start;
    std::size_t used = 0;
    for (; size > 0; ++index, skip = 0) {
        if (to.size() - used < described_segment_size) return 0;
        const std::uint64_t part = std::min(segments[index].length - skip, size);
        store_le(to.data() + used, segments[index].base + skip);
        store_le(to.data() + used + 8, part);
        used += described_segment_size;
        size -= part;
    }
    return used;
}

bool parse_range(std::span<const std::byte> from, std::uint64_t size, std::vector<Segment>& to) {
    to.clear();
    std::uint64_t covered = 0;
    for (; from.size() >= described_segment_size; from = from.subspan(described_segment_size)) {
        const auto base = load_le<std::uint64_t>(from.data());
        const auto length = load_le<std::uint64_t>(from.data() + 8);
        if (length == 0 || length > size - covered || base + length < base) return false;
        to.push_back({base, length, covered, 0});
        covered += length;
    }
    return from.empty() && covered == size && size > 0;
}

}  // namespace cinnabar::ucx
