// SPDX-License-Identifier: BSD-3-Clause
// The numbers that shape the transport, in one place. Sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cinnabar::ucx::options {

inline constexpr std::size_t default_message_size = 4096;
inline constexpr std::size_t max_message_size = 16u << 20;
// Messages up to this size are copied into their flight.
inline constexpr std::size_t copy_limit = 512;
// And up to this size they are gathered for a network; the bytes of a batch.
inline constexpr std::size_t gather_limit = 1024;
inline constexpr std::size_t batch_size = 16 * 1024;
// Sends of one connection that UCX has not finished; others wait in their operations, where they
// can be cancelled.
inline constexpr std::uint32_t send_window = 64;
// Unexpected messages that a peer may have on the way or unread, and what each costs besides its
// bytes.
inline constexpr std::int64_t credit_window = 256 * 1024;
inline constexpr std::int64_t message_cost = 64;
inline constexpr std::size_t max_segments = 4096;
// Transfers by messages: bytes in one of them, so that it is one of UCX's too; those of a
// connection that UCX has not finished; those sent for a connection before others have their turn.
inline constexpr std::size_t memory_chunk = 8192;
inline constexpr std::size_t network_chunk = 32 * 1024;
inline constexpr std::uint32_t chunk_window = 16;
// Over memory: the least bytes of a transfer that one process reads from the other, and the most it
// reads at once.
inline constexpr std::size_t direct_threshold = 16 * 1024;
inline constexpr std::size_t direct_chunk = 512 * 1024;
inline constexpr unsigned chunk_batch = 64;
// One-sided operations: the longest piece given to UCX at once, and the pieces of a connection in
// flight.
inline constexpr std::size_t piece_size = 4u << 20;
inline constexpr std::uint32_t piece_window = 256;
inline constexpr std::size_t max_name_size = 255;
inline constexpr std::size_t max_worker_address = 16 * 1024;
inline constexpr std::size_t max_rkey_size = 4096;
// UCX is not told how long an address or a key is: zeros behind it stop what reads too far.
inline constexpr std::size_t unpack_padding = 20 * 1024;
// Accepted sockets of a context that have not greeted, and how long they may take; the shorter time
// holds when there are as many as that. Further ones wait in the listener's queue.
inline constexpr std::size_t max_greeters = 256;
inline constexpr std::int64_t greeting_patience_ms = 10'000;
inline constexpr std::int64_t greeting_hurry_ms = 1'000;
// Between looks at the control sockets while nothing is expected of them.
inline constexpr std::int64_t control_interval_ns = 4'000'000;
// How long the last words of a peer that hung up are waited for, and how long transfers with one
// whose process lives on.
inline constexpr std::int64_t last_words_ms = 200;
inline constexpr std::int64_t leaving_ms = 800;
// How long a context that closes waits for what was sent.
inline constexpr std::int64_t linger_ms = 1'000;
inline constexpr std::int64_t linger_flush_ms = 40;
// Calls into UCX's progress in one poll, as long as they find something.
inline constexpr unsigned progress_batch = 16;

}  // namespace cinnabar::ucx::options
