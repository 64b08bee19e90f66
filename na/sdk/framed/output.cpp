// SPDX-License-Identifier: BSD-3-Clause
// What is sent: a greeting or a welcome first, then messages, answers and pieces of transfers in
// turn, as long as the link has room.
#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "na/sdk/framed/context.hpp"

namespace cinnabar::na::sdk::framed {

namespace {

Status transmit(Connection& connection, const Frame& frame, const void* bytes, std::size_t size) {
    auto header = encode(frame);
    const std::array<iovec, 2> parts{
        {{header.data(), header.size()}, {const_cast<void*>(bytes), size}}};
    return connection.link->send(parts);
}

}  // namespace

// False: the connection is lost.
bool Context::flush(Connection& connection) {
    std::optional<Status> status;
    do {
        status = send_next(connection);
    } while (status.has_value() && status->ok());
    if (status.has_value() && *status != NA_AGAIN) {
        drain(connection);  // answers may have come before it broke
        return false;
    }
    if (connection.full != status.has_value()) {
        connection.full = status.has_value();
        watch(connection, EPOLL_CTL_MOD);
    }
    return true;
}

// Nothing: there is nothing to send.
std::optional<Status> Context::send_next(Connection& connection) {
    if (connection.owes_hello) {
        Frame frame;
        frame.kind = connection.state == Connection::State::open ? Kind::welcome : Kind::greeting;
        frame.id = id_;
        const std::string& name = cls_.net().name();
        const Status status = transmit(connection, frame, name.data(),
                                       frame.kind == Kind::greeting ? name.size() : 0);
        if (status.ok()) connection.owes_hello = false;
        return status;
    }
    if (connection.state != Connection::State::open) return {};
    Peer& peer = *connection.peer;
    if (peer.connection != &connection) return {};  // the far end of a call to ourselves
    for (int kinds = 0; kinds < 3; ++kinds) {
        const unsigned int turn = peer.turn++ % 3;
        const std::optional<Status> status = turn == 0   ? send_message(peer)
                                             : turn == 1 ? send_answer(peer)
                                                         : send_piece(peer);
        if (status.has_value()) return status;
    }
    return {};
}

std::optional<Status> Context::send_message(Peer& peer) {
    Op* op = peer.messages.first();
    if (op == nullptr) return {};
    const Status status = transmit(*peer.connection, op->frame, op->message, op->size);
    if (status.ok()) {
        (void)peer.messages.pop();
        finish(*op, NA_SUCCESS);
    }
    return status;
}

std::optional<Status> Context::send_answer(Peer& peer) {
    if (peer.answers.empty()) return {};
    const Answer& answer = peer.answers.front();
    Frame frame;
    frame.kind = Kind::answer;
    std::size_t size = 0;
    na_return_t code = answer.code;
    if (answer.region != nullptr) {
        if (answer.region->pin()) {
            answer.region->copy_out(answer.offset, out_.data(), answer.size);
            answer.region->unpin();
            size = answer.size;
        } else {
            code = NA_INVALID_ARG;  // deregistered meanwhile
        }
    }
    frame.tag = static_cast<std::uint32_t>(code);
    const Status status = transmit(*peer.connection, frame, out_.data(), size);
    if (status.ok()) peer.answers.pop_front();
    return status;
}

std::optional<Status> Context::send_piece(Peer& peer) {
    Op* op = peer.transfers.first();
    while (op != nullptr && op->asked == op->size)
        op = op->next_op;
    if (op == nullptr || peer.pieces.size() == most_pieces) return {};
    const bool put = op->frame.kind == Kind::put;
    Frame frame = op->frame;
    frame.offset += op->asked;
    const std::size_t size = std::min(op->size - op->asked, out_.size() - header_size);
    frame.length = size;
    if (put) op->local->copy_out(op->local_offset + op->asked, out_.data(), size);
    const Status status = transmit(*peer.connection, frame, out_.data(), put ? size : 0);
    if (status.ok()) {
        peer.pieces.push_back({op, !put, op->asked, size});
        op->asked += size;
    }
    return status;
}

}  // namespace cinnabar::na::sdk::framed
