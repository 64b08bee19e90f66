// SPDX-License-Identifier: BSD-3-Clause
// Unexpected and expected messages: posting, matching, and the stash of those that came too early.
#include <algorithm>
#include <cstring>
#include <new>

#include "na/base/log.hpp"
#include "plugins/tcp/hot.hpp"

namespace cinnabar::tcp {

namespace {

void describe_send(Op& op, OpKind kind, const na_send& send) {
    op.kind = kind;
    op.buf = const_cast<void*>(send.buf);
    op.size = send.size;
    op.tag = send.tag;
    op.address = static_cast<Address*>(send.dest);
    op.remote_id = send.dest_id;
}

FrameType frame_type(OpKind kind) noexcept {
    return kind == OpKind::send_unexpected ? FrameType::unexpected : FrameType::expected;
}

// Whether a message may be copied into the output of the peer's connection, behind all before it.
bool takes_copy(const Peer& peer, OpKind kind, std::size_t size) noexcept {
    const Connection* connection = peer.connection;
    return connection != nullptr && connection->phase == Phase::established &&
           size <= options::copy_limit && size <= connection->largest(kind) &&
           peer.messages.empty() && connection->out.buffered() < options::output_limit;
}

// False: no memory.
bool copy_out(Connection& connection, OpKind kind, na_tag_t tag, const void* from,
              std::size_t size) noexcept {
    std::byte* room = connection.out.reserve(frame_header_size + size);
    if (room == nullptr) return false;
    encode_message(frame_type(kind), tag, size, room);
    if (size > 0) std::memcpy(room + frame_header_size, from, size);
    connection.out.commit(frame_header_size + size);
    return true;
}

}  // namespace

na_return_t Context::try_send(const na_send& send, bool expected) noexcept {
    if (!serial_.try_enter()) return NA_AGAIN;
    na_return_t ret = NA_AGAIN;
    if (serial_.idle()) {
        ret = send_now(send, expected ? OpKind::send_expected : OpKind::send_unexpected);
        settle();
    }
    serial_.leave(this);
    return ret;
}

na_return_t Context::send_now(const na_send& send, OpKind kind) noexcept {
    Peer* peer = known_peer(*static_cast<Address*>(send.dest), send.dest_id);
    if (peer == nullptr || !takes_copy(*peer, kind, send.size)) return NA_AGAIN;
    Connection& connection = *peer->connection;
    if (!copy_out(connection, kind, send.tag, send.buf, send.size)) return NA_AGAIN;
    try {
        flush_or_gather(connection);
    } catch (const std::exception& error) {
        // It is in the output and leaves with what comes behind it.
        log_warning(log_name, "{}: {}", describe(connection), error.what());
    }
    return connection.phase == Phase::dead ? NA_HOSTUNREACH : NA_SUCCESS;
}

Status Context::send_unexpected(Op& op, const na_send& send) {
    describe_send(op, OpKind::send_unexpected, send);
    return post(op, [this](Op& begun) { start_send(begun); });
}

Status Context::send_expected(Op& op, const na_send& send) {
    describe_send(op, OpKind::send_expected, send);
    return post(op, [this](Op& begun) { start_send(begun); });
}

Status Context::recv_unexpected(Op& op, const na_recv& recv) {
    op.kind = OpKind::receive_unexpected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.address = nullptr;
    return post(op, [this](Op& begun) { start_unexpected(begun); });
}

Status Context::recv_expected(Op& op, const na_recv& recv) {
    op.kind = OpKind::receive_expected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.tag = recv.tag;
    op.address = static_cast<Address*>(recv.source);
    op.remote_id = recv.source_id;
    return post(op, [this](Op& begun) { start_expected(begun); });
}

void Context::start_unexpected(Op& op) {
    if (!stash_.empty()) {
        unstash(op);
        return;
    }
    op.state = OpState::receiving;
    unexpected_.post(op);
}

void Context::start_expected(Op& op) {
    Peer& peer = peer_of(*op.address, op.remote_id);
    name(op, peer);
    if (peer.connection == nullptr && !op.address->connectable()) {
        finish(op, NA_HOSTUNREACH);
        return;
    }
    op.source = &peer;
    op.source_id = op.remote_id;
    op.state = OpState::receiving;
    expected_.post(op);
}

// A small message on a connection that takes it is copied, and has been sent; others, slowly.
void Context::start_send(Op& op) {
    Peer& peer = peer_of(*op.address, op.remote_id);
    name(op, peer);
    if (!takes_copy(peer, op.kind, op.size)) {
        start_slow_send(op, peer);
        return;
    }
    Connection& connection = *peer.connection;
    if (!copy_out(connection, op.kind, op.tag, op.buf, op.size)) {
        finish(op, NA_NOMEM);
        return;
    }
    flush_or_gather(connection);
    finish(op, connection.phase == Phase::dead ? NA_HOSTUNREACH : NA_SUCCESS);
}

void Context::start_slow_send(Op& op, Peer& peer) {
    if (peer.connection == nullptr) {
        if (!op.address->connectable()) {
            log_warning(log_name, "{}: the peer is gone and cannot be connected to",
                        op.address->name);
            finish(op, NA_HOSTUNREACH);
            return;
        }
        op.state = OpState::waiting;
        peer.messages.push(op);
        connect(peer);
        return;
    }
    Connection& connection = *peer.connection;
    // A payload being written does not hold up small messages: they go behind it.
    const bool direct = connection.phase == Phase::established && peer.messages.empty() &&
                        connection.out.buffered() < options::output_limit &&
                        (op.size <= options::copy_limit || !connection.out.has_payload());
    if (!direct) {
        op.state = OpState::waiting;
        peer.messages.push(op);
        return;
    }
    const Begun begun = begin_send(connection, op);
    if (begun == Begun::refused) return;
    flush_or_gather(connection);
    if (begun == Begun::copied)
        finish(op, connection.phase == Phase::dead ? NA_HOSTUNREACH : NA_SUCCESS);
}

// Puts a message into the output.
Context::Begun Context::begin_send(Connection& connection, Op& op) {
    if (op.size > connection.largest(op.kind)) {
        log_warning(log_name, "{}: a message of {} bytes is larger than the peer takes",
                    describe(connection), op.size);
        finish(op, NA_MSGSIZE);
        return Begun::refused;
    }
    const bool copy = op.size <= options::copy_limit;
    std::byte* room = connection.out.reserve(frame_header_size + (copy ? op.size : 0));
    if (room == nullptr) {
        finish(op, NA_NOMEM);
        return Begun::refused;
    }
    encode_message(frame_type(op.kind), op.tag, op.size, room);
    connection.out.commit(frame_header_size);
    op.state = OpState::writing;
    if (copy) {
        if (op.size > 0) std::memcpy(room + frame_header_size, op.buf, op.size);
        connection.out.commit(op.size);
        return Begun::copied;
    }
    Payload payload;
    payload.flat = static_cast<const std::byte*>(op.buf);
    payload.remaining = op.size;
    payload.op = &op;
    connection.out.set_payload(std::move(payload));
    return Begun::writing;
}

void Context::refuse_place(Op& op, const Address& source, std::size_t size) {
    log_warning(log_name, "{}: a message of {} bytes does not fit the receive of {}", source.name,
                size, op.size);
    finish(op, NA_MSGSIZE);
}

// An expected message that nobody waits for, or with less room than it needs.
void Context::refuse_message(Connection& connection, const Frame& frame, Op* op) {
    if (op == nullptr) {
        log_debug(log_name, "{}: nobody waits for the message with tag {}", describe(connection),
                  frame.tag);
        return;
    }
    log_warning(log_name, "{}: a message of {} bytes does not fit the receive of {}",
                describe(connection), frame.payload_size, op->size);
    finish(*op, NA_MSGSIZE);
}

void Context::keep(Connection& connection, const Frame& frame, const std::byte* bytes) {
    if (!stash(connection, frame, bytes))
        fail(connection, NA_NOMEM, "no memory to keep a message nobody waits for yet");
}

// Keeps a message for a receive to come. False: out of memory.
bool Context::stash(Connection& connection, const Frame& frame, const std::byte* bytes) noexcept {
    Address& source = *connection.peer->address;
    try {
        Stashed stashed{std::make_unique<std::byte[]>(frame.payload_size), frame.payload_size,
                        frame.tag, &source, &connection};
        if (frame.payload_size > 0) std::memcpy(stashed.bytes.get(), bytes, frame.payload_size);
        stash_.push_back(std::move(stashed));
    } catch (const std::bad_alloc&) {
        return false;
    }
    na::sdk::ref(source);
    // What a small message costs to keep counts too.
    connection.stashed += frame.payload_size + sizeof(Stashed);
    // The last words of a peer that is gone are bounded by the socket.
    if (connection.stashed >= options::stash_limit && !connection.hang_up) connection.paused = true;
    return true;
}

void Context::unstash(Op& op) {
    const Stashed stashed = std::move(stash_.front());
    stash_.pop_front();
    if (Connection* connection = stashed.connection; connection != nullptr) {
        connection->stashed -= stashed.size + sizeof(Stashed);
        if (connection->paused && connection->stashed <= options::stash_limit / 2) {
            connection->paused = false;
            mark_ready(*connection);
        }
    }
    place(op, stashed.tag, *stashed.source, stashed.bytes.get(), stashed.size);
    na::sdk::unref(*stashed.source);
}

}  // namespace cinnabar::tcp
