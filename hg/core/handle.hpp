// SPDX-License-Identifier: BSD-3-Clause
// A handle: one RPC, as its origin or its target sees it. One preallocated block with its
// operations, buffers and procs, recycled by the context's pool. The steps of an RPC are functions
// on it, one file each: forward, receive, respond, reply, loopback, cancel.
//
// Threads: one thread at a time works on a handle, except for cancel; arrivals and completions
// reach it from whoever polls. References: docs/ownership.md.
#pragma once

#include <atomic>

#include "hg/core/address.hpp"
#include "hg/core/completion_queue.hpp"
#include "hg/proc/proc.hpp"
#include "mercury.h"
#include "na/base/local_atomic.hpp"

namespace cinnabar::hg {

struct Overflow;  // a payload outside its message; bulk/overflow.cpp

enum class Role : std::uint8_t { origin, target };

// A message buffer of the net, and how the payload lies in it.
struct MessageBuffer {
    char* data = nullptr;  // start of the net's message
    void* plugin_data = nullptr;
    bool owned = false;  // else part of a slab of the pool
};

// Where an encoded payload is: in a message buffer, or in memory of its own when it overflowed.
struct Payload {
    char* data = nullptr;  // nullptr: none
    std::size_t size = 0;
};

// What happened to an operation's parts; combined into one result when all have ended.
struct Outcome {
    hg_return_t send = HG_SUCCESS;
    hg_return_t receive = HG_SUCCESS;
    hg_return_t remote = HG_SUCCESS;
};

}  // namespace cinnabar::hg

struct hg_handle {
    hg_info info{};  // first: HG_Get_info() points here
    cinnabar::hg::RpcRecord* rpc = nullptr;
    cinnabar::LocalAtomic<std::int32_t> references{0};
    cinnabar::hg::Role role = cinnabar::hg::Role::origin;
    bool local = false;                            // a call to oneself, not through the net
    bool no_response = false;                      // one-way
    cinnabar::LocalAtomic<bool> responded{false};  // target: the response has been handed over
    bool input_released = false;                   // the receive buffer was given back
    hg_return_t failure =
        HG_SUCCESS;  // target: decoding failed; the origin is told when nobody responds
    cinnabar::LocalAtomic<std::uint32_t> serial{
        0};                       // counts the requests that this target handle has served
    bool owes_ack = false;        // target: a one-way request whose payload the origin keeps for us
    hg_handle* origin = nullptr;  // target of a call to oneself: the handle it came from
    na_tag_t tag = 0;

    cinnabar::LocalAtomic<bool> busy{
        false};  // origin: from forward until its callback has been called
    cinnabar::LocalAtomic<bool> cancelled{false};
    cinnabar::LocalAtomic<int> parts{0};  // net operations of the present step that have not ended
    cinnabar::hg::Outcome outcome;

    cinnabar::hg::Completion completion;
    hg_cb_t callback = nullptr;
    void* callback_arg = nullptr;
    hg_cb_t respond_callback = nullptr;
    void* respond_callback_arg = nullptr;
    // Of the core level: what the two above call.
    hg_core_cb_t core_callback = nullptr;
    void* core_callback_arg = nullptr;
    hg_core_cb_t core_respond_callback = nullptr;
    void* core_respond_callback_arg = nullptr;
    bool more_data = false;        // a payload has come that more_data_acquire must complete
    bool holds_more_data = false;  // more_data_release is owed

    na_op_id_t* send_op = nullptr;
    na_op_id_t* recv_op = nullptr;
    na_op_id_t* ack_op = nullptr;  // made on first use
    cinnabar::hg::MessageBuffer in;
    cinnabar::hg::MessageBuffer out;
    cinnabar::hg::Payload input;
    cinnabar::hg::Payload output;
    cinnabar::hg::Overflow* in_overflow = nullptr;
    cinnabar::hg::Overflow* out_overflow = nullptr;
    std::atomic<cinnabar::hg::Overflow*> fetching{nullptr};  // for cancel: a fetch in flight
    char ack_byte = 0;

    hg_proc in_proc{};
    hg_proc out_proc{};
    hg_addr source;  // target: the sender

    void* data = nullptr;
    void (*data_free)(void*) = nullptr;
    hg_handle* next_in_pool = nullptr;
    bool receive_posted = false;

    hg_class& cls() const noexcept { return *info.hg_class; }
    hg_context& context() const noexcept { return *info.context; }
    char* request() const noexcept { return in.data + cls().request_start; }
    char* response() const noexcept { return out.data + cls().response_start; }
};

namespace cinnabar::hg {

// --- life (handle.cpp)
hg_return_t create_handle(hg_context& context, hg_addr* addr, hg_id_t id, hg_handle** handle);
hg_return_t reset_handle(hg_handle& handle, hg_addr* addr, hg_id_t id);
inline void ref_handle(hg_handle& handle) noexcept {
    handle.references.fetch_add(1, std::memory_order_relaxed);
}
// The last reference gives an origin handle to the pool and a target handle back to receiving.
void recycle_handle(hg_handle& handle) noexcept;
inline void unref_handle(hg_handle& handle) noexcept {
    if (handle.references.fetch_sub(1, std::memory_order_acq_rel) == 1) recycle_handle(handle);
}
// What HG_Destroy() does: unref, and telling the origin if nobody is left to respond after a
// failure.
void destroy_handle(hg_handle& handle) noexcept;
void release_payloads(hg_handle& handle) noexcept;

// --- origin (forward.cpp, reply.cpp)
hg_return_t forward(hg_handle& handle, hg_cb_t callback, void* arg, void* in_struct);
// The same with a payload of `size` bytes that is in its place already; `flags`: HG_CORE_MORE_DATA.
hg_return_t forward_raw(hg_handle& handle, hg_cb_t callback, void* arg, std::uint8_t flags,
                        std::size_t size);
void on_response(const na_cb_info* info) noexcept;
// All parts of the present step have ended: makes the result known.
void end_forward(hg_handle& handle) noexcept;
// One part has ended.
inline void end_part(hg_handle& handle) noexcept {
    if (handle.parts.fetch_sub(1, std::memory_order_acq_rel) == 1) end_forward(handle);
}
// Makes the result known: queues the user's callback, or finishes at once where there is none.
void complete_forward(hg_handle& handle, hg_return_t ret) noexcept;
// Runs the user's callback of a forward and drops the library's reference.
void finish_forward(hg_handle& handle, hg_return_t ret) noexcept;

// --- target (receive.cpp, respond.cpp)
hg_return_t post_receive(hg_handle& handle) noexcept;
// The same, and if the net refuses, retry_receives() will try again.
void receive_again(hg_handle& handle) noexcept;
// Posts what could not be posted; from progress, if there is such.
void retry_receives(hg_context& context) noexcept;
// Gives the receive buffer of a request that has been decoded back to receiving.
void release_input(hg_handle& handle) noexcept;
// An output buffer for a target handle that has none yet.
hg_return_t provide_output(hg_handle& handle) noexcept;
hg_return_t respond(hg_handle& handle, hg_cb_t callback, void* arg, void* out_struct);
// The same with an output of `size` bytes that is in its place already.
hg_return_t respond_raw(hg_handle& handle, hg_cb_t callback, void* arg, std::uint8_t flags,
                        std::size_t size);
// Answers with an error and no output. The library's response reference goes with it.
void respond_error(hg_handle& handle, hg_return_t code) noexcept;
// Calls the registered callback of the request in `handle`; at trigger.
void serve(hg_handle& handle) noexcept;
// Ends a request that cannot be served; its one reference is the library's.
void refuse(hg_handle& handle, hg_return_t code) noexcept;
// Queues a request for serve().
void enqueue_request(hg_handle& handle) noexcept;
// Tells the origin of a one-way request that its payload has been fetched.
void acknowledge(hg_handle& handle) noexcept;
// Queues the callback of a respond, or ends the step where there is none.
void complete_respond(hg_handle& handle) noexcept;

// --- a payload that its sender, at the core level, has cut (more_data.cpp)
// Has the program get the rest, at trigger; the request is queued again, or the call completed,
// when it has.
void acquire_more_input(hg_handle& handle) noexcept;
void acquire_more_output(hg_handle& handle) noexcept;

// A fetch is over: takes it out of the reach of cancel() and returns it.
Overflow* end_fetch(hg_handle& handle) noexcept;
// Acknowledges a fetched payload to its sender, who then frees it (ack.cpp). Counts as a part of
// the present step. Posting the receive for one works the same way.
hg_return_t send_ack(hg_handle& handle, na_cb_t done) noexcept;
hg_return_t await_ack(hg_handle& handle, na_cb_t done) noexcept;
// What `done` of await_ack() makes of the result: HG_TIMEOUT where the deadline ended the wait.
hg_return_t end_ack_wait(hg_handle& handle, na_return_t ret) noexcept;

// --- both
hg_return_t forward_locally(hg_handle& handle) noexcept;  // loopback.cpp
// Hands the response in a local target handle over to the origin.
void respond_locally(hg_handle& handle, hg_return_t code) noexcept;
hg_return_t cancel(hg_handle& handle) noexcept;  // cancel.cpp
// Ends the fetches of arguments of requests that no callback has seen yet.
void cancel_fetches(hg_context& context) noexcept;          // cancel.cpp
hg_return_t get_input(hg_handle& handle, void* in_struct);  // payload.cpp
hg_return_t get_output(hg_handle& handle, void* out_struct);
hg_return_t free_decoded(hg_handle& handle, hg_proc& proc, hg_proc_cb_t callback, void* decoded);

// Encodes a struct into `room` bytes behind `to`, or, if it does not fit, into memory that the proc
// then owns (proc.extra_buf). *encoded receives where the payload is.
hg_return_t encode_payload(hg_handle& handle, hg_proc& proc, hg_proc_cb_t callback, void* value,
                           Payload room, Payload* encoded);

}  // namespace cinnabar::hg
