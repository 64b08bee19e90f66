// SPDX-License-Identifier: BSD-3-Clause
// The seam between hg and bulk: a payload that does not fit its message is published as a region,
// its descriptor travels instead, and the receiver fetches it. hg declares, bulk/overflow.cpp
// defines.
#pragma once

#include "hg/core/handle.hpp"

namespace cinnabar::hg {

// Publishes `size` bytes at `data` (malloc'ed; the Overflow takes them over, also on error) for a
// peer to read, and writes the descriptor to `descriptor.data`, whose size is updated.
hg_return_t overflow_publish(hg_class& cls, void* data, std::size_t size, Payload* descriptor,
                             Overflow** overflow) noexcept;

// Begins to fetch what `descriptor` describes from the peer `from`. On success `done` will be
// called once, perhaps before this returns; *fetching is set before that and holds the bytes
// afterwards. HG_PROTOCOL_ERROR, HG_NOMEM and transport errors are returned directly, with
// *fetching null.
struct FetchRequest {
    hg_context* context;
    na_addr_t* from;
    std::uint8_t from_id;
    Payload descriptor;
    void (*done)(void* arg, hg_return_t ret) noexcept;
    void* arg;
};
hg_return_t overflow_fetch(const FetchRequest& request, std::atomic<Overflow*>* fetching) noexcept;
// Asks a fetch to end early; `done` still runs once. Not after `done` has begun to return: the
// caller and `done` share a lock.
void overflow_cancel(Overflow& overflow) noexcept;

// Takes over malloc'ed memory without publishing it, for a call to oneself. nullptr: out of memory,
// and the memory is freed.
Overflow* overflow_adopt(void* data, std::size_t size) noexcept;

Payload overflow_payload(const Overflow& overflow) noexcept;
// One more owner, for the other handle of a call to oneself.
Overflow* overflow_share(Overflow* overflow) noexcept;
// The last owner frees the memory, and withdraws it from the peer.
void overflow_release(Overflow* overflow) noexcept;

}  // namespace cinnabar::hg
