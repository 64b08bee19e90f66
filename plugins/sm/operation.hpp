// SPDX-License-Identifier: BSD-3-Clause
// One posted operation: what the caller asked for, where it is now, and the links of the one list
// it may be in. Belongs to libna; between post and completion only the thread inside the context
// touches it (submit and cancel are how others reach it).
#pragma once

#include <cstddef>
#include <cstdint>

#include "na/sdk/matching.hpp"
#include "na/sdk/serial.hpp"
#include "na_plugin.h"
#include "plugins/sm/address.hpp"
#include "plugins/sm/cursor.hpp"

namespace cinnabar::sm {

struct Link;

enum class OpKind : std::uint8_t {
    none,
    send_unexpected,
    send_expected,
    recv_unexpected,
    recv_expected,
    put,
    get
};

// Where a started operation is.
enum class OpPlace : std::uint8_t {
    nowhere,     // not posted, or submitted and not started
    receives,    // in the unexpected or expected receives of the context
    link_queue,  // waits on a link: for the connection, or for room in the ring
    loop_queue,  // a send to this context itself that waits for a receive
    moving,      // an RMA that poll continues
    remote       // an RMA that the peer serves through the ring
};

struct Op : na::sdk::PostedReceive {
    Op() noexcept {
        submit.op = this;
        cancel.op = this;
    }
    ~Op() { cancel.drain(); }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;

    struct Submit : na::sdk::Task {
        Op* op = nullptr;
    };
    struct Cancel : na::sdk::CancelRequest {
        Op* op = nullptr;
    };

    Submit submit;
    Cancel cancel;
    OpKind kind = OpKind::none;
    OpPlace place = OpPlace::nowhere;
    std::uint8_t peer_id = 0;
    Address* peer = nullptr;
    // An address that must outlive the operation and that nothing else keeps; given back when it
    // ends.
    Address* held = nullptr;
    Link* link = nullptr;
    Op* queue_next = nullptr;
    Op* queue_previous = nullptr;

    // RMA: size is what remains.
    const class Memory* remote_memory = nullptr;
    Cursor local;
    Cursor remote;
    std::uint64_t remote_offset = 0;
    bool mapped = false;        // all of the remote range is mapped here
    std::uint32_t request = 0;  // its number on the link while the peer serves it

    bool is_rma() const noexcept { return kind == OpKind::put || kind == OpKind::get; }
    bool is_receive() const noexcept {
        return kind == OpKind::recv_unexpected || kind == OpKind::recv_expected;
    }
};

// A FIFO of operations through their own links.
class OpQueue {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    Op* front() const noexcept { return first_; }
    Op* back() const noexcept { return last_; }
    void push(Op& op) noexcept {
        op.queue_next = nullptr;
        op.queue_previous = last_;
        (last_ != nullptr ? last_->queue_next : first_) = &op;
        last_ = &op;
    }
    void remove(Op& op) noexcept {
        (op.queue_previous != nullptr ? op.queue_previous->queue_next : first_) = op.queue_next;
        (op.queue_next != nullptr ? op.queue_next->queue_previous : last_) = op.queue_previous;
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

}  // namespace cinnabar::sm
