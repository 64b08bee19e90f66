// SPDX-License-Identifier: BSD-3-Clause
// The numbers that shape the transport, in one place. Sizes in bytes, times in milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cinnabar::ofi {

inline constexpr const char* log_name = "na_ofi";

}  // namespace cinnabar::ofi

namespace cinnabar::ofi::options {

inline constexpr std::size_t default_message_size = 4096;
inline constexpr std::size_t max_message_size = 16u << 20;
// What travels as one message of the library: frames gathered for a peer, or a part of a large one.
// Below the size above which ofi_rxm would ask the receiver first.
inline constexpr std::size_t envelope_size = 8192;
// Receives posted by a context, for all its peers.
inline constexpr std::size_t receive_buffers = 32;
// Envelopes of a context that are filled or under way; more wait in their operations.
inline constexpr std::size_t send_buffers = 256;
// Sealed envelopes of a peer that the library does not take yet.
inline constexpr std::size_t sealed_limit = 8;
// Unexpected messages that a peer may send before they are received, by the bytes they cost.
inline constexpr std::uint32_t window = 256 * 1024;
inline constexpr std::uint32_t message_cost = 64;  // of a message, beside its payload
// RMA goes out in pieces, so that messages get in between.
inline constexpr std::size_t piece_size = 1u << 20;
inline constexpr std::uint32_t pieces_of_peer = 8;
inline constexpr std::size_t pieces_of_context = 256;
inline constexpr std::size_t max_iovecs = 8;
inline constexpr std::size_t max_segments = 1024;
inline constexpr std::size_t max_name_size = 255;
inline constexpr std::size_t max_raw_size = 64;  // of the library's form of an address
// Entries read from a completion queue at once, and how many times in one poll.
inline constexpr std::size_t read_batch = 32;
inline constexpr unsigned read_rounds = 16;
// Every so many polls look at the event queues and the clock.
inline constexpr unsigned rare_polls = 32;
// A peer with something pending is sent a sign of life when nothing else has gone for so long.
inline constexpr std::int64_t keepalive_ms = 250;
// A peer that cannot be connected to, or takes nothing while not connected, is lost after this.
inline constexpr std::int64_t patience_ms = 5000;
// Transfers with a lost peer are given up when the library has not ended them by then.
inline constexpr std::int64_t abandon_ms = 1000;
// A cancelled transfer's connection is closed when the library has not ended it by then.
inline constexpr std::int64_t cancel_ms = 100;
// How many times a first greeting may fail, where connections are the library's own affair.
inline constexpr unsigned greeting_tries = 3;
// How long a sleeper waits before it asks again whether the library takes what it refused.
inline constexpr std::int64_t retry_ms = 1;
inline constexpr std::int64_t linger_ms = 1000;
// Passes without traffic after which a burst is forgotten, see Context::flush_or_gather().
inline constexpr std::uint64_t burst_memory = 64;

}  // namespace cinnabar::ofi::options
