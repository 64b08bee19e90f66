// SPDX-License-Identifier: BSD-3-Clause
// A context: one endpoint of the net, the handles that work on it, and the queue of what users must
// see.
#pragma once

#include <atomic>
#include <mutex>

#include "hg/core/ack.hpp"
#include "hg/core/class.hpp"
#include "hg/core/completion_queue.hpp"
#include "hg/core/counters.hpp"
#include "hg/core/handle_pool.hpp"
#include "na/base/file_descriptor.hpp"
#include "na/base/local_atomic.hpp"

namespace cinnabar::bulk {
class TransferPool;
}

struct hg_context {
    explicit hg_context(hg_class& hg_cls, std::uint8_t context_id) noexcept
        : cls(&hg_cls), id(context_id), pool(*this) {}

    hg_class* cls;
    na_context_t* na = nullptr;
    std::uint8_t id;
    cinnabar::hg::CompletionQueue completions;
    cinnabar::hg::HandlePool pool;
    cinnabar::LocalAtomic<std::uint32_t> next_tag{1};
    std::uint32_t max_tag = 0;

    std::atomic<bool> receiving{false};  // arrivals are wanted: receives are re-posted
    cinnabar::LocalAtomic<int> receives_posted{0};
    const cinnabar::LocalAtomic<int>* net_receives = nullptr;  // auto_sm: in each of the two nets
    // Target handles whose receive the net has refused; progress tries again.
    cinnabar::FreeList<hg_handle, &hg_handle::next_in_pool> unposted;
    cinnabar::LocalAtomic<int> unposted_count{0};
    cinnabar::LocalAtomic<int> targets_in_use{0};  // target handles that are with users
    cinnabar::LocalAtomic<int> progressing{0};     // threads inside HG_Progress()
    cinnabar::LocalAtomic<int> internal_ops{0};    // fetches and other work without a user's handle

    cinnabar::LocalAtomic<unsigned> polls_skipped{
        0};  // by HG_Progress(), while the queue was not empty
    cinnabar::hg::Counters counters;
    cinnabar::hg::AckWaits ack_waits;
    // Held while a fetch is cancelled, so that it cannot be freed meanwhile; recursive since a
    // cancel may end the fetch at once.
    std::recursive_mutex fetch_mutex;

    int na_fd = -1;
    cinnabar::FileDescriptor epoll;  // the net's descriptor and the queue's wake descriptor
    cinnabar::LocalAtomic<bool> event_armed{false};

    std::atomic<cinnabar::bulk::TransferPool*> transfers{nullptr};  // made by bulk on first use
    std::atomic<void (*)(cinnabar::bulk::TransferPool*) noexcept> transfers_free{nullptr};

    hg_return_t (*handle_create)(hg_handle_t, void*) = nullptr;  // as the class had it at creation
    void* handle_create_arg = nullptr;
    hg_return_t (*core_handle_create)(hg_core_handle_t, void*) = nullptr;  // what it calls
    void* core_handle_create_arg = nullptr;
    void* data = nullptr;
    void (*data_free)(void*) = nullptr;

    na_tag_t take_tag() noexcept {
        // The top bit separates acknowledgements from responses; see ack_tag().
        return next_tag.fetch_add(1, std::memory_order_relaxed) & (max_tag >> 1);
    }
    // A process that is client and server at once may see one peer's response and another's
    // acknowledgement under one number; the highest bit keeps them apart.
    na_tag_t ack_tag(na_tag_t tag) const noexcept { return tag | (max_tag ^ (max_tag >> 1)); }
};

namespace cinnabar::hg {

// Without `receive` a listening context receives from post() on.
hg_context* open_context(hg_class& cls, std::uint8_t id, bool receive = true);
// Begins to receive. HG_OPNOTSUPPORTED if the class does not listen.
hg_return_t post(hg_context& context);
// Stops receiving; blocks until the posted receives have ended (at most 50 s, then HG_TIMEOUT).
hg_return_t unpost(hg_context& context);
// Unposts, waits up to 5 s for handles while making progress and triggering, then frees. HG_BUSY if
// something is still alive or another thread makes progress.
hg_return_t close_context(hg_context& context);
// Makes and posts `count` more target handles.
hg_return_t grow_receives(hg_context& context, std::uint32_t count) noexcept;

// --- progress.cpp
hg_return_t progress(hg_context& context, unsigned timeout_ms) noexcept;
hg_return_t trigger(hg_context& context, unsigned timeout_ms, unsigned max_count,
                    unsigned* actual) noexcept;
bool event_ready(hg_context& context) noexcept;
hg_return_t event_progress(hg_context& context, unsigned* count) noexcept;

}  // namespace cinnabar::hg
