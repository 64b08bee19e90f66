// SPDX-License-Identifier: BSD-3-Clause
// Larger transfers with a peer on this host, whose memory one of both can read: for a get the owner
// says where the bytes are, and the asker reads them; for a put the asker says it, and the owner
// reads. The owner checks as ever. What would need a long description goes by chunks instead.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "na/base/log.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/context.hpp"
#include "plugins/ucx/direct.hpp"

namespace cinnabar::ucx {

namespace {

na_return_t code_of_read(std::int64_t error) noexcept {
    if (error == -ESRCH) return NA_HOSTUNREACH;
    return error == -EPERM || error == -ENOSYS ? NA_OPNOTSUPPORTED : NA_INVALID_ARG;
}

}  // namespace

// False: nothing was sent, and the flight is the caller's.
bool Context::offer(Connection& connection, Op& op, Flight& flight) {
    flight.size = describe_range(op.local->segments(), op.local_offset, op.size, flight.copy);
    if (flight.size == 0) return false;
    op.done = op.size;
    leave_queue(op);
    (void)give(connection, MessageType::offer,
               {{}, op.ticket, op.remote->key, op.remote_offset, op.size, 0, 0}, flight);
    return true;
}

// The peer found that it may not read: by chunks, then, and ever.
void Context::offer_refused(Op& op) {
    Connection& connection = *std::exchange(op.connection, nullptr);
    connection.peer_reads = false;
    connection.transfers->ours.give_back(op.ticket);
    op.done = 0;
    op.queued = true;
    op.state = OpState::waiting;
    op.peer->transfers.push(op);
    mark_dirty(connection);
}

// False: nothing was sent, and the flight is the caller's.
bool Context::grant(Connection& connection, Served& served, Flight& flight) {
    served.grants = false;
    flight.size =
        describe_range(served.region->segments(), served.offset, served.size, flight.copy);
    if (flight.size == 0) return false;
    TransferHeader header;
    header.id = served.id;
    header.size = served.size;
    connection.transfers->theirs.stop(served);
    served.ended = true;
    served.region.reset();
    return give(connection, MessageType::granted, header, flight);
}

void Context::take_granted(Connection& connection, const TransferHeader& header,
                           std::span<const std::byte> bytes) {
    Op* op = connection.transfers->ours.find(header.id);
    if (op == nullptr) return;
    try {
        if (op->kind != OpKind::get || op->reads || op->done > 0 || !connection.reads_peer ||
            !parse_range(bytes, op->size, op->granted)) {
            breach(connection, "it grants what was not asked for");
            return;
        }
    } catch (const std::bad_alloc&) {
        end_by_messages(*op, NA_NOMEM);
        return;
    }
    op->reads = true;
    connection.reading.push(*op);
    mark_dirty(connection);
}

// A step of the gets that read. False: there are none.
bool Context::read_one(Connection& connection) {
    if (connection.reading.empty()) return false;
    Op& op = *connection.reading.front();
    const std::int64_t count = read_process(
        connection.process, op.granted, op.done, op.local->segments(), op.local_offset + op.done,
        std::min<std::uint64_t>(op.size - op.done, options::direct_chunk));
    if (count < 0) {
        const na_return_t code = code_of_read(count);
        log_warning(log_name, "{}: its memory cannot be read: {}", describe(connection),
                    std::strerror(static_cast<int>(-count)));
        end_by_messages(op, code);
        return true;
    }
    ++counts_.operations;
    op.done += static_cast<std::uint64_t>(count);
    if (op.done == op.size) end_by_messages(op, NA_SUCCESS);
    return true;
}

void Context::take_offer(Connection& connection, const TransferHeader& header,
                         std::span<const std::byte> bytes) {
    bool fresh = false;
    Serving& serving = connection.transfers->theirs;
    Served* served = serving.at(header.id, fresh);
    if (served == nullptr || !fresh) return;
    mark_dirty(connection);
    if (!connection.reads_peer) {
        serving.answer(*served, NA_OPNOTSUPPORTED);
        return;
    }
    std::shared_ptr<Region> region = cls_.regions().find(header.key);
    na_return_t code = may_use(region.get(), header, NA_MEM_WRITE_ONLY);
    try {
        if (code == NA_SUCCESS && !parse_range(bytes, header.size, served->there)) {
            breach(connection, "it offers less than it says");
            return;
        }
    } catch (const std::bad_alloc&) {
        code = NA_NOMEM;
    }
    if (code != NA_SUCCESS) {
        refuse_transfer(connection, *served, code, header);
        return;
    }
    served->offered = true;
    ++counts_.served;
    served->region = std::move(region);
    served->offset = header.offset;
    served->size = header.size;
    serving.start(*served);
}

// A step of a put that is read from its asker.
void Context::read_offered(Connection& connection, Served& served) {
    Serving& serving = connection.transfers->theirs;
    if (!served.region->pin()) {
        serving.answer(served, NA_INVALID_ARG);
        return;
    }
    const std::int64_t count =
        read_process(connection.process, served.there, served.done, served.region->segments(),
                     served.offset + served.done,
                     std::min<std::uint64_t>(served.size - served.done, options::direct_chunk));
    served.region->unpin();
    if (count < 0) {
        serving.answer(served, code_of_read(count));
        return;
    }
    ++counts_.served_operations;
    served.done += static_cast<std::uint64_t>(count);
    if (served.done == served.size) serving.answer(served, NA_SUCCESS);
}

}  // namespace cinnabar::ucx
