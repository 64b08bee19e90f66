// SPDX-License-Identifier: BSD-3-Clause
// Who is connected: calling, accepting, greeting, losing. There is one connection with a peer at a
// time; who calls while there is one is held until that ends, and then welcome. So a peer that has
// come back waits until the end of its life before has been read. When two call each other at the
// same moment, the lesser by name and number gives its own call up, on which nothing has been sent
// but a greeting, and the greater holds it until it sees that.
#include <sys/epoll.h>

#include <algorithm>
#include <string_view>

#include "na/base/log.hpp"
#include "na/sdk/framed/context.hpp"

namespace cinnabar::na::sdk::framed {

using State = Connection::State;

namespace {
constexpr int most_drained = 1024;  // frames; more than a link holds
constexpr int most_strangers = 64;  // who have connected and not greeted
}  // namespace

Connection* Context::add(std::unique_ptr<Link> link, State state) {
    Connection& connection = connections_.emplace_back(std::move(link), state);
    watch(connection, EPOLL_CTL_ADD);
    return &connection;
}

void Context::watch(Connection& connection, int operation) {
    epoll_event event{EPOLLRDHUP, {&connection}};
    if (!connection.paused) event.events |= EPOLLIN;
    if (connection.full) event.events |= EPOLLOUT;
    ::epoll_ctl(epoll_.get(), operation, connection.link->descriptor(), &event);
}

Peer* Context::find(Address& address, std::uint8_t id) {
    const auto found = peers_.find({&address, id});
    return found == peers_.end() ? nullptr : &found->second;
}

Peer& Context::add_peer(Address& address, std::uint8_t id, Connection& connection) {
    return peers_.try_emplace({&address, id}, address, id, connection).first->second;
}

// Connected, or being connected.
Result<Peer*> Context::peer_of(Address& address, std::uint8_t id) {
    if (Peer* peer = find(address, id)) return peer;
    Result<std::unique_ptr<Link>> link = port_->connect(address.name, id);
    if (!link.ok())
        return log_error(link.status().code(), cls_.subsystem(),
                         "{}, context {}: it cannot be connected to: code {}", address.name, id,
                         static_cast<int>(link.status().code()));
    Connection* connection = add(std::move(*link), State::calling);
    Peer& peer = add_peer(address, id, *connection);
    connection->peer = &peer;
    connection->owes_hello = true;
    return &peer;
}

void Context::accept_all() {
    for (;;) {
        Result<std::unique_ptr<Link>> link = port_->accept();
        if (!link.ok()) return;
        (void)add(std::move(*link), State::strange);
        dismiss_silent();
    }
}

// Whoever connects and does not say who he is may not keep a descriptor of ours.
void Context::dismiss_silent() {
    const auto is_strange = [](const Connection& each) { return each.state == State::strange; };
    const auto oldest = [&] {
        return std::find_if(connections_.begin(), connections_.end(), is_strange);
    };
    if (std::count_if(connections_.begin(), connections_.end(), is_strange) <= most_strangers)
        return;
    // Its greeting may have come meanwhile.
    Connection* const silent = &*oldest();
    handle(*silent, 0);
    if (const auto found = oldest(); found != connections_.end() && &*found == silent)
        (void)reject(*silent, "it has connected and does not greet");
}

Context::Next Context::greet(Connection& connection, const Frame& frame, Bytes name) {
    const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
    Address* caller = nullptr;
    if (frame.kind != Kind::greeting || !cls_.deserialize(text.data(), text.size(), caller).ok())
        return reject(connection, "its greeting is none");
    connection.caller = caller;
    connection.caller_id = frame.id;
    const auto theirs = std::pair(std::string_view(caller->name), frame.id);
    const auto ours = std::pair(std::string_view(cls_.net().name()), id_);
    Peer* peer = find(*caller, frame.id);
    if (peer != nullptr && peer->connection->state == State::calling && theirs != ours) {
        // Our own call may be over, and what waits for it is not meant for this life of the peer.
        (void)read(*peer->connection);
        peer = find(*caller, frame.id);
    }
    if (theirs == ours) {
        // The other end of the call to ourselves.
        if (peer == nullptr) return reject(connection, "it bears our name");
    } else if (peer != nullptr) {
        if (peer->connection->state != State::calling || ours > theirs) {
            connection.state = State::held;
            return Next::more;
        }
        remove(*std::exchange(peer->connection, &connection));
    }
    if (peer == nullptr) peer = &add_peer(*caller, frame.id, connection);
    open_for(connection, *peer);
    return Next::more;
}

void Context::open_for(Connection& connection, Peer& peer) {
    connection.peer = &peer;
    connection.state = State::open;
    connection.owes_hello = true;
}

Context::Next Context::reject(Connection& connection, const char* why) {
    const Address* who = connection.peer != nullptr ? &connection.peer->address : connection.caller;
    log_warning(cls_.subsystem(), "a connection of {} is closed: {}",
                who == nullptr ? "a stranger" : who->name, why);
    return lose(connection);
}

// A connection is over, and with it the life of its peer, if it has one.
Context::Next Context::lose(Connection& connection) {
    if (connection.peer != nullptr)
        end(*connection.peer);
    else
        remove(connection);
    return Next::lost;
}

// Loses a connection, but not what it has brought.
void Context::drain(Connection& connection) {
    connection.over = true;
    for (int i = 0; i < most_drained; ++i) {
        const Next next = read(connection);
        if (next == Next::lost) return;
        if (next == Next::nothing) break;
    }
    (void)lose(connection);
}

void Context::remove(Connection& connection) {
    // A forked child may hold the descriptor for a while, so closing it is not enough.
    watch(connection, EPOLL_CTL_DEL);
    for (Kept& kept : kept_)
        if (kept.connection == &connection) kept.connection = nullptr;
    connections_.remove_if([&](const Connection& each) { return &each == &connection; });
}

void Context::end(Peer& peer) {
    int ended = 0;
    const auto fail = [&](Op& op) {
        finish(op, NA_HOSTUNREACH);
        ++ended;
    };
    while (Op* op = peer.messages.pop())
        fail(*op);
    while (Op* op = peer.transfers.pop())
        fail(*op);
    while (PostedReceive* receive = expected_.take_any_of(&peer))
        fail(static_cast<Op&>(*receive));
    if (ended > 0)
        log_warning(cls_.subsystem(), "{}, context {}, is gone: {} operation(s) end with it",
                    peer.address.name, peer.id, ended);
    for (auto each = connections_.begin(); each != connections_.end();) {
        Connection& connection = *each++;
        if (connection.peer == &peer) remove(connection);
    }
    Address& address = peer.address;
    const std::uint8_t id = peer.id;
    ref(address);
    peers_.erase({&address, id});
    for (Connection& connection : connections_)
        if (connection.state == State::held && connection.caller == &address &&
            connection.caller_id == id) {
            open_for(connection, add_peer(address, id, connection));
            connection.full = true;  // the next poll sends the welcome
            watch(connection, EPOLL_CTL_MOD);
            break;
        }
    unref(address);
}

}  // namespace cinnabar::na::sdk::framed
