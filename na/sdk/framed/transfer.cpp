// SPDX-License-Identifier: BSD-3-Clause
// Put and get, in pieces of a frame. The owner finds the memory by its key, checks range, direction
// and that it is still registered, and answers each piece; the answers come in order. A transfer
// that ends early leaves its pieces behind, whose answers then go nowhere.
#include <algorithm>

#include "na/base/log.hpp"
#include "na/sdk/framed/context.hpp"

namespace cinnabar::na::sdk::framed {

Status Context::put(Op& op, const na_rma& rma) {
    return transfer(Kind::put, op, rma);
}

Status Context::get(Op& op, const na_rma& rma) {
    return transfer(Kind::get, op, rma);
}

Status Context::transfer(Kind kind, Op& op, const na_rma& rma) {
    const auto& local = *static_cast<const Memory*>(rma.local_mem);
    const auto& remote = *static_cast<const Memory*>(rma.remote_mem);
    auto& address = *static_cast<Address*>(rma.remote);
    if (local.region == nullptr || !inside(rma.local_offset, rma.size, local.length) ||
        !inside(rma.remote_offset, rma.size, remote.length))
        return log_error(NA_INVALID_ARG, cls_.subsystem(),
                         "a transfer of {} bytes with {} lies outside the memory", rma.size,
                         address.name);
    if ((remote.flags & (kind == Kind::put ? NA_MEM_WRITE_ONLY : NA_MEM_READ_ONLY)) == 0)
        return log_error(NA_PERMISSION, cls_.subsystem(), "{} does not allow this transfer",
                         address.name);
    const std::lock_guard lock(mutex_);
    Result<Peer*> peer = peer_of(address, rma.remote_id);
    if (!peer.ok()) return peer.status();
    op.frame = {};
    op.frame.kind = kind;
    op.frame.key = remote.key;
    op.frame.offset = rma.remote_offset;
    op.local = local.region.get();
    op.local_offset = rma.local_offset;
    op.size = rma.size;
    op.asked = op.answered = 0;
    op.peer = *peer;
    op.state = Op::State::transferring;
    ++posted_;
    if (rma.size == 0) {
        finish(op, NA_SUCCESS);
    } else {
        (*peer)->transfers.push(op);
    }
    (void)flush(*(*peer)->connection);
    return {};
}

na_return_t Context::check(const Frame& frame, std::size_t size, std::shared_ptr<Region>& region) {
    region = cls_.regions().find(frame.key);
    if (region == nullptr || !inside(frame.offset, size, region->length())) return NA_INVALID_ARG;
    const unsigned long needed = frame.kind == Kind::put ? NA_MEM_WRITE_ONLY : NA_MEM_READ_ONLY;
    return (region->flags() & needed) == 0 ? NA_PERMISSION : NA_SUCCESS;
}

Context::Next Context::serve(Connection& connection, const Frame& frame, Bytes bytes) {
    Peer& peer = *connection.peer;
    const bool put = frame.kind == Kind::put;
    if (peer.answers.size() == most_pieces || frame.length > out_.size() - header_size ||
        bytes.size() != (put ? frame.length : 0))
        return reject(connection, "it asks for more than it may");
    std::shared_ptr<Region> region;
    na_return_t code = check(frame, frame.length, region);
    if (code == NA_SUCCESS && put) {
        if (region->pin()) {
            region->copy_in(frame.offset, bytes.data(), bytes.size());
            region->unpin();
        } else {
            code = NA_INVALID_ARG;
        }
    }
    if (code != NA_SUCCESS)
        log_warning(cls_.subsystem(), "{}: its {} of {} bytes at {} is refused: {}",
                    peer.address.name, put ? "put" : "get", frame.length, frame.offset,
                    code == NA_PERMISSION ? "not permitted" : "no such memory");
    if (put || code != NA_SUCCESS) region.reset();
    peer.answers.push_back({code, std::move(region), frame.offset, frame.length});
    return Next::more;
}

Context::Next Context::take_answer(Connection& connection, const Frame& frame, Bytes bytes) {
    Peer& peer = *connection.peer;
    if (peer.pieces.empty() || frame.tag >= NA_RETURN_MAX)
        return reject(connection, "its answer is none");
    const Piece piece = peer.pieces.front();
    const auto code = static_cast<na_return_t>(frame.tag);
    if (bytes.size() != (piece.get && code == NA_SUCCESS ? piece.size : 0))
        return reject(connection, "its answer is of another size");
    peer.pieces.pop_front();
    if (piece.op == nullptr) return Next::more;
    Op& op = *piece.op;
    if (code != NA_SUCCESS) {
        log_warning(cls_.subsystem(), "{} refuses a transfer of {} bytes at {}", peer.address.name,
                    op.size, op.frame.offset);
        stop(op);
        finish(op, code);
        return Next::more;
    }
    op.local->copy_in(op.local_offset + piece.offset, bytes.data(), bytes.size());
    op.answered += piece.size;
    if (op.answered == op.size) {
        peer.transfers.remove(op);
        finish(op, NA_SUCCESS);
    }
    return Next::more;
}

// From now on the operation is in no list, and no answer is meant for it.
void Context::stop(Op& op) {
    op.peer->transfers.remove(op);
    for (Piece& piece : op.peer->pieces)
        if (piece.op == &op) piece.op = nullptr;
}

}  // namespace cinnabar::na::sdk::framed
