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
#include "plugins/ofi/memory.hpp"

namespace cinnabar::ofi {

struct Address;
struct Peer;

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
    waiting,    // queued at its peer, nothing of it is in an envelope or in the library
    started,    // queued at its peer, a part of it is gone
    in_flight,  // RMA: all of it is in the library
    ending      // RMA: ends with end_code when the library has ended its pieces
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
    na_return_t end_code = NA_SUCCESS;
    std::uint8_t remote_id = 0;
    Address* address = nullptr;
    Peer* peer = nullptr;  // counted in Peer::users while set
    Op* next_waiting = nullptr;
    Op* previous_waiting = nullptr;

    // Sends and RMA: bytes that are gone. PostedReceive::size is the length.
    std::uint64_t done = 0;
    // RMA.
    std::shared_ptr<Region> local;
    std::shared_ptr<Region> remote;
    std::uint64_t local_offset = 0;
    std::uint64_t remote_offset = 0;
    std::uint32_t pieces = 0;  // in the library
    bool suspect = false;      // counted in Peer::suspects: may be why a connection was lost
    std::int64_t ending_ms = 0;
    std::uint64_t link = 0;  // ending: the link's number then, 0 if it was lost

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

}  // namespace cinnabar::ofi
