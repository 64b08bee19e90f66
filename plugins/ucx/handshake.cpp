// SPDX-License-Identifier: BSD-3-Clause
// How connections come to be: the first operation towards a peer connects a control socket, the
// greeting on it says who wants which context and brings UCX's address, the answer establishes. Of
// two attempts that cross, the one begun by the endpoint with the smaller name survives: that
// endpoint parks the other attempt until its own has succeeded or failed, the other endpoint
// abandons its own. No message is sent before a connection is established, so nothing is lost or
// doubled by abandoning one. Attempts are numbered, so that a late greeting of an abandoned attempt
// is told from a peer that lost its connection and comes again.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <tuple>

#include "na/base/log.hpp"
#include "na/sdk/socket.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/context.hpp"
#include "plugins/ucx/direct.hpp"
#include "plugins/ucx/event_key.hpp"

namespace cinnabar::ucx {

void Context::connect(Peer& peer) noexcept {
    try {
        if (peer.address->self && peer.id == id_)
            connect_self(peer);
        else if (peer.address->self)
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

// One connection is both ends: there is nobody to greet.
void Context::connect_self(Peer& peer) {
    Connection* connection = add_connection(FileDescriptor(), Phase::established, false);
    connection->tcp = false;
    connection->itself = true;
    connection->peer = &peer;
    peer.connection = connection;
    connection->remote_token = {connection->slot, connection->generation};
    connection->process = static_cast<std::uint32_t>(::getpid());
    connection->host = cls_.host_number();
    connection->proof_at = reinterpret_cast<std::uintptr_t>(&cls_.proof());
    connection->proof = cls_.proof();
    const auto address = worker_.address();
    connection->worker.assign(address.begin(), address.end());
    if (open_endpoint(*connection)) mark_dirty(*connection);
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

// To another context of this process: the same protocol over a socket pair, no network needed.
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
    if (!cls_.hand_over(peer.id, arrival)) {
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
    greeting.host = cls_.host_number();
    greeting.process = static_cast<std::uint32_t>(::getpid());
    greeting.proof_at = reinterpret_cast<std::uintptr_t>(&cls_.proof());
    greeting.proof = cls_.proof();
    greeting.max_unexpected = cls_.max_unexpected();
    greeting.max_expected = cls_.max_expected();
    greeting.token = {connection.slot, connection.generation};
    greeting.name = cls_.self_name();
    if (kind != GreetingKind::reject) greeting.worker = worker_.address();
    connection.out = encode_greeting(greeting);
    if (!connection.dialing) write_control(connection);
}

void Context::write_control(Connection& connection) noexcept {
    while (!connection.out.empty()) {
        const ssize_t written = ::send(connection.fd.get(), connection.out.data(),
                                       connection.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            // What the peer said before it went is read first, and ends with the loss.
            connection.out.clear();
            break;
        }
        if (written < 0) break;
        connection.out.erase(connection.out.begin(), connection.out.begin() + written);
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | (connection.out.empty() ? 0u : EPOLLOUT);
    event.data.u64 = connection_key(connection.slot, connection.generation);
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
}

void Context::read_control(Connection& connection) noexcept {
    std::array<std::byte, 4096> bytes;
    const ssize_t count = ::recv(connection.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (count <= 0) {
        hang_up(connection);
        return;
    }
    if (connection.phase == Phase::established) {
        fail(connection, NA_PROTOCOL_ERROR, "it greets twice");
        return;
    }
    try {
        connection.in.insert(connection.in.end(), bytes.begin(), bytes.begin() + count);
        if (connection.phase == Phase::parked || connection.in.size() > max_greeting_size)
            fail(connection, NA_PROTOCOL_ERROR, "it says too much");
        else
            take_greeting(connection);
    } catch (const std::exception& error) {
        fail(connection, NA_NOMEM, error.what());
    }
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
    connection->in = std::move(arrival.bytes);
    if (!connection->in.empty()) take_greeting(*connection);
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

void Context::take_greeting(Connection& connection) {
    Greeting greeting;
    std::size_t used = 0;
    switch (decode_greeting(connection.in, greeting, used)) {
        case Parse::more:
            return;
        case Parse::malformed:
            fail(connection, NA_PROTOCOL_ERROR, "what came is not a greeting");
            return;
        case Parse::complete:
            greeters_.remove(connection);
            break;
    }
    if (greeting.version != wire_version || used != connection.in.size()) {
        if (connection.phase == Phase::arriving)
            refuse(connection, NA_PROTOCOL_ERROR, "speaks another version of the protocol");
        else
            fail(connection, NA_PROTOCOL_ERROR, "speaks another version of the protocol");
        return;
    }
    if (connection.phase == Phase::connecting)
        answered(connection, greeting);
    else if (greeting.kind != GreetingKind::connect)
        fail(connection, NA_PROTOCOL_ERROR, "the greeting is an answer to nothing");
    else
        arrived(connection, greeting);
}

void Context::remember(Connection& connection, const Greeting& greeting) {
    connection.max_unexpected = std::min(connection.max_unexpected, greeting.max_unexpected);
    connection.max_expected = std::min(connection.max_expected, greeting.max_expected);
    connection.remote_token = greeting.token;
    connection.process = greeting.process;
    connection.host = greeting.host;
    connection.proof_at = greeting.proof_at;
    connection.proof = greeting.proof;
    connection.worker.assign(greeting.worker.begin(), greeting.worker.end());
    connection.attempt = greeting.attempt;
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
    remember(connection, greeting);
    Peer& peer = *connection.peer;
    peer.incarnation = greeting.incarnation;
    peer.void_attempt = greeting.attempt;
    // Its attempt is void by the rule above; it knows.
    if (peer.parked != nullptr) drop(*peer.parked);
    if (!open_endpoint(connection)) return;
    connection.in.clear();
    connection.phase = Phase::established;
    --urgent_;
    pump(connection);
}

Address* Context::address_of_greeting(const Connection& connection, const Greeting& greeting) {
    AddressTable& table = cls_.addresses();
    // Our own incarnation is no secret: only a socket pair shows that it is us.
    if (!connection.tcp) return table.intern(cls_.self_name(), connection.remote_ip, self_->port);
    const std::string& prefix = cls_.prefix();
    const auto nameless = [&] {
        const std::string name = fmt::format(
            "{}{}#{:016x}", prefix, connection.remote_ip.with_port(0), greeting.incarnation);
        return table.intern(name, connection.remote_ip, std::uint16_t{0});
    };
    if (!greeting.listening) return nameless();
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

// The last word to somebody who may not come in. A rejection fits into any socket's empty buffer.
void Context::refuse(Connection& connection, na_return_t code, const char* why) {
    log_warning(log_name, "{}: {}; refused", describe(connection), why);
    greet(connection, GreetingKind::reject, code, 0);
    if (connection.phase == Phase::dead) return;
    ::shutdown(connection.fd.get(), SHUT_WR);
    drop(connection);
}

void Context::arrived(Connection& connection, const Greeting& greeting) {
    if (greeting.target_id == id_) {
        if (join_peer(connection, greeting)) welcome(connection);
        return;
    }
    Arrival arrival{FileDescriptor(), connection.tcp, connection.remote_ip, connection.in};
    // The other context watches the socket from now on; here its events would wake for nothing.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
    arrival.fd = std::move(connection.fd);
    if (cls_.hand_over(greeting.target_id, arrival)) {
        drop(connection);
    } else {
        connection.fd = std::move(arrival.fd);
        refuse(connection, NA_ADDRNOTAVAIL, "it wants a context that does not exist");
    }
}

// Makes it a connection of its peer. False: it is not the one to use, for now or ever.
bool Context::join_peer(Connection& connection, const Greeting& greeting) {
    Address* address = address_of_greeting(connection, greeting);
    if (address == nullptr) {
        refuse(connection, NA_PROTOCOL_ERROR, "its name is not an address");
        return false;
    }
    const auto give_back = [](Address* held) { na::sdk::unref(*held); };
    const std::unique_ptr<Address, decltype(give_back)> held(address, give_back);
    Peer* peer = peer_of(*address, greeting.source_id);
    remember(connection, greeting);
    Connection* present = peer->connection;
    if (present != nullptr &&
        (present->phase == Phase::established || present->phase == Phase::leaving)) {
        if (greeting.incarnation == peer->incarnation && greeting.attempt <= peer->void_attempt) {
            drop(connection);
            return false;
        }
        // It is not the peer's yet: the peer may not be failed through it.
        fail(*present, NA_HOSTUNREACH, "it lost this connection and comes again");
        present = peer->connection;
    }
    connection.peer = peer;
    const bool ours_first =
        present != nullptr && std::tie(cls_.self_name(), id_) < std::tie(address->name, peer->id);
    if (present != nullptr && !ours_first) drop(*present);
    peer->incarnation = greeting.incarnation;
    if (!ours_first) return true;
    if (peer->parked != nullptr) drop(*peer->parked);
    connection.phase = Phase::parked;
    connection.in.clear();
    peer->parked = &connection;
    return false;
}

// Accepts a greeted connection as the one of its peer.
void Context::welcome(Connection& connection) {
    Peer& peer = *connection.peer;
    if (peer.parked == &connection) peer.parked = nullptr;
    peer.connection = &connection;
    peer.void_attempt = connection.attempt;
    if (!open_endpoint(connection)) return;
    connection.in.clear();
    connection.phase = Phase::established;
    --urgent_;
    greet(connection, GreetingKind::accept, NA_SUCCESS, peer.id);
    if (connection.phase == Phase::established) pump(connection);
}

bool Context::open_endpoint(Connection& connection) {
    EndpointRequest request;
    request.remote = connection.worker;
    request.itself = connection.itself;
    request.on_error = on_error;
    request.arg = &connection;
    connection.context = this;
    auto endpoint = create_endpoint(worker_, request);
    if (!endpoint.ok()) {
        fail(connection, NA_HOSTUNREACH, "UCX finds no way to it");
        return false;
    }
    connection.ep = endpoint->ep;
    connection.memory = endpoint->memory;
    connection.one_sided = endpoint->one_sided;
    connection.reads_peer = connection.peer_reads =
        connection.memory && connection.host == cls_.host_number() &&
        can_read(connection.process, connection.proof_at, connection.proof);
    connection.worker.clear();
    connection.worker.shrink_to_fit();
    log_debug(log_name, "{}: connected {}", describe(connection),
              connection.memory ? "through memory" : "over the network");
    return true;
}

// Called by UCX from its progress: only remembered.
void Context::on_error(void* arg, ucp_ep_h, ucs_status_t status) {
    auto& connection = *static_cast<Connection*>(arg);
    connection.ep_failed = true;
    connection.ep_status = status;
    if (connection.phase != Phase::dead) connection.context->mark_failed(connection);
}

}  // namespace cinnabar::ucx
