// SPDX-License-Identifier: BSD-3-Clause
// Unexpected and expected messages: both are active messages, matched here, because only here it is
// known which connection, and so which incarnation of a peer, one belongs to. Sending, matching,
// the stash of those that came too early, and the credit that bounds it.
#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "na/base/log.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/context.hpp"

namespace cinnabar::ucx {

namespace {

void describe_send(Op& op, OpKind kind, const na_send& send) {
    op.kind = kind;
    op.buf = const_cast<void*>(send.buf);
    op.size = send.size;
    op.tag = send.tag;
    op.address = static_cast<Address*>(send.dest);
    op.remote_id = send.dest_id;
}

std::int64_t cost_of(std::size_t size) noexcept {
    return static_cast<std::int64_t>(size) + options::message_cost;
}

}  // namespace

Status Context::send_unexpected(Op& op, const na_send& send) {
    describe_send(op, OpKind::send_unexpected, send);
    return post(op);
}

Status Context::send_expected(Op& op, const na_send& send) {
    describe_send(op, OpKind::send_expected, send);
    return post(op);
}

Status Context::recv_unexpected(Op& op, const na_recv& recv) {
    op.kind = OpKind::receive_unexpected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.address = nullptr;
    return post(op);
}

Status Context::recv_expected(Op& op, const na_recv& recv) {
    op.kind = OpKind::receive_expected;
    op.buf = recv.buf;
    op.size = recv.size;
    op.tag = recv.tag;
    op.address = static_cast<Address*>(recv.source);
    op.remote_id = recv.source_id;
    return post(op);
}

void Context::start_receive(Op& op) {
    if (op.kind == OpKind::receive_unexpected) {
        if (!stash_.empty()) {
            unstash(op);
            return;
        }
        op.state = OpState::receiving;
        unexpected_.post(op);
        return;
    }
    Peer& peer = *peer_of(*op.address, op.remote_id);
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

bool Context::has_credit(const Connection& connection, std::size_t size) noexcept {
    // The peer tells what it has consumed in quarters of the window: with less than one of them
    // missing, nothing more may come back.
    return connection.credit >= cost_of(size) ||
           connection.credit > options::credit_window - options::credit_window / 4;
}

void Context::start_send(Op& op) {
    Peer& peer = *peer_of(*op.address, op.remote_id);
    name(op, peer);
    const bool unexpected = op.kind == OpKind::send_unexpected;
    OpQueue& queue = unexpected ? peer.unexpected : peer.expected;
    Connection* connection = peer.connection;
    if (connection == nullptr && !op.address->connectable()) {
        log_warning(log_name, "{}: the peer is gone and cannot be connected to", op.address->name);
        finish(op, NA_HOSTUNREACH);
        return;
    }
    if (connection != nullptr && connection->usable() && queue.empty() &&
        connection->sending < options::send_window &&
        (!unexpected || has_credit(*connection, op.size))) {
        send(*connection, op);
        return;
    }
    op.state = OpState::waiting;
    queue.push(op);
    if (connection == nullptr) connect(peer);
}

// Gives a message to UCX. It may have ended, and be gone, afterwards.
void Context::send(Connection& connection, Op& op) {
    const bool unexpected = op.kind == OpKind::send_unexpected;
    if (op.size > (unexpected ? connection.max_unexpected : connection.max_expected)) {
        log_warning(log_name, "{}: a message of {} bytes is larger than the peer takes",
                    describe(connection), op.size);
        finish(op, NA_MSGSIZE);
        return;
    }
    if (unexpected) connection.credit -= cost_of(op.size);
    op.state = OpState::sending;
    if (gather(connection, op)) {
        finish(op, NA_SUCCESS);
        return;
    }
    const MessageType type = unexpected ? MessageType::unexpected : MessageType::expected;
    switch (submit(connection, type, op.tag, &op)) {
        case Sent::done:
            finish(op, NA_SUCCESS);
            break;
        case Sent::pending:
            break;
        case Sent::failed:
            finish(op, NA_HOSTUNREACH);
            break;
    }
}

Context::Sent Context::submit(Connection& connection, MessageType type, std::uint32_t value,
                              Op* op) {
    const std::size_t size = op == nullptr ? 0 : op->size;
    // What was gathered comes first.
    if (connection.gathering != nullptr) send_batch(connection);
    Flight* flight = connection.usable() ? flights_.take() : nullptr;
    if (flight == nullptr) return Sent::failed;
    encode_header({connection.remote_token, value}, flight->header.data());
    flight->op = op;
    connection.sent_in_poll = polls_;
    if (size <= options::copy_limit) {
        if (size > 0) std::memcpy(flight->copy.data(), op->buf, size);
        return transmit(connection, type, *flight, flight->copy.data(), size);
    }
    flight->bytes = static_cast<const std::byte*>(op->buf);
    flight->size = size;
    return transmit(connection, type, *flight, nullptr, size);
}

// Gives UCX a message: its bytes, or those that it is to ask the flight for.
Context::Sent Context::transmit(Connection& connection, MessageType type, Flight& flight,
                                const void* bytes, std::size_t size) {
    Flights::depart(flight, connection);
    ++connection.sending;
    connection.used = true;
    ucp_request_param_t params{};
    params.op_attr_mask =
        UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
    if (bytes == nullptr) params.op_attr_mask |= UCP_OP_ATTR_FIELD_DATATYPE;
    params.datatype = chunk_type_;
    params.flags = UCP_AM_SEND_FLAG_EAGER;
    params.cb.send = on_sent;
    params.user_data = &flight;
    const ucs_status_ptr_t result = ucp_am_send_nbx(
        connection.ep, static_cast<unsigned>(type), flight.header.data(), message_header_size,
        bytes == nullptr ? &flight : bytes, bytes == nullptr ? 1 : size, &params);
    if (UCS_PTR_IS_PTR(result)) {
        rouse();
        return Sent::pending;
    }
    --connection.sending;
    flights_.land(flight);
    if (result == nullptr) return Sent::done;
    if (!connection.ep_failed) {
        connection.ep_failed = true;
        connection.ep_status = UCS_PTR_STATUS(result);
        mark_failed(connection);
    }
    return Sent::failed;
}

void Context::on_sent(void* request, ucs_status_t status, void* user_data) {
    Flight& flight = *static_cast<Flight*>(user_data);
    Connection& connection = *flight.connection;
    Context& self = *connection.context;
    Op* op = flight.op;
    ucp_request_free(request);
    self.flights_.land(flight);
    --connection.sending;
    if (connection.phase == Phase::dead)
        self.graves_changed_ = true;
    else if (connection.peer->queued())
        self.mark_dirty(connection);
    if (op != nullptr) self.finish(*op, status == UCS_OK ? NA_SUCCESS : connection.end_code);
}

template <MessageType type>
ucs_status_t Context::on_message(void* arg, const void* header, std::size_t header_length,
                                 void* data, std::size_t length, const ucp_am_recv_param_t* param) {
    if (header_length != message_header_size) {
        log_debug(log_name, "a message without a header of ours is dropped");
        return UCS_OK;
    }
    const MessageHeader decoded = decode_header(static_cast<const std::byte*>(header));
    static_cast<Context*>(arg)->take_message(type, decoded, {decoded.value, data, length},
                                             (param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0);
    return UCS_OK;
}

Status Context::handle_messages() {
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::unexpected),
                                on_message<MessageType::unexpected>, this));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::expected),
                                on_message<MessageType::expected>, this));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::credit),
                                on_message<MessageType::credit>, this));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::batch), on_batch, this));
    return worker_.handle(static_cast<unsigned>(MessageType::goodbye),
                          on_message<MessageType::goodbye>, this);
}

// The peer broke the rules; the connection ends when UCX's progress is over.
void Context::breach(Connection& connection, const char* what) noexcept {
    if (connection.breach == nullptr) connection.breach = what;
    mark_failed(connection);
}

// The connection that a message says it came through; nullptr: it is gone.
Connection* Context::connection_of(Token token) const noexcept {
    Connection* connection =
        token.slot < connections_.size() ? connections_[token.slot].connection.get() : nullptr;
    if (connection != nullptr && connection->generation == token.generation &&
        connection->phase != Phase::arriving && connection->phase != Phase::parked)
        return connection;
    log_debug(log_name, "a message for a connection that is gone is dropped");
    return nullptr;
}

void Context::take_message(MessageType type, const MessageHeader& header, const Incoming& message,
                           bool rendezvous) noexcept {
    Connection* connection = connection_of(header.token);
    if (connection == nullptr || connection->breach != nullptr) return;
    if (rendezvous) {
        breach(*connection, "it offers a message instead of sending it");
        return;
    }
    try {
        switch (type) {
            case MessageType::unexpected:
                deliver_unexpected(*connection, message);
                break;
            case MessageType::expected:
                deliver_expected(*connection, message);
                break;
            case MessageType::credit:
                connection->credit =
                    std::min(connection->credit + header.value, options::credit_window);
                if (connection->peer->queued()) mark_dirty(*connection);
                break;
            case MessageType::goodbye:
                connection->said_goodbye = true;
                break;
            default:
                break;
        }
    } catch (const std::bad_alloc&) {
        breach(*connection, "no memory to keep a message nobody waits for yet");
    }
}

void Context::deliver_expected(Connection& connection, const Incoming& message) {
    Peer* peer = connection.peer;
    auto* op = static_cast<Op*>(expected_.take(peer, peer->id, message.tag));
    if (op == nullptr) {
        log_debug(log_name, "{}: nobody waits for the message with tag {}", describe(connection),
                  message.tag);
        return;
    }
    if (message.size > op->size) {
        log_warning(log_name, "{}: a message of {} bytes does not fit the receive of {}",
                    describe(connection), message.size, op->size);
        finish(*op, NA_MSGSIZE);
        return;
    }
    if (message.size > 0) std::memcpy(op->buf, message.bytes, message.size);
    finish(*op, NA_SUCCESS, message.size);
}

// Ends an unexpected receive with a message; takes no reference away from the caller.
void Context::place(Op& op, Address& source, const Incoming& message) {
    if (message.size > op.size) {
        log_warning(log_name, "{}: a message of {} bytes does not fit the receive of {}",
                    source.name, message.size, op.size);
        finish(op, NA_MSGSIZE);
        return;
    }
    if (message.size > 0) std::memcpy(op.buf, message.bytes, message.size);
    na::sdk::ref(source);
    finish(op, na_completion{NA_SUCCESS, message.tag, message.size, &source, nullptr, false});
}

void Context::deliver_unexpected(Connection& connection, const Incoming& message) {
    Address& source = *connection.peer->address;
    if (auto* op = static_cast<Op*>(unexpected_.take())) {
        place(*op, source, message);
        consumed(connection, message.size);
        return;
    }
    const std::int64_t cost = cost_of(message.size);
    // What a sender with all its credit may have unread.
    if (message.size > cls_.max_unexpected() ||
        connection.stashed + cost > options::credit_window + cost_of(cls_.max_unexpected())) {
        breach(connection, "it sends more than it may");
        return;
    }
    Stashed stashed{std::make_unique<std::byte[]>(message.size), message.size, message.tag, &source,
                    &connection};
    if (message.size > 0) std::memcpy(stashed.bytes.get(), message.bytes, message.size);
    stash_.push_back(std::move(stashed));
    na::sdk::ref(source);
    connection.stashed += cost;
}

void Context::unstash(Op& op) {
    const Stashed stashed = std::move(stash_.front());
    stash_.pop_front();
    place(op, *stashed.source, {stashed.tag, stashed.bytes.get(), stashed.size});
    na::sdk::unref(*stashed.source);
    if (stashed.connection == nullptr) return;
    stashed.connection->stashed -= cost_of(stashed.size);
    consumed(*stashed.connection, stashed.size);
}

void Context::consumed(Connection& connection, std::size_t size) {
    connection.owed += cost_of(size);
    give_credit(connection);
}

void Context::give_credit(Connection& connection) {
    if (connection.owed < options::credit_window / 4 || !connection.usable()) return;
    const auto amount = static_cast<std::uint32_t>(std::exchange(connection.owed, std::int64_t{0}));
    (void)submit(connection, MessageType::credit, amount, nullptr);
}

}  // namespace cinnabar::ucx
