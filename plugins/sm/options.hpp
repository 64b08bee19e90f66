// SPDX-License-Identifier: BSD-3-Clause
// The figures of the shared-memory transport, and what a net was opened with. Constants that both
// ends of a connection must share are part of the protocol: changing one means a new protocol
// version.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cinnabar::sm {

inline constexpr const char* log_name = "na_sm";

// Protocol: the geometry of a ring and of a doorbell page.
inline constexpr std::uint32_t slot_count = 128;
inline constexpr std::size_t slot_size = 128;
inline constexpr std::size_t inline_size = 112;
inline constexpr std::uint32_t byte_capacity = 256 * 1024;
inline constexpr std::size_t max_message_size = 68 * 1024;
inline constexpr std::uint32_t bell_bits = 4096;
inline constexpr std::size_t max_name_length = 80;

// Local choices.
// 64 KiB of a call's arguments and what is around them: below that a copy through the ring is
// cheaper than to describe the bytes, have them fetched and be told so. A buffer that no message
// has been received into costs address space only.
inline constexpr std::size_t default_message_size = max_message_size;
inline constexpr std::size_t stash_limit = 256 * 1024;        // bytes kept per connection
inline constexpr std::size_t hot_limit = 8;                   // rings looked at in every poll
inline constexpr std::uint32_t cooling_polls = 4096;          // idle that long: no longer hot
inline constexpr std::size_t max_segments = 65536;            // in one memory handle
inline constexpr std::size_t rma_at_once = 1024 * 1024;       // bytes moved inside the posting call
inline constexpr std::size_t rma_piece = 4 * 1024 * 1024;     // bytes moved in one poll after that
inline constexpr std::size_t max_greeters = 256;              // accepted sockets without a greeting
inline constexpr std::int64_t control_period_ns = 1'000'000;  // between looks at the sockets

struct Options {
    std::size_t max_unexpected = default_message_size;
    std::size_t max_expected = default_message_size;
    bool blocking = true;      // contexts have a descriptor to sleep on
    bool cross_memory = true;  // process_vm_readv and process_vm_writev may be tried
};

}  // namespace cinnabar::sm
