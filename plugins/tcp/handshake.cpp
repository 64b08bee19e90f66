// SPDX-License-Identifier: BSD-3-Clause
// How connections come to be: the first operation towards a peer connects, the greeting says who
// wants which context, the answer establishes. Of two attempts that cross, the one begun by the
// endpoint with the smaller name survives: that endpoint parks the other attempt until its own has
// succeeded or failed, the other endpoint abandons its own. Nothing but greetings is written before
// a connection is established, so nothing is lost or doubled by abandoning one. Attempts are
// numbered, so that a late greeting of an abandoned attempt is told from a peer that lost its
// connection and comes again.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <tuple>

#include "na/base/log.hpp"
#include "na/sdk/socket.hpp"
#include "plugins/tcp/class.hpp"
#include "plugins/tcp/context.hpp"

namespace cinnabar::tcp {

void Context::connect(Peer& peer) noexcept {
    try {
        if (peer.address->self)
            connect_local(peer);
        else
            connect_remote(peer);
    } catch (const std::exception& error) {
        log_warning(log_name, "{}: cannot connect: {}", peer.address->name, error.what());
        if (peer.connection != nullptr)
            fail(*peer.connection, NA_NOMEM, error.what());
        else
            fail_peer(peer, NA_NOMEM);
    }
}

void Context::connect_remote(Peer& peer) {
    bool dialing = false;
    Result<FileDescriptor> fd = na::sdk::dial(peer.address->ip, peer.address->port, dialing);
    Connection* connection = nullptr;
    if (fd.ok()) connection = add_connection(std::move(*fd), Phase::connecting, dialing);
    if (connection == nullptr) {
        const na_return_t code = fd.ok() ? NA_AGAIN : fd.status().code();
        log_warning(log_name, "{}: cannot connect: {}", peer.address->name, std::strerror(errno));
        fail_peer(peer, code);
        return;
    }
    connection->peer = &peer;
    connection->remote_ip = peer.address->ip;
    peer.connection = connection;
    greet(*connection, GreetingKind::connect, NA_SUCCESS, peer.id);
}

// To a context of this process: the same protocol over a socket pair, no network needed.
void Context::connect_local(Peer& peer) {
    auto pair = na::sdk::socket_pair();
    if (!pair.ok()) {
        log_warning(log_name, "no socket pair to reach context {}: {}", peer.id,
                    std::strerror(errno));
        fail_peer(peer, pair.status().code());
        return;
    }
    Connection* connection = add_connection(std::move(pair->first), Phase::connecting, false);
    if (connection == nullptr) {
        fail_peer(peer, NA_AGAIN);
        return;
    }
    connection->tcp = false;
    connection->peer = &peer;
    connection->remote_ip = peer.address->ip;
    peer.connection = connection;
    Arrival arrival{std::move(pair->second), false, peer.address->ip, {}};
    if (peer.id == id_) {
        adopt(std::move(arrival));
    } else if (!cls_.hand_over(peer.id, arrival)) {
        fail(*connection, NA_ADDRNOTAVAIL, "no such context in this process");
        return;
    }
    greet(*connection, GreetingKind::connect, NA_SUCCESS, peer.id);
}

void Context::greet(Connection& connection, GreetingKind kind, na_return_t code,
                    std::uint8_t target) {
    Greeting greeting;
    greeting.kind = kind;
    greeting.source_id = id_;
    greeting.target_id = target;
    greeting.listening = cls_.listening();
    greeting.code = static_cast<std::uint8_t>(code);
    greeting.incarnation = cls_.incarnation();
    greeting.attempt = kind == GreetingKind::connect ? ++attempts_ : attempts_;
    greeting.max_unexpected = cls_.max_unexpected();
    greeting.max_expected = cls_.max_expected();
    greeting.name = cls_.self_name();
    std::byte* room = connection.out.reserve(max_greeting_size);
    if (room == nullptr) {
        fail(connection, NA_NOMEM, "out of memory");
        return;
    }
    connection.out.commit(encode_greeting(
        greeting, std::span<std::byte, max_greeting_size>(room, max_greeting_size)));
    if (!connection.dialing) pump(connection);
}

void Context::adopt(Arrival&& arrival) noexcept {
    try {
        begin_arrival(std::move(arrival));
    } catch (const std::exception& error) {
        log_warning(log_name, "{}: a connection is refused: {}", cls_.self_name(), error.what());
    }
}

void Context::begin_arrival(Arrival&& arrival) {
    Connection* connection = add_connection(std::move(arrival.fd), Phase::arriving, false);
    if (connection == nullptr) return;
    connection->tcp = arrival.tcp;
    connection->remote_ip = arrival.remote_ip;
    if (arrival.tcp) greeters_.add(*connection);
    mark_ready(*connection);
    if (arrival.bytes.empty()) return;
    connection->in = pool_.take();
    if (connection->in == nullptr) {
        fail(*connection, NA_NOMEM, "out of memory");
        return;
    }
    std::memcpy(connection->in, arrival.bytes.data(), arrival.bytes.size());
    connection->in_end = arrival.bytes.size();
    parse(*connection);
}

// Whoever connects and does not say who he is may not keep a socket of ours.
void Context::drop_silent() noexcept {
    while (Connection* silent = greeters_.overdue()) {
        log_warning(log_name, "{}: it connected and did not greet; refused", describe(*silent));
        drop(*silent);
    }
}

void Context::accept_all() {
    constexpr int batch = 64;
    for (int n = 0; n < batch; ++n) {
        drop_silent();
        if (greeters_.full()) return;
        Arrival arrival;
        arrival.fd = cls_.accept(arrival.remote_ip);
        if (!arrival.fd) return;
        adopt(std::move(arrival));
    }
}

// Handles a greeting at the start of the input. False: more bytes are needed, or the connection is
// gone or must wait.
bool Context::greeted(Connection& connection) noexcept {
    try {
        take_greeting(connection);
    } catch (const std::exception& error) {
        fail(connection, NA_NOMEM, error.what());
    }
    return connection.phase == Phase::established;
}

void Context::take_greeting(Connection& connection) {
    Greeting greeting;
    std::size_t used = 0;
    const std::span<const std::byte> bytes(connection.in + connection.in_begin,
                                           connection.in_end - connection.in_begin);
    switch (decode_greeting(bytes, greeting, used)) {
        case Parse::more:
            return;
        case Parse::malformed:
            fail(connection, NA_PROTOCOL_ERROR, "what came is not a greeting");
            return;
        case Parse::complete:
            greeters_.remove(connection);
            break;
    }
    if (greeting.version != wire_version) {
        if (connection.phase == Phase::arriving)
            refuse(connection, NA_PROTOCOL_ERROR, "speaks another version of the protocol");
        else
            fail(connection, NA_PROTOCOL_ERROR, "speaks another version of the protocol");
        return;
    }
    if (connection.phase == Phase::connecting) {
        connection.in_begin += used;
        answered(connection, greeting);
    } else if (greeting.kind != GreetingKind::connect) {
        fail(connection, NA_PROTOCOL_ERROR, "the greeting is an answer to nothing");
    } else {
        arrived(connection, greeting, used);
    }
}

void Context::answered(Connection& connection, const Greeting& greeting) {
    if (greeting.kind == GreetingKind::reject) {
        const auto code =
            greeting.code == 0 ? NA_HOSTUNREACH : static_cast<na_return_t>(greeting.code);
        fail(connection, code,
             code == NA_ADDRNOTAVAIL ? "it has no such context" : "it refused the connection");
        return;
    }
    if (greeting.kind != GreetingKind::accept) {
        fail(connection, NA_PROTOCOL_ERROR, "the answer is not a greeting's answer");
        return;
    }
    establish(connection, greeting);
    Connection* parked = connection.peer->parked;
    // Its attempt is void by the rule above; it knows.
    if (parked != nullptr) drop(*parked);
    connection.want_pump = true;
}

// From now on frames go both ways.
void Context::enter(Connection& connection) noexcept {
    connection.phase = Phase::established;
    if (!connection.tcp || !na::sdk::within_host(connection.fd.get())) return;
    connection.within_host = true;
    na::sdk::tune_within_host(connection.fd.get());
}

void Context::establish(Connection& connection, const Greeting& greeting) {
    enter(connection);
    connection.max_unexpected = std::min(connection.max_unexpected, greeting.max_unexpected);
    connection.max_expected = std::min(connection.max_expected, greeting.max_expected);
    if (connection.peer->connection != &connection) return;
    connection.peer->incarnation = greeting.incarnation;
    connection.peer->void_attempt = greeting.attempt;
}

Address* Context::address_of_greeting(const Connection& connection, const Greeting& greeting) {
    AddressTable& table = cls_.addresses();
    // Our own incarnation is no secret: only a socket pair shows that it is us.
    if (!connection.tcp) return table.intern(cls_.self_name(), connection.remote_ip, self_->port);
    const auto nameless = [&] {
        const std::string name = fmt::format("tcp://{}#{:016x}", connection.remote_ip.with_port(0),
                                             greeting.incarnation);
        return table.intern(name, connection.remote_ip, std::uint16_t{0});
    };
    if (!greeting.listening) return nameless();
    constexpr std::string_view prefix = "tcp://";
    if (!greeting.name.starts_with(prefix)) return nullptr;
    auto host = na::sdk::parse_host_part(greeting.name.substr(prefix.size()));
    if (!host.ok() || host->port == 0) return nullptr;
    auto ip = na::sdk::parse_ip(host->host);
    if (!ip.ok() || ip->is_wildcard() || greeting.name == cls_.self_name()) return nullptr;
    // Anybody can claim a name. One whose host it does not call from is served, but not taken for
    // the peer of that name.
    const na::sdk::IpAddress& remote = connection.remote_ip;
    // An IPv6 scope is each machine's own number.
    const bool calls_from_there = ip->family == remote.family && ip->bytes == remote.bytes;
    if (calls_from_there || (cls_.is_of_host(*ip) && cls_.is_of_host(remote)))
        return table.intern(greeting.name, *ip, host->port);
    log_debug(log_name, "{}: it calls itself {}", describe(connection), greeting.name);
    return nameless();
}

// The last word to somebody who may not come in. A greeting fits into any socket's empty buffer.
void Context::refuse(Connection& connection, na_return_t code, const char* why) {
    log_warning(log_name, "{}: {}; refused", describe(connection), why);
    connection.in_begin = connection.in_end;
    greet(connection, GreetingKind::reject, code, 0);
    if (connection.phase != Phase::dead) {
        ::shutdown(connection.fd.get(), SHUT_WR);
        drop(connection);
    }
}

void Context::arrived(Connection& connection, const Greeting& greeting, std::size_t used) {
    if (greeting.target_id != id_) {
        Arrival arrival{FileDescriptor(), connection.tcp, connection.remote_ip, {}};
        arrival.bytes.assign(connection.in + connection.in_begin,
                             connection.in + connection.in_end);
        // The other context watches the socket from now on; here its events would wake for nothing.
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
        arrival.fd = std::move(connection.fd);
        if (cls_.hand_over(greeting.target_id, arrival)) {
            drop(connection);
        } else {
            connection.fd = std::move(arrival.fd);
            refuse(connection, NA_ADDRNOTAVAIL, "it wants a context that does not exist");
        }
        return;
    }
    Address* address = address_of_greeting(connection, greeting);
    if (address == nullptr) {
        refuse(connection, NA_PROTOCOL_ERROR, "its name is not an address");
        return;
    }
    const auto give_back = [](Address* held) { na::sdk::unref(*held); };
    const std::unique_ptr<Address, decltype(give_back)> held(address, give_back);
    Peer* peer = &find_peer(*address, greeting.source_id);
    connection.peer = peer;
    connection.in_begin += used;
    connection.max_unexpected = std::min(connection.max_unexpected, greeting.max_unexpected);
    connection.max_expected = std::min(connection.max_expected, greeting.max_expected);
    const bool loop = !connection.tcp && greeting.source_id == id_;
    if (loop) {  // the other end of our own connection: it brings messages, nothing is sent on it
                 // first
        establish(connection, greeting);
        greet(connection, GreetingKind::accept, NA_SUCCESS, greeting.source_id);
        return;
    }
    connection.attempt = greeting.attempt;
    Connection* present = peer->connection;
    if (present != nullptr && present->phase == Phase::established) {
        if (greeting.incarnation == peer->incarnation && greeting.attempt <= peer->void_attempt) {
            drop(connection);
            return;
        }
        connection.peer =
            nullptr;  // it is not the peer's yet: the peer may not be failed through it
        fail(*present, NA_HOSTUNREACH, "it lost this connection and comes again");
        connection.peer = peer;
        present = peer->connection;
    }
    if (present != nullptr && std::tie(cls_.self_name(), id_) < std::tie(address->name, peer->id)) {
        if (peer->parked != nullptr) drop(*peer->parked);
        connection.phase = Phase::parked;
        peer->parked = &connection;
        peer->incarnation = greeting.incarnation;
        return;
    }
    if (present != nullptr) drop(*present);
    peer->incarnation = greeting.incarnation;
    welcome(connection);
}

// Accepts a greeted connection as the one of its peer.
void Context::welcome(Connection& connection) {
    Peer& peer = *connection.peer;
    if (peer.parked == &connection) peer.parked = nullptr;
    peer.connection = &connection;
    peer.void_attempt = connection.attempt;
    enter(connection);
    greet(connection, GreetingKind::accept, NA_SUCCESS, peer.id);
    if (connection.phase != Phase::established) return;
    mark_ready(connection);
    pump(connection);
}

}  // namespace cinnabar::tcp
