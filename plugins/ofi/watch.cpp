// SPDX-License-Identifier: BSD-3-Clause
// Peers that are lost without a word. Where the library has connections it tells of their end, and
// only a connection that does not come about is given up here. Where it has none, a peer that
// something waits for is sent a sign of life now and then, whose failure is the news; and where its
// address is a TCP listener, whether somebody listens there is asked when the library refuses.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"

namespace cinnabar::ofi {

bool Context::needs_looks() const noexcept {
    return connecting_ > 0 || !ending_.empty() || !graveyard_.empty() ||
           (!cls_.fabric().connected_kind() && named_ > 0);
}

void Context::look_around(std::int64_t now) noexcept {
    next_look_ms_ = now + options::keepalive_ms / 5;
    // An answer that nobody looked for is not missing: a process that gets no processor, or does
    // not poll, is not its peer's fault.
    const std::int64_t looked = std::min(now - last_look_ms_, options::keepalive_ms);
    last_look_ms_ = now;
    for (std::size_t i = 0; i < peers_.size(); ++i)
        if (peers_[i] != nullptr && peers_[i]->phase != Phase::idle)
            look_at(*peers_[i], now, looked);
    for (std::size_t i = 0; i < ending_.size();) {
        Op& op = *ending_[i];
        if (cls_.fabric().connected_kind() && now - op.ending_ms >= options::cancel_ms) {
            const std::size_t before = ending_.size();
            cut_off_ending(*op.peer);
            if (ending_.size() < before) continue;
        }
        const bool lost = op.link == 0 || op.link != op.peer->nonce;
        if (!lost || now - op.ending_ms < options::abandon_ms) {
            ++i;
            continue;
        }
        ending_.erase(ending_.begin() + static_cast<std::ptrdiff_t>(i));
        forget_pieces(op);
        finish(op, op.end_code);
    }
}

void Context::look_at(Peer& peer, std::int64_t now, std::int64_t looked) noexcept {
    if (cls_.fabric().connected_kind()) {
        Channel* channel = peer.out();
        if (channel == nullptr || channel->up) return;
        channel->waited_ms += looked;
        if (channel->waited_ms > options::patience_ms)
            fail(peer, NA_HOSTUNREACH, "it does not answer the connection request");
        return;
    }
    if (peer.refused) {
        if (now - peer.refused_ms < options::keepalive_ms) return;
        if (cls_.fabric().provider().probe)
            probe(peer, now);
        else if (now - peer.refused_ms > options::patience_ms)
            fail(peer, NA_HOSTUNREACH, "nothing can be sent to it");
        return;
    }
    peer.probe.reset();
    if (peer.users == 0 || now - peer.sent_ms < options::keepalive_ms) return;
    try {
        greet(peer, peer.phase == Phase::up ? Kind::ping : Kind::hello);
    } catch (const std::exception&) {
        // Next time.
    }
}

void Context::probe(Peer& peer, std::int64_t now) noexcept {
    const Raw& raw = peer.address->raw;
    if (raw.empty()) {
        if (now - peer.refused_ms > options::patience_ms)
            fail(peer, NA_HOSTUNREACH, "nothing can be sent to it");
        return;
    }
    if (!peer.probe) {
        sockaddr_storage storage{};
        std::memcpy(&storage, raw.data(), std::min(raw.size(), sizeof storage));
        peer.probe.reset(
            ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        peer.probe_ms = now;
        if (!peer.probe) return;
        if (::connect(peer.probe.get(), reinterpret_cast<const sockaddr*>(&storage),
                      static_cast<socklen_t>(raw.size())) == 0)
            return;
        if (errno != EINPROGRESS) {
            fail(peer, NA_HOSTUNREACH, std::strerror(errno));
            return;
        }
    }
    pollfd waiting{peer.probe.get(), POLLOUT, 0};
    if (::poll(&waiting, 1, 0) == 0) {
        if (now - peer.probe_ms > options::patience_ms)
            fail(peer, NA_HOSTUNREACH, "its host does not answer");
        return;
    }
    int error = 0;
    socklen_t size = sizeof error;
    (void)::getsockopt(peer.probe.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    // Somebody is there: ask again later.
    if (error == 0) {
        if (now - peer.probe_ms > options::patience_ms / 5) peer.probe.reset();
        return;
    }
    fail(peer, NA_HOSTUNREACH, std::strerror(error));
}

}  // namespace cinnabar::ofi
