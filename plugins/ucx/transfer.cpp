// SPDX-License-Identifier: BSD-3-Clause
// Put and get by messages, where the net has no one-sided operations of its own: UCX would make
// messages of them too, but cannot take them back, and serves whatever address it is asked for. The
// asker of a get sends one request for the whole range, the owner checks it and sends the bytes in
// chunks; a put sends its chunks, each is checked by the owner, and the last that arrives is
// answered. Segments of either side do not matter. Chunks are packed and unpacked by us, out of and
// into memory that is still an operation's, or registered: so a transfer can be given up at once.
#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "na/base/log.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/context.hpp"

namespace cinnabar::ucx {

namespace {

// Nobody's: a header of a chunk that was given up before UCX read it.
constexpr TransferId void_transfer{~std::uint32_t{0}, 0};

std::size_t chunk_size(const Connection& connection) noexcept {
    return connection.memory ? options::memory_chunk : options::network_chunk;
}

// A chunk as UCX sees it: a type of data that we pack. The state is the flight.
void* start_packing(void*, const void* flight, std::size_t) {
    return const_cast<void*>(flight);
}

std::size_t packed_size(void* state) {
    return static_cast<const Flight*>(state)->size;
}

// What is not to be read any more goes as zeros, to a receiver that has been told not to look.
std::size_t pack(void* state, std::size_t offset, void* to, std::size_t size) {
    const Flight& flight = *static_cast<const Flight*>(state);
    size = std::min(size, flight.size - offset);
    if (flight.bytes != nullptr) {
        std::memcpy(to, flight.bytes + offset, size);
        return size;
    }
    Region* region = flight.region.get();
    if (region == nullptr || (flight.pins && !region->pin())) {
        std::memset(to, 0, size);
        return size;
    }
    region->copy_out(flight.offset + offset, static_cast<std::byte*>(to), size);
    if (flight.pins) region->unpin();
    return size;
}

void* refuse_unpacking(void*, void*, std::size_t) {
    return nullptr;
}

ucs_status_t unpack(void*, std::size_t, const void*, std::size_t) {
    return UCS_ERR_UNSUPPORTED;
}

void finish_packing(void*) {}

}  // namespace

Status Context::open_transfers() {
    ucp_generic_dt_ops_t packing{};
    packing.start_pack = start_packing;
    packing.start_unpack = refuse_unpacking;
    packing.packed_size = packed_size;
    packing.pack = pack;
    packing.unpack = unpack;
    packing.finish = finish_packing;
    const ucs_status_t status = ucp_dt_create_generic(&packing, nullptr, &chunk_type_);
    if (status != UCS_OK)
        return log_error(code_of(status), log_name, "UCX's data types: {}",
                         ucs_status_string(status));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::fetch),
                                on_transfer<MessageType::fetch>, this));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::fetched),
                                on_transfer<MessageType::fetched>, this));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::store),
                                on_transfer<MessageType::store>, this));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::granted),
                                on_transfer<MessageType::granted>, this));
    CINNABAR_TRY(worker_.handle(static_cast<unsigned>(MessageType::offer),
                                on_transfer<MessageType::offer>, this));
    return worker_.handle(static_cast<unsigned>(MessageType::ended),
                          on_transfer<MessageType::ended>, this);
}

// Gives UCX a message of a transfer. False: the connection is lost.
bool Context::give(Connection& connection, MessageType type, TransferHeader header,
                   Flight& flight) {
    header.token = connection.remote_token;
    encode_transfer_header(header, flight.header.data());
    Flights::depart(flight, connection);
    ++connection.pieces;
    connection.used = true;
    ucp_request_param_t params{};
    params.op_attr_mask =
        UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
    // A description of memory is in the flight itself.
    const bool plain = type == MessageType::granted || type == MessageType::offer;
    const bool packed = flight.size > 0 && !plain;
    if (packed) params.op_attr_mask |= UCP_OP_ATTR_FIELD_DATATYPE;
    params.datatype = chunk_type_;
    params.flags = UCP_AM_SEND_FLAG_EAGER;
    params.cb.send = on_given;
    params.user_data = &flight;
    const void* buffer = packed ? static_cast<const void*>(&flight) : flight.copy.data();
    const ucs_status_ptr_t result =
        ucp_am_send_nbx(connection.ep, static_cast<unsigned>(type), flight.header.data(),
                        transfer_header_size, buffer, packed ? 1 : flight.size, &params);
    if (UCS_PTR_IS_PTR(result)) {
        rouse();
        return true;
    }
    --connection.pieces;
    flights_.land(flight);
    if (result == nullptr) return true;
    if (!connection.ep_failed) {
        connection.ep_failed = true;
        connection.ep_status = UCS_PTR_STATUS(result);
        mark_failed(connection);
    }
    return false;
}

void Context::on_given(void* request, ucs_status_t, void* user_data) {
    Flight& flight = *static_cast<Flight*>(user_data);
    Connection& connection = *flight.connection;
    Context& self = *connection.context;
    ucp_request_free(request);
    self.flights_.land(flight);
    --connection.pieces;
    if (connection.phase == Phase::dead)
        self.graves_changed_ = true;
    else
        self.mark_dirty(connection);
}

// Goes on with transfers of both sides, as far as UCX takes it and within reason.
void Context::pump_transfers(Connection& connection) {
    unsigned budget = options::chunk_batch;
    while (connection.usable() && budget > 0 && answer_one(connection))
        --budget;
    if (connection.usable() && read_one(connection)) mark_dirty(connection);
    OpQueue& queue = connection.peer->transfers;
    while (connection.usable() && budget > 0 && !queue.empty()) {
        Op& op = *queue.front();
        if (connection.one_sided && !op.remote->keys.empty()) {
            if (connection.pieces >= options::piece_window) break;
            advance(connection, op);
            --budget;
        } else if (!advance_by_messages(connection, op, budget)) {
            break;
        }
    }
    while (connection.usable() && budget > 0 && serve_one(connection))
        --budget;
    if (budget == 0) mark_dirty(connection);
}

// False: for now no more can be done for any operation.
bool Context::advance_by_messages(Connection& connection, Op& op, unsigned& budget) {
    Tickets& tickets = connection.transfers->ours;
    if (op.connection == nullptr) {
        if (tickets.full()) return false;
        op.ticket = tickets.take(op);
        ++counts_.transfers;
        op.connection = &connection;
        op.state = OpState::in_flight;
    }
    while (budget > 0 && connection.pieces < options::chunk_window) {
        Flight* flight = flights_.take();
        if (flight == nullptr) {
            end_rma(op, NA_NOMEM);
            return true;
        }
        --budget;
        ++counts_.operations;
        const TransferId id = op.ticket;
        const std::uint64_t key = op.remote->key;
        if (op.kind == OpKind::get) {
            leave_queue(op);
            const bool direct = connection.reads_peer && op.size >= options::direct_threshold;
            return give(connection, MessageType::fetch,
                        {{}, id, key, op.remote_offset, op.size, 0, direct}, *flight);
        }
        if (op.done == 0 && connection.peer_reads && op.size >= options::direct_threshold &&
            offer(connection, op, *flight))
            return connection.usable();
        const std::size_t size = std::min<std::uint64_t>(chunk_size(connection), op.size - op.done);
        flight->op = &op;
        flight->region = op.local;
        flight->offset = op.local_offset + op.done;
        flight->size = size;
        const TransferHeader header{{}, id, key, op.remote_offset + op.done, size, op.size, 0};
        op.done += size;
        const bool last = op.done == op.size;
        if (last) leave_queue(op);
        if (!give(connection, MessageType::store, header, *flight)) return false;
        if (last) return true;
    }
    return false;
}

void Context::leave_queue(Op& op) noexcept {
    if (!op.queued) return;
    op.queued = false;
    op.peer->transfers.remove(op);
}

// What UCX has of it and has not read yet is not read any more.
void Context::end_by_messages(Op& op, na_return_t code) {
    Connection& connection = *std::exchange(op.connection, nullptr);
    for (Flight* flight = connection.flights; flight != nullptr; flight = flight->next) {
        if (flight->op != &op) continue;
        flight->op = nullptr;
        flight->region.reset();
        TransferHeader header;
        header.token = connection.remote_token;
        header.id = void_transfer;
        header.size = flight->size;
        encode_transfer_header(header, flight->header.data());
    }
    leave_queue(op);
    if (std::exchange(op.reads, false)) connection.reading.remove(op);
    connection.transfers->ours.give_back(op.ticket);
    if (connection.phase != Phase::dead && connection.peer->queued()) mark_dirty(connection);
    finish(op, code);
}

void Context::fail_transfers(Connection& connection, na_return_t code) {
    while (Op* op = connection.transfers->ours.any())
        end_by_messages(*op, code);
}

bool Context::answer_one(Connection& connection) {
    Serving& serving = connection.transfers->theirs;
    if (!serving.has_work() || connection.pieces >= options::chunk_window) return false;
    Served* served = serving.next_answer();
    Flight* flight = served == nullptr ? nullptr : flights_.take();
    if (flight == nullptr) return false;
    serving.stop(*served);
    TransferHeader header;
    header.id = served->id;
    header.code = static_cast<std::uint32_t>(served->code);
    return give(connection, MessageType::ended, header, *flight);
}

bool Context::serve_one(Connection& connection) {
    Serving& serving = connection.transfers->theirs;
    if (!serving.has_work() || connection.pieces >= options::chunk_window) return false;
    Served* served = serving.next_to_send();
    Flight* flight = served == nullptr ? nullptr : flights_.take();
    if (flight == nullptr) return false;
    if (served->offered) {
        flights_.give_back(*flight);
        read_offered(connection, *served);
        (void)answer_one(connection);
        mark_dirty(connection);
        return false;
    }
    if (served->grants && grant(connection, *served, *flight)) return true;
    flight->region = served->region;
    flight->pins = true;
    flight->offset = served->offset + served->done;
    flight->size = std::min<std::uint64_t>(chunk_size(connection), served->size - served->done);
    TransferHeader header;
    header.id = served->id;
    header.offset = served->done;
    header.size = flight->size;
    ++counts_.served_operations;
    served->done += flight->size;
    if (served->done == served->size) {
        serving.stop(*served);
        served->ended = true;
        served->region.reset();
    }
    return give(connection, MessageType::fetched, header, *flight);
}

template <MessageType type>
ucs_status_t Context::on_transfer(void* arg, const void* header, std::size_t header_length,
                                  void* data, std::size_t length,
                                  const ucp_am_recv_param_t* param) {
    auto& self = *static_cast<Context*>(arg);
    if (header_length != transfer_header_size) {
        log_debug(log_name, "a message without a header of ours is dropped");
        return UCS_OK;
    }
    const TransferHeader decoded = decode_transfer_header(static_cast<const std::byte*>(header));
    Connection* connection = self.connection_of(decoded.token);
    if (connection == nullptr || connection->breach != nullptr) return UCS_OK;
    if ((param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0) {
        self.breach(*connection, "it offers a message instead of sending it");
        return UCS_OK;
    }
    const bool carries = type == MessageType::store || type == MessageType::fetched;
    const bool describes = type == MessageType::granted || type == MessageType::offer;
    if (!describes && length != (carries ? decoded.size : 0)) {
        self.breach(*connection, "a message of a transfer has the wrong length");
        return UCS_OK;
    }
    if (decoded.id.slot >= transfer_slots) return UCS_OK;
    const auto* bytes = static_cast<const std::byte*>(data);
    if constexpr (type == MessageType::fetch) self.take_fetch(*connection, decoded);
    if constexpr (type == MessageType::fetched) self.take_fetched(*connection, decoded, bytes);
    if constexpr (type == MessageType::store) self.take_store(*connection, decoded, bytes);
    if constexpr (type == MessageType::granted)
        self.take_granted(*connection, decoded, {bytes, length});
    if constexpr (type == MessageType::offer)
        self.take_offer(*connection, decoded, {bytes, length});
    if constexpr (type == MessageType::ended) self.take_ended(*connection, decoded);
    return UCS_OK;
}

void Context::refuse_transfer(Connection& connection, Served& served, na_return_t code,
                              const TransferHeader& header) {
    log_warning(log_name, "{}: its transfer of {} bytes at {} is refused: {}", describe(connection),
                header.size, header.offset,
                code == NA_PERMISSION ? "not permitted" : "no such memory");
    connection.transfers->theirs.answer(served, code);
}

void Context::take_fetch(Connection& connection, const TransferHeader& header) {
    bool fresh = false;
    Serving& serving = connection.transfers->theirs;
    Served* served = serving.at(header.id, fresh);
    if (served == nullptr || !fresh) return;
    std::shared_ptr<Region> region = cls_.regions().find(header.key);
    const na_return_t code = may_use(region.get(), header, NA_MEM_READ_ONLY);
    if (code == NA_SUCCESS) {
        served->region = std::move(region);
        served->offset = header.offset;
        served->size = header.size;
        served->grants = header.code == 1;
        ++counts_.served;
        serving.start(*served);
    } else {
        refuse_transfer(connection, *served, code, header);
    }
    mark_dirty(connection);
}

void Context::take_fetched(Connection& connection, const TransferHeader& header,
                           const std::byte* bytes) {
    Op* op = connection.transfers->ours.find(header.id);
    if (op == nullptr) return;
    if (op->kind != OpKind::get || header.size == 0 ||
        !inside(header.offset, header.size, op->size)) {
        breach(connection, "it sends what was not asked for");
        return;
    }
    op->local->copy_in(op->local_offset + header.offset, bytes, header.size);
    op->done += header.size;
    if (op->done >= op->size) end_by_messages(*op, NA_SUCCESS);
}

void Context::take_store(Connection& connection, const TransferHeader& header,
                         const std::byte* bytes) {
    bool fresh = false;
    Serving& serving = connection.transfers->theirs;
    Served* served = serving.at(header.id, fresh);
    if (served == nullptr || served->ended) return;
    const std::shared_ptr<Region> region = cls_.regions().find(header.key);
    na_return_t code = may_use(region.get(), header, NA_MEM_WRITE_ONLY);
    if (code == NA_SUCCESS && !region->pin()) code = NA_INVALID_ARG;
    if (code == NA_SUCCESS) {
        region->copy_in(header.offset, bytes, header.size);
        region->unpin();
        counts_.served += fresh ? 1 : 0;
        ++counts_.served_operations;
        served->done += header.size;
        if (served->done >= header.total) serving.answer(*served, NA_SUCCESS);
    } else {
        refuse_transfer(connection, *served, code, header);
    }
    if (served->ended) mark_dirty(connection);
}

void Context::take_ended(Connection& connection, const TransferHeader& header) {
    Op* op = connection.transfers->ours.find(header.id);
    if (op == nullptr) return;
    const auto code = static_cast<na_return_t>(header.code);
    if (header.code >= NA_RETURN_MAX ||
        (code == NA_SUCCESS && (op->kind == OpKind::get || op->queued))) {
        breach(connection, "it ends a transfer that is not over");
        return;
    }
    if (code == NA_OPNOTSUPPORTED && op->kind == OpKind::put && connection.peer_reads) {
        offer_refused(*op);
        return;
    }
    if (code != NA_SUCCESS)
        log_warning(log_name, "{}: it refuses a transfer of {} bytes: {}", describe(connection),
                    op->size, code == NA_PERMISSION ? "not permitted" : "no such memory");
    end_by_messages(*op, code);
}

}  // namespace cinnabar::ucx
