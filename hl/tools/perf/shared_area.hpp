// SPDX-License-Identifier: BSD-3-Clause
// Memory that both processes have mapped, in which the floors of shared memory are measured: one
// cache line, a ring of slots each way, and bytes to copy. The client makes it, the server inherits
// it; they take turns as each floor says.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cinnabar::perf {

inline constexpr std::size_t cache_line = 64;
inline constexpr std::size_t ring_slots = 128;
inline constexpr std::size_t largest_transfer = std::size_t{64} << 20;
// Of "run", which checks what it pulls.
inline constexpr std::size_t largest_pull = std::size_t{16} << 20;

struct alignas(cache_line) Line {
    std::atomic<std::uint64_t> word;
};

// A message of 128 bytes: the number of the message that fills it, and what it carries.
struct alignas(2 * cache_line) Slot {
    std::atomic<std::uint64_t> filled;
    std::array<std::byte, 56> payload;
};

struct SharedArea {
    std::uint64_t cookie;  // by which two processes know that they have the same one
    Line bounced;
    std::array<Slot, ring_slots> to_server;
    std::array<Slot, ring_slots> to_client;
    alignas(4096) std::array<std::byte, largest_transfer> bytes;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// Makes the area, zeroed, and sets `descriptor` to what a child inherits. Never unmapped. All its
// pages are there from the beginning, or as they are touched.
SharedArea& create_shared_area(int& descriptor, bool populated = true);

// Maps an inherited one and closes the descriptor.
SharedArea& open_shared_area(int descriptor, bool populated = true);

}  // namespace cinnabar::perf
