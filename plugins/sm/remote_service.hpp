// SPDX-License-Identifier: BSD-3-Clause
// RMA through the rings, for peers whose memory cannot be reached directly: what this side has
// asked for, and what it owes. Data goes in chunks as the ring has room, so that messages
// interleave. One for each link; touched only by the thread inside the context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "na_types.h"

namespace cinnabar::sm {

struct Op;

inline constexpr std::size_t remote_chunk = 32 * 1024;
inline constexpr std::size_t max_remote_jobs = 65536;  // that a peer may have outstanding

// On the ring: begins a get or a put. The tag of the message is the number of the request.
struct RemoteRequest {
    std::uint64_t key;
    std::uint64_t offset;
    std::uint64_t size;
};

// What became of the first job when it was given the chance to write.
enum class JobStep : std::uint8_t {
    no_room,  // nothing was written
    wrote,    // something was; there is more
    finished  // it is over and leaves the queue
};

struct RemoteService {
    // Something to be written into the ring, in order.
    struct Job {
        enum class Kind : std::uint8_t { ask_get, ask_put, put_data, get_data, status, stop };
        Kind kind;
        std::uint32_t request;
        na_return_t status;
        RemoteRequest range;  // get_data: what is still to be sent
    };
    // A put of the peer that is arriving.
    struct Arrival {
        RemoteRequest range;
        na_return_t status;
    };

    std::deque<Job> jobs;
    std::unordered_map<std::uint32_t, Op*> asked;         // by request number; null: cancelled
    std::unordered_map<std::uint32_t, Arrival> arriving;  // by the peer's request number
    std::uint32_t next_request = 0;
};

}  // namespace cinnabar::sm
