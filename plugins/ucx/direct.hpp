// SPDX-License-Identifier: BSD-3-Clause
// Reading the memory of another process of this host with the kernel's help, as UCX's lane "cma"
// does: one copy instead of two. Whoever moves bytes this way reads them, nobody writes into
// another process: so a transfer that is given up can never touch memory that is in other use by
// then. Any thread; does not wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plugins/ucx/region.hpp"

namespace cinnabar::ucx {

// Copies up to `size` bytes from the segments of a process to segments of this one, beginning at
// the offsets, which are inside. Returns how many, at least 1, or a negative errno.
std::int64_t read_process(std::uint32_t process, const std::vector<Segment>& there,
                          std::uint64_t there_offset, const std::vector<Segment>& here,
                          std::uint64_t here_offset, std::size_t size) noexcept;

// Whether this process may read that one, and that one is who it says: `proof` is what it has
// at the address.
bool can_read(std::uint32_t process, std::uint64_t address, std::uint64_t proof) noexcept;

inline constexpr std::size_t described_segment_size = 16;

// Describes a range of segments, as addresses and lengths. Returns the bytes written; 0 if there is
// no room.
std::size_t describe_range(const std::vector<Segment>& segments, std::uint64_t offset,
                           std::uint64_t size, std::span<std::byte> to) noexcept;

// False if the description does not have so many bytes. Throws std::bad_alloc.
bool parse_range(std::span<const std::byte> from, std::uint64_t size, std::vector<Segment>& to);

}  // namespace cinnabar::ucx
