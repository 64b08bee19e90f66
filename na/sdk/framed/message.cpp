// SPDX-License-Identifier: BSD-3-Clause
// Messages: posting, reading frames, matching, keeping what comes too early.
#include <sys/epoll.h>

#include <cstring>

#include "na/base/log.hpp"
#include "na/sdk/framed/context.hpp"

namespace cinnabar::na::sdk::framed {

namespace {
constexpr std::size_t most_kept = 64;  // of one connection
}

Status Context::send(Kind kind, Op& op, const na_send& message) {
    const std::lock_guard lock(mutex_);
    Result<Peer*> peer = peer_of(*static_cast<Address*>(message.dest), message.dest_id);
    if (!peer.ok()) return peer.status();
    op.frame = {};
    op.frame.kind = kind;
    op.frame.tag = message.tag;
    op.message = message.buf;
    op.size = message.size;
    op.peer = *peer;
    op.state = Op::State::sending;
    (*peer)->messages.push(op);
    ++posted_;
    (void)flush(*(*peer)->connection);
    return {};
}

Status Context::send_unexpected(Op& op, const na_send& message) {
    return send(Kind::unexpected, op, message);
}

Status Context::send_expected(Op& op, const na_send& message) {
    return send(Kind::expected, op, message);
}

Status Context::recv_unexpected(Op& op, const na_recv& receive) {
    const std::lock_guard lock(mutex_);
    op.buf = receive.buf;
    op.size = receive.size;
    op.state = Op::State::receiving_unexpected;
    unexpected_.post(op);
    ++posted_;
    if (!kept_.empty() && std::exchange(armed_, false)) wake();
    return {};
}

Status Context::recv_expected(Op& op, const na_recv& receive) {
    const std::lock_guard lock(mutex_);
    // Connected, so that the death of the sender is seen.
    Result<Peer*> peer = peer_of(*static_cast<Address*>(receive.source), receive.source_id);
    if (!peer.ok()) return peer.status();
    op.buf = receive.buf;
    op.size = receive.size;
    op.source = *peer;
    op.tag = receive.tag;
    op.state = Op::State::receiving_expected;
    expected_.post(op);
    ++posted_;
    (void)flush(*(*peer)->connection);
    return {};
}

Context::Next Context::read(Connection& connection) {
    const Result<std::size_t> size = connection.link->receive(in_);
    if (size.status() == NA_AGAIN) return Next::nothing;
    if (!size.ok()) return lose(connection);
    const Bytes bytes = Bytes(in_).first(std::min(size.value(), in_.size()));
    const std::optional<Frame> frame = decode(bytes);
    if (!frame.has_value()) return reject(connection, "what it has sent is no frame");
    const Bytes payload = bytes.subspan(header_size);
    switch (connection.state) {
        case Connection::State::strange:
            return greet(connection, *frame, payload);
        case Connection::State::calling:
            if (frame->kind != Kind::welcome) return reject(connection, "it does not welcome us");
            connection.state = Connection::State::open;
            return Next::more;
        case Connection::State::held:
            return reject(connection, "it goes on before it is welcome");
        case Connection::State::open:
            break;
    }
    return arrive(connection, *frame, payload);
}

Context::Next Context::arrive(Connection& connection, const Frame& frame, Bytes bytes) {
    Peer& peer = *connection.peer;
    switch (frame.kind) {
        case Kind::unexpected:
            return arrive_unexpected(connection, frame.tag, bytes);
        case Kind::expected:
            if (PostedReceive* receive = expected_.take(&peer, 0, frame.tag))
                place(static_cast<Op&>(*receive), frame.tag, bytes, nullptr);
            else
                log_debug(cls_.subsystem(), "a message of {} with tag {} finds no receive",
                          peer.address.name, frame.tag);
            return Next::more;
        case Kind::put:
        case Kind::get:
            return serve(connection, frame, bytes);
        case Kind::answer:
            return take_answer(connection, frame, bytes);
        case Kind::greeting:
        case Kind::welcome:
            break;
    }
    return reject(connection, "it greets in the middle");
}

Context::Next Context::arrive_unexpected(Connection& connection, na_tag_t tag, Bytes bytes) {
    Address& source = connection.peer->address;
    if (PostedReceive* receive = unexpected_.take()) {
        place(static_cast<Op&>(*receive), tag, bytes, &source);
        return Next::more;
    }
    kept_.push_back({&connection, &source, tag, {bytes.begin(), bytes.end()}});
    ref(source);
    if (++connection.kept < most_kept || connection.over) return Next::more;
    // The rest waits in the link, and then at the sender; only the end is of interest.
    connection.paused = true;
    watch(connection, EPOLL_CTL_MOD);
    return Next::nothing;
}

void Context::place(Op& op, na_tag_t tag, Bytes bytes, Address* source) {
    if (bytes.size() > op.size) return finish(op, NA_MSGSIZE);
    if (!bytes.empty()) std::memcpy(op.buf, bytes.data(), bytes.size());
    if (source != nullptr) ref(*source);  // passes to libna
    finish(op, {NA_SUCCESS, tag, bytes.size(), source, nullptr, false});
}

void Context::deliver_kept() {
    while (!kept_.empty() && !unexpected_.empty()) {
        const Kept oldest = std::move(kept_.front());
        kept_.pop_front();
        place(static_cast<Op&>(*unexpected_.take()), oldest.tag, oldest.bytes, oldest.source);
        unref(*oldest.source);
        if (Connection* connection = oldest.connection)
            if (--connection->kept < most_kept && std::exchange(connection->paused, false))
                watch(*connection, EPOLL_CTL_MOD);
    }
}

}  // namespace cinnabar::na::sdk::framed
