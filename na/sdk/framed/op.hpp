// SPDX-License-Identifier: BSD-3-Clause
// An operation of a framed transport, and the list that operations wait in: first in, first out, an
// operation is in one at most. The context that it is posted to serialises.
#pragma once

#include <cstddef>
#include <cstdint>

#include "na/sdk/framed/frame.hpp"
#include "na/sdk/matching.hpp"
#include "na/sdk/region.hpp"
#include "na_plugin.h"

namespace cinnabar::na::sdk::framed {

struct Peer;

struct Op : PostedReceive {
    enum class State { idle, sending, receiving_unexpected, receiving_expected, transferring };
    State state = State::idle;
    Op* next_op = nullptr;
    Peer* peer = nullptr;           // sending, transferring
    Frame frame{};                  // sending: its header; transferring: of its first piece
    const void* message = nullptr;  // sending
    // Transferring `size` bytes.
    const Region* local = nullptr;
    std::uint64_t local_offset = 0;
    std::size_t asked = 0;     // bytes for which a put or get has been sent
    std::size_t answered = 0;  // and for which an answer has come
    na_completion completion{};
};

class OpList {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    Op* first() const noexcept { return first_; }
    void push(Op& op) noexcept {
        op.next_op = nullptr;
        (first_ == nullptr ? first_ : last_->next_op) = &op;
        last_ = &op;
    }
    // nullptr: it is empty.
    Op* pop() noexcept {
        Op* op = first_;
        if (op != nullptr) first_ = op->next_op;
        return op;
    }
    void remove(Op& op) noexcept {
        OpList rest;
        while (Op* each = pop())
            if (each != &op) rest.push(*each);
        *this = rest;
    }

private:
    Op* first_ = nullptr;
    Op* last_ = nullptr;
};

}  // namespace cinnabar::na::sdk::framed
