// SPDX-License-Identifier: BSD-3-Clause
// Put and get, made of frames: a get asks and the owner streams; a put streams and the owner
// acknowledges its last chunk. The owner checks key, range and permission of every frame; an error
// travels back and ends the operation. Chunks of several streams and small messages take turns on a
// connection.
#include <algorithm>
#include <cstring>
#include <new>

#include "na/base/log.hpp"
#include "plugins/tcp/hot.hpp"

namespace cinnabar::tcp {

using na::sdk::inside;

Status Context::put(Op& op, const na_rma& rma) {
    return post_rma(op, OpKind::put, rma);
}

Status Context::get(Op& op, const na_rma& rma) {
    return post_rma(op, OpKind::get, rma);
}

Status Context::post_rma(Op& op, OpKind kind, const na_rma& rma) {
    const Memory& local = *static_cast<const Memory*>(rma.local_mem);
    const Memory& remote = *static_cast<const Memory*>(rma.remote_mem);
    const char* verb = kind == OpKind::put ? "put" : "get";
    const std::string& peer = static_cast<const Address*>(rma.remote)->name;
    if (local.region == nullptr)
        return log_error(NA_INVALID_ARG, log_name, "{}: {}: the local handle is not local", peer,
                         verb);
    if (!inside(rma.local_offset, rma.size, local.length))
        return log_error(NA_INVALID_ARG, log_name,
                         "{}: {}: {} bytes at {} leave the local handle of {} bytes", peer, verb,
                         rma.size, rma.local_offset, local.length);
    if (!inside(rma.remote_offset, rma.size, remote.length))
        return log_error(NA_INVALID_ARG, log_name,
                         "{}: {}: {} bytes at {} leave the remote handle of {} bytes", peer, verb,
                         rma.size, rma.remote_offset, remote.length);
    const unsigned wanted = kind == OpKind::put ? NA_MEM_WRITE_ONLY : NA_MEM_READ_ONLY;
    if ((remote.flags & wanted) == 0)
        return log_error(NA_PERMISSION, log_name, "{}: {}: the remote handle forbids it", peer,
                         verb);
    op.kind = kind;
    op.address = static_cast<Address*>(rma.remote);
    op.remote_id = rma.remote_id;
    op.local = local.region;
    op.local_offset = rma.local_offset;
    op.remote_offset = rma.remote_offset;
    op.key = remote.key;
    op.size = rma.size;
    op.done = 0;
    op.payload_active = op.ending = false;
    return post(op, [this](Op& begun) { start_rma(begun); });
}

void Context::start_rma(Op& op) {
    if (op.size == 0) {
        finish(op, NA_SUCCESS);
        return;
    }
    Peer& peer = peer_of(*op.address, op.remote_id);
    name(op, peer);
    if (peer.connection == nullptr && !op.address->connectable()) {
        log_warning(log_name, "{}: the peer is gone and cannot be connected to", op.address->name);
        finish(op, NA_HOSTUNREACH);
        return;
    }
    op.state = OpState::waiting;
    peer.transfers.push(op);
    if (peer.connection == nullptr)
        connect(peer);
    else if (peer.connection->phase == Phase::established)
        flush_or_gather(*peer.connection);
}

// A number for an operation on the wire. It is taken when the operation is entered there.
std::uint64_t Context::take_slot(Op& op) {
    if (free_rma_slots_.empty()) {
        rma_slots_.emplace_back();
        free_rma_slots_.reserve(rma_slots_.capacity());
        free_rma_slots_.push_back(static_cast<std::uint32_t>(rma_slots_.size() - 1));
    }
    op.slot = free_rma_slots_.back();
    return wire_op(op.slot, rma_slots_[op.slot]);
}

// Puts an operation from the queue on the wire. It may have ended, and be gone, afterwards.
void Context::begin_rma(Connection& connection, Op& op) {
    std::uint64_t number = 0;
    try {
        number = take_slot(op);
        if (op.kind == OpKind::put)
            connection.streams.push_back(
                {op.local, op.local_offset, op.size, number, op.remote_offset, op.key, &op});
    } catch (const std::bad_alloc&) {
        log_warning(log_name, "{}: no memory for a transfer", describe(connection));
        finish(op, NA_NOMEM);
        return;
    }
    free_rma_slots_.pop_back();
    rma_slots_[op.slot].op = &op;
    op.connection = &connection;
    op.state = OpState::in_flight;
    ++connection.rma_in_flight;
    if (op.kind == OpKind::put) return;
    if (op.size >= options::large_get) ++connection.large_gets;
    Frame frame;
    frame.type = FrameType::get_request;
    frame.op = number;
    frame.key = op.key;
    frame.offset = op.remote_offset;
    frame.length = op.size;
    send_control(connection, frame);
}

// Sets the next chunk of a stream as the payload of the output. False: there is none.
bool Context::emit_chunk(Connection& connection) {
    if (connection.streams.empty()) return false;
    if (connection.next_stream >= connection.streams.size()) connection.next_stream = 0;
    Stream& stream = connection.streams[connection.next_stream];
    std::byte* room = connection.out.reserve(rma_header_size);
    if (room == nullptr) {
        fail(connection, NA_NOMEM, "out of memory");
        return false;
    }
    const std::size_t size = std::min<std::uint64_t>(stream.remaining, options::chunk_size);
    Frame frame;
    frame.type = stream.op != nullptr ? FrameType::put_data : FrameType::get_data;
    frame.flags = stream.op != nullptr && size == stream.remaining ? last_chunk : std::uint8_t{0};
    frame.payload_size = static_cast<std::uint32_t>(size);
    frame.op = stream.wire_op;
    frame.key = stream.key;
    frame.offset = stream.wire_offset;
    connection.out.commit(encode_frame(frame, room));
    Payload payload;
    payload.region = stream.region;
    payload.offset = stream.offset;
    payload.remaining = size;
    payload.pinned = stream.op == nullptr;
    payload.lend = connection.within_host && size >= options::lend_min;
    payload.op = stream.op;
    payload.peer_op = stream.wire_op;
    if (stream.op != nullptr) stream.op->payload_active = true;
    connection.out.set_payload(std::move(payload));
    stream.offset += size;
    stream.wire_offset += size;
    stream.remaining -= size;
    if (stream.remaining == 0)
        connection.streams.erase(connection.streams.begin() +
                                 static_cast<std::ptrdiff_t>(connection.next_stream));
    else
        ++connection.next_stream;
    return true;
}

namespace {

void erase_stream(Connection& connection, std::uint64_t wire_op, bool ours) {
    std::erase_if(connection.streams, [&](const Stream& stream) {
        return stream.wire_op == wire_op && (stream.op != nullptr) == ours;
    });
}

}  // namespace

void Context::payload_done(Connection& connection) {
    const Payload payload = connection.out.take_payload();
    if (Op* op = payload.op; op != nullptr) {
        if (op->state == OpState::writing) {
            finish(*op, NA_SUCCESS);
            return;
        }
        op->payload_active = false;
        if (op->ending) end_rma(*op, op->end_code);
        return;
    }
    if (!payload.retired) return;
    erase_stream(connection, payload.peer_op, false);
    log_warning(log_name, "{}: memory was deregistered while it was read", describe(connection));
    send_end(connection, payload.peer_op, NA_INVALID_ARG);
}

// Ends a put or get that is in flight, once nothing of it is being written any more.
void Context::end_rma(Op& op, na_return_t code) {
    Connection& connection = *op.connection;
    RmaSlot& slot = rma_slots_[op.slot];
    if (op.kind == OpKind::put) erase_stream(connection, wire_op(op.slot, slot), true);
    if (op.payload_active) {
        op.ending = true;
        op.end_code = code;
        return;
    }
    if (connection.incoming.op == &op) {  // the rest of the chunk goes nowhere
        connection.incoming.op = nullptr;
        connection.incoming.region.reset();
    }
    slot.op = nullptr;
    ++slot.generation;
    free_rma_slots_.push_back(op.slot);
    --connection.rma_in_flight;
    if (op.kind == OpKind::get && op.size >= options::large_get) --connection.large_gets;
    connection.want_pump = true;
    finish(op, code);
}

Op* Context::find_rma(const Connection& connection, std::uint64_t number) noexcept {
    const auto index = static_cast<std::uint32_t>(number);
    if (index >= rma_slots_.size()) return nullptr;
    const RmaSlot& slot = rma_slots_[index];
    if (slot.op == nullptr || slot.generation != static_cast<std::uint32_t>(number >> 32) ||
        slot.op->connection != &connection)
        return nullptr;
    return slot.op;
}

void Context::handle_rma(Connection& connection, const Frame& frame) {
    switch (frame.type) {
        case FrameType::get_request:
            handle_get_request(connection, frame);
            break;
        case FrameType::get_data:
            handle_get_data(connection, frame);
            break;
        case FrameType::put_data:
            handle_put_data(connection, frame);
            break;
        case FrameType::rma_end:
            handle_end(connection, frame);
            break;
        case FrameType::rma_cancel:
            erase_stream(connection, frame.op, false);
            break;
        default:
            break;
    }
}

void Context::handle_get_request(Connection& connection, const Frame& frame) {
    if (connection.streams.size() >= options::rma_window_accepted) {
        fail(connection, NA_PROTOCOL_ERROR, "more gets are in flight than allowed");
        return;
    }
    std::shared_ptr<Region> region = cls_.regions().find(frame.key);
    na_return_t code = NA_SUCCESS;
    if (region == nullptr || !region->in_range(frame.offset, frame.length))
        code = NA_INVALID_ARG;
    else if ((region->flags() & NA_MEM_READ_ONLY) == 0)
        code = NA_PERMISSION;
    if (code != NA_SUCCESS || frame.length == 0) {
        log_warning(log_name, "{}: its get of {} bytes at {} is refused: {}", describe(connection),
                    frame.length, frame.offset,
                    code == NA_PERMISSION ? "not permitted" : "no such memory");
        send_end(connection, frame.op, code == NA_SUCCESS ? NA_INVALID_ARG : code);
        return;
    }
    try {
        connection.streams.push_back(
            {std::move(region), frame.offset, frame.length, frame.op, 0, 0, nullptr});
    } catch (const std::bad_alloc&) {
        log_warning(log_name, "{}: no memory to serve its get", describe(connection));
        send_end(connection, frame.op, NA_NOMEM);
        return;
    }
    connection.want_pump = true;
}

void Context::handle_get_data(Connection& connection, const Frame& frame) {
    Incoming& incoming = connection.incoming;
    incoming = Incoming{};
    incoming.remaining = frame.payload_size;
    Op* op = find_rma(connection, frame.op);
    if (op == nullptr) return;  // it was cancelled: the bytes go nowhere
    if (op->kind != OpKind::get || frame.offset != op->done ||
        frame.payload_size > op->size - op->done) {
        fail(connection, NA_PROTOCOL_ERROR, "data came that was not asked for");
        return;
    }
    incoming.region = op->local;
    incoming.offset = op->local_offset + op->done;
    incoming.op = op;
}

void Context::handle_put_data(Connection& connection, const Frame& frame) {
    Incoming& incoming = connection.incoming;
    incoming = Incoming{};
    incoming.remaining = frame.payload_size;
    std::shared_ptr<Region> region = cls_.regions().find(frame.key);
    na_return_t code = NA_SUCCESS;
    if (region == nullptr || !region->in_range(frame.offset, frame.payload_size))
        code = NA_INVALID_ARG;
    else if ((region->flags() & NA_MEM_WRITE_ONLY) == 0)
        code = NA_PERMISSION;
    if (code != NA_SUCCESS) {
        log_warning(log_name, "{}: its put of {} bytes at {} is refused: {}", describe(connection),
                    frame.payload_size, frame.offset,
                    code == NA_PERMISSION ? "not permitted" : "no such memory");
        send_end(connection, frame.op, code);
        return;
    }
    incoming.region = std::move(region);
    incoming.offset = frame.offset;
    incoming.peer_op = frame.op;
    incoming.acknowledge = (frame.flags & last_chunk) != 0;
    incoming.pinned = true;
}

// `count` bytes of the present chunk have been placed.
void Context::received(Connection& connection, std::size_t count) {
    Incoming& incoming = connection.incoming;
    incoming.offset += count;
    incoming.remaining -= count;
    if (incoming.op != nullptr) incoming.op->done += count;
    if (incoming.remaining > 0) return;
    const Incoming chunk = std::exchange(incoming, Incoming{});
    if (chunk.op != nullptr && chunk.op->done == chunk.op->size) end_rma(*chunk.op, NA_SUCCESS);
    if (chunk.acknowledge && chunk.region != nullptr)
        send_end(connection, chunk.peer_op, NA_SUCCESS);
}

void Context::handle_end(Connection& connection, const Frame& frame) {
    Op* op = find_rma(connection, frame.op);
    if (op == nullptr) return;
    const auto code = static_cast<na_return_t>(frame.tag);
    if (op->kind == OpKind::get && code == NA_SUCCESS) {
        fail(connection, NA_PROTOCOL_ERROR, "a get ended without its data");
        return;
    }
    end_rma(*op, code);
}

// False: the connection was cut off, and what was in flight on it has ended.
bool Context::send_control(Connection& connection, const Frame& frame) {
    if (connection.out.buffered() >= options::output_hard_limit) {
        fail(connection, NA_PROTOCOL_ERROR, "it does not read the answers it causes");
        return false;
    }
    std::byte* room = connection.out.reserve(frame.header_size());
    if (room == nullptr) {
        fail(connection, NA_NOMEM, "out of memory");
        return false;
    }
    connection.out.commit(encode_frame(frame, room));
    connection.want_pump = true;
    return true;
}

void Context::send_end(Connection& connection, std::uint64_t op, na_return_t code) {
    Frame frame;
    frame.type = FrameType::rma_end;
    frame.op = op;
    frame.tag = static_cast<std::uint32_t>(code);
    send_control(connection, frame);
}

void Context::cancel_rma(Op& op) {
    Connection& connection = *op.connection;
    if (op.kind == OpKind::get) {
        Frame frame;
        frame.type = FrameType::rma_cancel;
        frame.op = wire_op(op.slot, rma_slots_[op.slot]);
        if (!send_control(connection, frame)) return;
    }
    end_rma(op, NA_CANCELED);
    if (connection.phase == Phase::established) mark_dirty(connection);
}

}  // namespace cinnabar::tcp
