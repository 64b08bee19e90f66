// SPDX-License-Identifier: BSD-3-Clause
// Bytes coming in: many frames for each system call, bulk data straight into the memory it is for.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "plugins/tcp/hot.hpp"

namespace cinnabar::tcp {

void Context::release_input(Connection& connection) {
    if (connection.in != nullptr) pool_.give(connection.in);
    connection.in = nullptr;
    connection.in_begin = connection.in_end = 0;
}

// One system call. Data of a chunk goes to its place, what follows it into the buffer.
long Context::receive(Connection& connection, std::size_t& wanted) {
    if (connection.in == nullptr) connection.in = pool_.take();
    if (connection.in == nullptr) {
        errno = ENOMEM;
        return -1;
    }
    const Incoming& incoming = connection.incoming;
    if (incoming.remaining > 0 && incoming.region != nullptr &&
        connection.in_begin == connection.in_end)
        return receive_data(connection, wanted);
    // Where much data is about to come, its header is read alone, and then the data to its place.
    const bool header_first = connection.large_gets > 0 && incoming.remaining == 0 &&
                              connection.in_begin == connection.in_end;
    wanted = header_first ? rma_header_size : pool_.size() - connection.in_end;
    const ssize_t got = ::recv(connection.fd.get(), connection.in + connection.in_end, wanted, 0);
    if (got > 0) connection.in_end += static_cast<std::size_t>(got);
    return got;
}

long Context::receive_data(Connection& connection, std::size_t& wanted) {
    Incoming& incoming = connection.incoming;
    if (incoming.pinned && !incoming.region->pin()) {
        log_warning(log_name, "{}: memory was deregistered while it was written",
                    describe(connection));
        send_end(connection, incoming.peer_op, NA_INVALID_ARG);
        incoming.region.reset();
        incoming.acknowledge = false;
        wanted = 0;
        return 1;
    }
    std::array<iovec, options::max_iovecs> vectors;
    std::size_t used = 0;
    const std::size_t direct = incoming.region->vectors(
        incoming.offset, incoming.remaining, std::span(vectors.data(), vectors.size() - 1), used);
    wanted = direct;
    if (direct == incoming.remaining) {
        const std::size_t room = pool_.size() - connection.in_end;
        vectors[used++] = {connection.in + connection.in_end, room};
        wanted += room;
    }
    const ssize_t got = ::readv(connection.fd.get(), vectors.data(), static_cast<int>(used));
    const int error = errno;
    if (incoming.pinned) incoming.region->unpin();
    errno = error;
    if (got <= 0) return got;
    const auto count = static_cast<std::size_t>(got);
    const std::size_t placed = std::min(count, direct);
    connection.in_end += count - placed;
    received(connection, placed);
    return got;
}

// Reads and handles what has come, up to a budget. True if anything came.
bool Context::read(Connection& connection) {
    bool any = false;
    std::size_t budget = options::poll_budget;
    // What was left unparsed when reading was paused.
    if (connection.in_begin != connection.in_end) parse(connection);
    while (connection.phase != Phase::dead && !connection.paused &&
           connection.phase != Phase::parked) {
        std::size_t wanted = 0;
        const long got = receive(connection, wanted);
        if (connection.phase == Phase::dead) break;
        if (got == 0) {
            fail(connection, NA_HOSTUNREACH, "the peer closed the connection");
            break;
        }
        if (got < 0) {
            const int error = errno;
            if (error == EINTR) continue;
            if (connection.in_begin == connection.in_end) release_input(connection);
            if (error == EAGAIN || error == EWOULDBLOCK) break;
            const na_return_t code = code_of_errno(error);
            fail(connection, code == NA_NOMEM ? NA_NOMEM : NA_HOSTUNREACH, std::strerror(error));
            break;
        }
        any = true;
        const auto count = static_cast<std::size_t>(got);
        parse(connection);
        if (connection.phase == Phase::dead) break;
        // A short read emptied the socket; what comes later is a new edge.
        if (wanted != 0 && count < wanted && !connection.hang_up) break;
        if (count >= budget) {
            mark_ready(connection);
            break;
        }
        budget -= count;
    }
    if (connection.want_pump && connection.phase == Phase::established) {
        connection.want_pump = false;
        pump(connection);
    }
    return any;
}

void Context::parse(Connection& connection) {
    if (connection.phase == Phase::connecting || connection.phase == Phase::arriving) {
        if (!greeted(connection)) return;
    }
    if (connection.phase != Phase::established) return;
    const std::size_t awaited = connection.peer->users;
    connection.half = awaited < options::halves_min ? 0 : static_cast<unsigned>(awaited / 2);
    parse_frames(connection);
    if (connection.phase == Phase::dead) return;
    if (connection.in_begin == connection.in_end) {
        release_input(connection);
    } else if (connection.in_begin > 0) {
        std::memmove(connection.in, connection.in + connection.in_begin,
                     connection.in_end - connection.in_begin);
        connection.in_end -= connection.in_begin;
        connection.in_begin = 0;
    }
}

// Data of the present chunk that came through the buffer.
void Context::take_data(Connection& connection, const std::byte* from, std::size_t available) {
    Incoming& incoming = connection.incoming;
    const std::size_t part = std::min(available, incoming.remaining);
    if (incoming.region != nullptr && (!incoming.pinned || incoming.region->pin())) {
        incoming.region->copy_in(incoming.offset, from, part);
        if (incoming.pinned) incoming.region->unpin();
    } else if (incoming.region != nullptr) {
        send_end(connection, incoming.peer_op, NA_INVALID_ARG);
        if (connection.phase == Phase::dead) return;
        incoming.region.reset();
    }
    connection.in_begin += part;
    received(connection, part);
}

void Context::parse_frames(Connection& connection) {
    const FrameLimits limits{connection.max_unexpected, connection.max_expected};
    while (connection.in_begin < connection.in_end && !connection.paused) {
        const std::byte* at = connection.in + connection.in_begin;
        const std::size_t available = connection.in_end - connection.in_begin;
        if (connection.incoming.remaining > 0) {
            take_data(connection, at, available);
            if (connection.phase == Phase::dead) return;
            continue;
        }
        Frame frame;
        switch (decode_frame(std::span(at, available), limits, frame)) {
            case Parse::more:
                return;
            case Parse::malformed:
                fail(connection, NA_PROTOCOL_ERROR, "it sent bytes that are not a frame");
                return;
            case Parse::complete:
                break;
        }
        connection.in_begin += frame.header_size();
        if (frame.type <= FrameType::expected) {
            connection.in_begin += frame.payload_size;
            deliver(connection, frame, at + frame_header_size);
        } else {
            handle_rma(connection, frame);
        }
        if (connection.phase == Phase::dead) return;
    }
}

}  // namespace cinnabar::tcp
