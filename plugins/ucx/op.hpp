// SPDX-License-Identifier: BSD-3-Clause
// The plugin's part of an operation: enough room for any kind, so that nothing is allocated when
// one is posted. Written by the poster before it is submitted, then only inside its context's
// serial.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "na/sdk/matching.hpp"
#include "na/sdk/serial.hpp"
#include "plugins/ucx/memory.hpp"
#include "plugins/ucx/transfer_header.hpp"

namespace cinnabar::ucx {

struct Address;
struct Peer;
struct Connection;

enum class OpKind : std::uint8_t {
    receive_unexpected,
    receive_expected,
    send_unexpected,
    send_expected,
    put,
    get
};

enum class OpState : std::uint8_t {
    idle,
    submitted,  // not yet looked at inside
    receiving,  // in a structure of posted receives
    waiting,    // queued at its peer, UCX has not seen it
    sending,    // a message that UCX reads from the user's buffer
    in_flight   // RMA of which pieces are with UCX
};

struct Op : na::sdk::PostedReceive {
    struct Submit : na::sdk::Task {
        Op* op = nullptr;
    };
    struct Cancel : na::sdk::CancelRequest {
        Op* op = nullptr;
    };

    Submit submit;
    Cancel cancel;
    OpKind kind = OpKind::receive_unexpected;
    OpState state = OpState::idle;
    bool holds_address = false;  // a reference taken because the post had to wait outside
    std::uint8_t remote_id = 0;
    Address* address = nullptr;
    Peer* peer = nullptr;  // counted in Peer::users while set
    Connection* connection = nullptr;
    Op* next_waiting = nullptr;
    Op* previous_waiting = nullptr;

    // RMA; PostedReceive::size is the length.
    std::shared_ptr<Region> local;
    std::shared_ptr<Registration> registration;  // of local; may be none
    std::shared_ptr<Remote> remote;
    std::uint64_t local_offset = 0;
    std::uint64_t remote_offset = 0;
    TransferId ticket;                  // by messages, while connection is set
    std::uint64_t done = 0;             // bytes given to UCX, or got
    std::uint32_t pieces = 0;           // that UCX has not finished
    bool queued = false;                // in its peer's queue, whole or in part
    bool reads = false;                 // get: in its connection's queue of those that read
    std::vector<Segment> granted;       // get: where the bytes are
    bool flushing = false;              // put: the piece in flight is the flush
    na_return_t end_code = NA_SUCCESS;  // how it ends once no piece is in flight

    Op() {
        submit.op = this;
        cancel.op = this;
    }
    ~Op() { cancel.drain(); }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;

    bool is_rma() const noexcept { return kind >= OpKind::put; }
};

// FIFO of operations that wait at a peer; intrusive.
class OpQueue {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    Op* front() const noexcept { return first_; }
    void push(Op& op) noexcept {
        op.next_waiting = nullptr;
        op.previous_waiting = last_;
        (last_ != nullptr ? last_->next_waiting : first_) = &op;
        last_ = &op;
    }
    void remove(Op& op) noexcept {
        (op.previous_waiting != nullptr ? op.previous_waiting->next_waiting : first_) =
            op.next_waiting;
        (op.next_waiting != nullptr ? op.next_waiting->previous_waiting : last_) =
            op.previous_waiting;
    }
    Op* pop() noexcept {
        Op* op = first_;
        if (op != nullptr) remove(*op);
        return op;
    }

private:
    Op* first_ = nullptr;
    Op* last_ = nullptr;
};

}  // namespace cinnabar::ucx
