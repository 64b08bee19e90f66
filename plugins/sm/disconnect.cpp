// SPDX-License-Identifier: BSD-3-Clause
// Losing connections: a hang-up, a peer that misbehaves, a peer that the user gave up. Whatever
// waited for it ends, once; the next operation makes a fresh attempt.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "na/base/log.hpp"
#include "na/sdk/host.hpp"
#include "plugins/sm/context.hpp"

namespace cinnabar::sm {

// Something happened on the socket of a link.
void Context::on_socket(Link& link) noexcept {
    switch (link.state) {
        case LinkState::greeted:
            return on_answer(link);
        case LinkState::accepted:
            return on_greeting(link);
        case LinkState::established:
            break;
        default:
            return;
    }
    char byte = 0;
    const ssize_t got = ::recv(link.socket.get(), &byte, 1, MSG_DONTWAIT);
    if (got > 0) return lose(link, NA_PROTOCOL_ERROR, "it spoke on a socket that carries nothing");
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    on_hang_up(link);
}

// The peer is gone: what it sent before is still good.
void Context::on_hang_up(Link& link) noexcept {
    link.closing = true;
    if (std::exchange(link.paused, false) && paused_ > 0) --paused_;
    drain(link);
    lose(link, NA_HOSTUNREACH, nullptr);
}

void Context::lose(Link& link, na_return_t code, const char* why) noexcept {
    if (link.state == LinkState::dead) return;
    bury(link);
    const std::size_t ended = end_operations(link, code);
    const std::string_view name = link.peer != nullptr ? std::string_view(link.peer->name()) : "?";
    if (why != nullptr)
        log_warning(log_name,
                    "the connection with sm://{}, context {}, is closed: {}; {} operation(s) "
                    "end",
                    name, link.peer_id, why, ended);
    else if (ended > 0)
        log_warning(log_name, "sm://{}, context {}, is gone: {} operation(s) end", name,
                    link.peer_id, ended);
    else
        log_debug(log_name, "sm://{}, context {}, is gone", name, link.peer_id);
}

// Takes a link out of everything that knows it. Its memory stays until the next poll, for those who
// are in the middle of looking at it.
void Context::bury(Link& link) noexcept {
    if (link.state == LinkState::accepted) --greeters_;
    if (link.state != LinkState::established) --handshakes_;
    if (std::exchange(link.paused, false) && paused_ > 0) --paused_;
    unwatch(link);
    link.state = LinkState::dead;
    if (link.hot) std::erase(hot_, &link);
    if (link.attention) std::erase(attention_, &link);
    std::erase(retrying_, &link);
    std::unique_ptr<Link> dead = links_.remove(link);
    dead->next_dead = std::move(graveyard_);
    graveyard_ = std::move(dead);
}

void Context::unwatch(Link& link) noexcept {
    if (!link.socket) return;
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, link.socket.get(), nullptr);
    link.socket.reset();
}

std::size_t Context::end_operations(Link& link, na_return_t code) noexcept {
    std::size_t ended = 0;
    while (Op* op = link.queue.pop()) {
        finish(*op, code);
        ++ended;
    }
    for (Op* op = moving_.front(); op != nullptr;) {
        Op* next = op->queue_next;
        if (op->link == &link) {
            moving_.remove(*op);
            finish(*op, code);
            ++ended;
        }
        op = next;
    }
    ended += lose_remote(link, code);
    if (link.peer == nullptr) return ended;
    const void* key = link.peer->key(link.peer_id);
    while (na::sdk::PostedReceive* receive = expected_.take_any_of(key)) {
        finish(static_cast<Op&>(*receive), code);
        ++ended;
    }
    return ended;
}

void Context::clear_graveyard() noexcept {
    while (graveyard_ != nullptr) {
        std::unique_ptr<Link> dead = std::move(graveyard_);
        graveyard_ = std::move(dead->next_dead);
        if (dead->peer != nullptr) na::sdk::unref(*dead->peer);
    }
}

void Context::give_socket(FileDescriptor socket) {
    {
        MutexLock lock(news_mutex_);
        given_sockets_.push_back(std::move(socket));
    }
    has_news_.store(true, std::memory_order_release);
    event_.signal();
}

void Context::forget_peer(Address& peer) {
    {
        MutexLock lock(news_mutex_);
        forgotten_.push_back(&peer);
        na::sdk::ref(peer);
    }
    has_news_.store(true, std::memory_order_release);
    event_.signal();
}

void Context::take_news() noexcept {
    std::vector<FileDescriptor> sockets;
    std::vector<Address*> forgotten;
    {
        MutexLock lock(news_mutex_);
        sockets.swap(given_sockets_);
        forgotten.swap(forgotten_);
        has_news_.store(false, std::memory_order_relaxed);
    }
    for (Address* peer : forgotten) {
        forget(*peer);
        na::sdk::unref(*peer);
    }
    for (FileDescriptor& socket : sockets) {
        try {
            adopt_socket(std::move(socket));
        } catch (const std::bad_alloc&) {
            (void)log_error(NA_NOMEM, log_name, "no memory for a connection between contexts");
        }
    }
}

void Context::forget(const Address& peer) noexcept {
    links_.for_each([&](Link& link) {
        if (link.peer == &peer) lose(link, NA_HOSTUNREACH, nullptr);
    });
}

}  // namespace cinnabar::sm
