// SPDX-License-Identifier: BSD-3-Clause
// The numbers that shape the transport, in one place. Sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cinnabar::tcp::options {

// 64 KiB of a call's arguments and what is around them, as in sm: below that the bytes are sent
// before the peer could ask for them.
inline constexpr std::size_t default_message_size = 68 * 1024;
inline constexpr std::size_t max_message_size = 16u << 20;
// Smaller messages are copied into the output buffer, so that many leave in one write and their
// sends complete at once.
inline constexpr std::size_t copy_limit = 8192;
inline constexpr std::size_t buffer_size = 64 * 1024;
// Pending output that is written without waiting for the next poll.
inline constexpr std::size_t flush_threshold = 64 * 1024;
// Pending output above which messages wait in their operations.
inline constexpr std::size_t output_limit = 256 * 1024;
// Control frames that a peer provoked but does not read: above this it is cut off.
inline constexpr std::size_t output_hard_limit = 16u << 20;
inline constexpr std::size_t stash_limit = 256 * 1024;
inline constexpr std::size_t chunk_size = 512 * 1024;
// Chunks for a peer on the same host are lent to the kernel from this size on: below, two more
// system calls cost more than the copy.
inline constexpr std::size_t lend_min = 16 * 1024;
// A get from this size on is worth a system call of its own for the header before its data.
inline constexpr std::size_t large_get = 16 * 1024;
inline constexpr std::size_t max_chunk_size = 1u << 20;
inline constexpr std::size_t poll_budget = 4u << 20;
inline constexpr std::size_t max_segments = 65536;
inline constexpr std::size_t max_iovecs = 64;
inline constexpr std::size_t max_name_size = 255;
// Accepted sockets of a context that have not greeted, and how long they may take; the shorter time
// holds when there are as many as that. Further ones wait in the listener's queue.
inline constexpr std::size_t max_greeters = 256;
inline constexpr std::int64_t greeting_patience_ms = 10'000;
inline constexpr std::int64_t greeting_hurry_ms = 1'000;
// RMA operations in flight on one connection; the owner of the memory accepts a few more.
inline constexpr std::uint32_t rma_window = 1024;
inline constexpr std::uint32_t rma_window_accepted = 2048;
// Passes without traffic after which a burst is forgotten, see Connection::burst.
inline constexpr std::uint64_t burst_memory = 64;
// Operations that wait for a peer, from which on a burst to it leaves in two halves, see
// Connection::half. With fewer, the second system call costs more than it saves.
inline constexpr std::size_t halves_min = 32;
// While one connection is hot, every so many polls look at the others.
inline constexpr unsigned hot_polls = 16;

}  // namespace cinnabar::tcp::options
