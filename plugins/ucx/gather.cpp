// SPDX-License-Identifier: BSD-3-Clause
// Small messages for a network are gathered: the first after a poll is sent at once, those that
// follow before the next poll, or before the context is slept on, go as one. A message on a network
// costs a system call or as much, however small it is.
#include <cstring>
#include <new>
#include <utility>

#include "na/base/log.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/context.hpp"

namespace cinnabar::ucx {

// False: it is to be sent by itself.
bool Context::gather(Connection& connection, const Op& op) {
    // Who sleeps will not send it.
    if (connection.memory || armed_ || op.size > options::gather_limit) return false;
    if (connection.gathering == nullptr && connection.sent_in_poll != polls_) return false;
    const std::size_t needed = record_size + op.size;
    if (connection.gathering != nullptr &&
        connection.gathering->size + needed > options::batch_size) {
        send_batch(connection);
        if (!connection.usable()) return false;
    }
    if (connection.gathering == nullptr) {
        Flight* flight = flights_.take();
        if (flight == nullptr) return false;
        if (flight->batch == nullptr)
            flight->batch.reset(new (std::nothrow) std::byte[options::batch_size]);
        if (flight->batch == nullptr) {
            flights_.give_back(*flight);
            return false;
        }
        connection.gathering = flight;
        gatherers_.push_back(&connection);
    }
    const MessageType type =
        op.kind == OpKind::send_unexpected ? MessageType::unexpected : MessageType::expected;
    std::byte* at = connection.gathering->batch.get() + connection.gathering->size;
    encode_record({type, op.tag, static_cast<std::uint32_t>(op.size)}, at);
    if (op.size > 0) std::memcpy(at + record_size, op.buf, op.size);
    connection.gathering->size += needed;
    return true;
}

void Context::forget_batch(Connection& connection) noexcept {
    if (connection.gathering == nullptr) return;
    flights_.give_back(*std::exchange(connection.gathering, nullptr));
    std::erase(gatherers_, &connection);
}

void Context::send_batch(Connection& connection) {
    std::erase(gatherers_, &connection);
    Flight& flight = *std::exchange(connection.gathering, nullptr);
    if (!connection.usable()) {
        flights_.give_back(flight);
        return;
    }
    encode_header({connection.remote_token, 0}, flight.header.data());
    (void)transmit(connection, MessageType::batch, flight, flight.batch.get(), flight.size);
}

void Context::send_batches() {
    while (!gatherers_.empty())
        send_batch(*gatherers_.back());
}

ucs_status_t Context::on_batch(void* arg, const void* header, std::size_t header_length, void* data,
                               std::size_t length, const ucp_am_recv_param_t* param) {
    auto& self = *static_cast<Context*>(arg);
    if (header_length != message_header_size) return UCS_OK;
    const MessageHeader decoded = decode_header(static_cast<const std::byte*>(header));
    Connection* connection = self.connection_of(decoded.token);
    if (connection == nullptr || connection->breach != nullptr) return UCS_OK;
    if ((param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0) {
        self.breach(*connection, "it offers a message instead of sending it");
        return UCS_OK;
    }
    std::span<const std::byte> rest(static_cast<const std::byte*>(data), length);
    while (!rest.empty()) {
        Record record;
        if (!decode_record(rest, record)) {
            self.breach(*connection, "what it gathered is not messages");
            return UCS_OK;
        }
        self.take_message(record.type, {decoded.token, record.value},
                          {record.value, rest.data() + record_size, record.size}, false);
        rest = rest.subspan(record_size + record.size);
    }
    return UCS_OK;
}

}  // namespace cinnabar::ucx
