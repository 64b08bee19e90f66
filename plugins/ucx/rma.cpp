// SPDX-License-Identifier: BSD-3-Clause
// Put and get: each run of bytes that lies in one segment on both sides is one operation of UCX's,
// in pieces of a bounded size; a put ends with a flush, which says that the bytes have arrived. A
// peer's packed keys are unpacked once for each connection.
#include <algorithm>
#include <cstring>
#include <new>

#include "na/base/log.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/context.hpp"

namespace cinnabar::ucx {

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
    if (remote.remote == nullptr)
        return log_error(NA_INVALID_ARG, log_name, "{}: {}: the remote handle is a local one", peer,
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
    if (rma.size > 0 && remote.remote->key == 0)
        return log_error(NA_INVALID_ARG, log_name, "{}: {}: the remote handle is not registered",
                         peer, verb);
    op.kind = kind;
    op.address = static_cast<Address*>(rma.remote);
    op.remote_id = rma.remote_id;
    op.local = local.region;
    op.registration = local.registration;
    op.remote = remote.remote;
    op.local_offset = rma.local_offset;
    op.remote_offset = rma.remote_offset;
    op.size = rma.size;
    op.done = 0;
    op.pieces = 0;
    op.queued = op.flushing = false;
    op.connection = nullptr;
    op.end_code = NA_SUCCESS;
    return post(op);
}

void Context::start_rma(Op& op) {
    if (op.size == 0) {
        finish(op, NA_SUCCESS);
        return;
    }
    Peer& peer = *peer_of(*op.address, op.remote_id);
    name(op, peer);
    if (peer.connection == nullptr && !op.address->connectable()) {
        log_warning(log_name, "{}: the peer is gone and cannot be connected to", op.address->name);
        finish(op, NA_HOSTUNREACH);
        return;
    }
    op.state = OpState::waiting;
    op.queued = true;
    const bool first = peer.transfers.empty();
    peer.transfers.push(op);
    if (peer.connection == nullptr)
        connect(peer);
    else if (first && peer.connection->usable())
        pump_transfers(*peer.connection);
}

void Context::discard_keys(Connection& connection) noexcept {
    for (auto& [memory, keys] : connection.keys)
        for (ucp_rkey_h key : keys)
            ucp_rkey_destroy(key);
    connection.keys.clear();
}

void Context::discard_keys(Connection& connection, std::uint64_t memory) noexcept {
    const auto found = connection.keys.find(memory);
    if (found == connection.keys.end()) return;
    for (ucp_rkey_h key : found->second)
        ucp_rkey_destroy(key);
    connection.keys.erase(found);
}

// nullptr: a key is of no use here; `code` says why.
const std::vector<ucp_rkey_h>* Context::keys_for(Connection& connection, Remote& remote,
                                                 na_return_t& code) {
    if (const auto found = connection.keys.find(remote.id); found != connection.keys.end())
        return &found->second;
    std::vector<ucp_rkey_h>& keys = connection.keys[remote.id];
    keys.reserve(remote.keys.size());
    for (const std::string& packed : remote.keys) {
        // UCX does not know where the key ends.
        scratch_.assign(packed.size() + options::unpack_padding, std::byte{0});
        std::memcpy(scratch_.data(), packed.data(), packed.size());
        ucp_rkey_h key = nullptr;
        const ucs_status_t status = ucp_ep_rkey_unpack(connection.ep, scratch_.data(), &key);
        if (status != UCS_OK) {
            log_warning(log_name, "{}: a key to its memory is of no use: {}", describe(connection),
                        ucs_status_string(status));
            code = code_of(status);
            discard_keys(connection, remote.id);
            return nullptr;
        }
        keys.push_back(key);
    }
    remote.users[id_ / 64].fetch_or(std::uint64_t{1} << (id_ % 64), std::memory_order_release);
    return &keys;
}

// Gives UCX as much of an operation as it may have. It may have ended, and be gone, afterwards.
void Context::advance(Connection& connection, Op& op) {
    na_return_t code = NA_PROTOCOL_ERROR;
    const std::vector<ucp_rkey_h>* keys = nullptr;
    try {
        keys = keys_for(connection, *op.remote, code);
    } catch (const std::bad_alloc&) {
        discard_keys(connection, op.remote->id);
        code = NA_NOMEM;
    }
    if (keys == nullptr) op.end_code = code;
    op.state = OpState::in_flight;
    while (op.end_code == NA_SUCCESS && op.done < op.size) {
        if (connection.pieces >= options::piece_window) return;
        if (!begin_piece(connection, op, *keys)) break;
    }
    op.queued = false;
    op.peer->transfers.remove(op);
    if (op.pieces > 0) return;
    if (op.kind == OpKind::put && op.end_code == NA_SUCCESS)
        flush(connection, &op);
    else
        finish(op, op.end_code);
}

bool Context::begin_piece(Connection& connection, Op& op, const std::vector<ucp_rkey_h>& keys) {
    const std::uint64_t here = op.local_offset + op.done;
    const std::uint64_t there = op.remote_offset + op.done;
    const std::vector<Segment>& segments = op.local->segments();
    const std::size_t local_index = segment_at(segments, here);
    const Segment& local = segments[local_index];
    const Segment& remote = op.remote->segments[segment_at(op.remote->segments, there)];
    const std::uint64_t local_skip = here - local.start;
    const std::uint64_t remote_skip = there - remote.start;
    const std::size_t length = std::min({local.length - local_skip, remote.length - remote_skip,
                                         op.size - op.done, std::uint64_t{options::piece_size}});
    Flight* flight = flights_.take();
    if (flight == nullptr) {
        op.end_code = NA_NOMEM;
        return false;
    }
    flight->op = &op;
    connection.used = true;
    counts_.transfers += op.done == 0 ? 1 : 0;
    ++counts_.operations;
    Flights::depart(*flight, connection);
    ++connection.pieces;
    ++op.pieces;
    ucp_request_param_t params{};
    params.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA;
#if UCP_API_VERSION >= UCP_VERSION(1, 12)
    if (op.registration != nullptr) {
        params.op_attr_mask |= UCP_OP_ATTR_FIELD_MEMH;
        params.memh = op.registration->handles[local_index];
    }
#endif
    params.cb.send = on_piece;
    params.user_data = flight;
    auto* buffer = reinterpret_cast<void*>(local.base + local_skip);
    const std::uint64_t target = remote.base + remote_skip;
    ucp_rkey_h key = keys[remote.key];
    const ucs_status_ptr_t result =
        op.kind == OpKind::put ? ucp_put_nbx(connection.ep, buffer, length, target, key, &params)
                               : ucp_get_nbx(connection.ep, buffer, length, target, key, &params);
    op.done += length;
    if (UCS_PTR_IS_PTR(result)) {
        rouse();
        return true;
    }
    --connection.pieces;
    --op.pieces;
    flights_.land(*flight);
    if (result == nullptr) return true;
    const ucs_status_t status = UCS_PTR_STATUS(result);
    log_warning(log_name, "{}: a transfer fails: {}", describe(connection),
                ucs_status_string(status));
    op.end_code = code_of(status);
    return false;
}

// Ends a put once its bytes have arrived. Without an operation: nobody waits for that.
void Context::flush(Connection& connection, Op* op) {
    Flight* flight = flights_.take();
    if (flight == nullptr) {
        if (op != nullptr) finish(*op, NA_NOMEM);
        return;
    }
    flight->op = op;
    Flights::depart(*flight, connection);
    ++connection.pieces;
    if (op != nullptr) {
        op->flushing = true;
        ++op->pieces;
    }
    ucp_request_param_t params{};
    params.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA;
    params.cb.send = on_piece;
    params.user_data = flight;
    const ucs_status_ptr_t result = ucp_ep_flush_nbx(connection.ep, &params);
    if (UCS_PTR_IS_PTR(result)) return rouse();
    --connection.pieces;
    flights_.land(*flight);
    if (op == nullptr) return;
    --op->pieces;
    finish(*op, code_of(UCS_PTR_STATUS(result)));
}

void Context::on_piece(void* request, ucs_status_t status, void* user_data) {
    Flight& flight = *static_cast<Flight*>(user_data);
    Connection& connection = *flight.connection;
    Context& self = *connection.context;
    Op* op = flight.op;
    ucp_request_free(request);
    self.flights_.land(flight);
    --connection.pieces;
    if (connection.phase == Phase::dead)
        self.graves_changed_ = true;
    else if (connection.peer->queued())
        self.mark_dirty(connection);
    if (op == nullptr) return;
    --op->pieces;
    if (status != UCS_OK && op->end_code == NA_SUCCESS)
        op->end_code = connection.phase == Phase::dead ? connection.end_code : code_of(status);
    if (op->pieces > 0 || op->queued) return;
    if (op->kind == OpKind::put && op->end_code == NA_SUCCESS && !op->flushing) {
        if (connection.phase != Phase::dead) {
            self.flush(connection, op);
            return;
        }
        op->end_code = connection.end_code;
    }
    self.finish(*op, op->end_code);
}

// Of an operation that is in no queue any more.
void Context::end_rma(Op& op, na_return_t code) {
    if (op.connection != nullptr) {
        end_by_messages(op, code);
        return;
    }
    if (op.end_code == NA_SUCCESS) op.end_code = code;
    if (op.pieces == 0) finish(op, op.end_code);
}

// What UCX has of it cannot be taken back; the rest is not begun.
void Context::cancel_rma(Op& op) {
    leave_queue(op);
    end_rma(op, NA_CANCELED);
}

}  // namespace cinnabar::ucx
