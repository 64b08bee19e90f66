// SPDX-License-Identifier: BSD-3-Clause
// An opened RPC class: its net, its options, its registered RPCs, and counts of what is alive.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "hg/core/counters.hpp"
#include "hg/core/registry.hpp"
#include "mercury.h"
#include "na.h"
#include "na/base/local_atomic.hpp"

namespace cinnabar::hg {

// The options that hold for the life of a class, defaults filled in.
struct Options {
    std::uint32_t request_post_init = 512;
    std::int32_t request_post_incr = 512;  // negative: never grow
    hg_checksum_level_t checksum_level = HG_CHECKSUM_NONE;
    bool bulk_eager = true;
    bool loopback = true;
    bool overflow = true;
    bool release_input_early = false;
    bool stats = false;          // the counters are written to the log when the class is closed
    std::uint32_t spin_us = 50;  // how long a blocking HG_Progress() polls before it sleeps
    std::uint64_t max_payload = std::uint64_t{1} << 30;  // bytes of one encoded input or output
    std::uint32_t ack_timeout_ms = 30000;  // for the peer's acknowledgement of a large payload
};

}  // namespace cinnabar::hg

struct hg_class {
    na_class_t* na = nullptr;
    na_class_t* named = nullptr;  // whose name the class bears: `na`, or the first net of a route
    bool routed = false;          // auto_sm: `na` is from open_route()
    bool owns_na = true;
    bool busy_polling = false;  // the net offers no descriptor
    cinnabar::hg::Options options;
    cinnabar::hg::Registry registry;

    // Bytes of a message that are hg's: what is left of the net's maximum behind the net's own
    // header.
    std::size_t request_start = 0;
    std::size_t response_start = 0;
    std::size_t request_room = 0;
    std::size_t response_room = 0;
    std::size_t in_offset = 0;  // the user's custom header area in front of the payload
    std::size_t out_offset = 0;

    std::atomic<int> contexts{0};
    cinnabar::LocalAtomic<int> addresses{0};
    cinnabar::LocalAtomic<int> bulks{0};

    // Of counters.cpp: the contexts there are, and what those that are gone have counted.
    std::vector<const hg_context*> counting;
    hg_diag_counters counted{};

    void* data = nullptr;
    void (*data_free)(void*) = nullptr;
    hg_return_t (*handle_create)(hg_handle_t, void*) = nullptr;
    void* handle_create_arg = nullptr;
    // Of the core level: what gets and frees the rest of a payload that its sender cut.
    hg_return_t (*more_data_acquire)(hg_core_handle_t, hg_op_t,
                                     void (*)(hg_core_handle_t, hg_return_t)) = nullptr;
    void (*more_data_release)(hg_core_handle_t) = nullptr;

    std::size_t max_request_payload() const noexcept;
    std::size_t max_response_payload() const noexcept;
};

namespace cinnabar::hg {

// Opens the net and reads the options, which are in the layout of `version` (0: no options).
// nullptr after a log line. Blocks as NA_Initialize_opt2().
hg_class* open_class(const char* info_string, bool listen, unsigned version,
                     const hg_init_info* info);
// HG_BUSY while bulks, contexts or addresses are alive.
hg_return_t close_class(hg_class& cls);

// The RPC id of a name: its 32-bit hash h = h * 33 + c from 5381 (D. J. Bernstein).
hg_id_t id_of_name(const char* name) noexcept;

}  // namespace cinnabar::hg
