// SPDX-License-Identifier: BSD-3-Clause
// Making connections: lazily, without blocking, and one for a pair of contexts even if both begin
// at once. The connector makes the rings and greets; the acceptor answers; the rule for
// simultaneous greetings is that the connection of the lesser (name, context id) wins and the other
// side waits for it.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <tuple>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "na/sdk/host.hpp"
#include "plugins/sm/context.hpp"
#include "plugins/sm/cross_memory.hpp"

namespace cinnabar::sm {
namespace {

constexpr std::uint32_t eager_look_count = 20000;

const char* cause_of(na_return_t code) {
    switch (code) {
        case NA_HOSTUNREACH:
            return "nobody listens there";
        case NA_ADDRNOTAVAIL:
            return "it has no such context";
        case NA_PERMISSION:
            return "it belongs to another user";
        case NA_NOMEM:
            return "out of memory or descriptors";
        default:
            return "the connection failed";
    }
}

}  // namespace

Greeting Context::greeting(GreetingKind kind, const Link& link) const noexcept {
    Greeting hello;
    hello.kind = kind;
    hello.features = cls_.fences() ? feature_fences : 0;
    hello.incarnation = cls_.incarnation();
    hello.bell_bit = link.slot;
    hello.region_size = sizeof(Rings);
    hello.cross_memory = cls_.options().cross_memory ? 1 : 0;
    hello.target_id = link.peer_id;
    hello.sender_id = id_;
    hello.listening = listener_ ? 1 : 0;
    hello.max_unexpected = static_cast<std::uint32_t>(cls_.options().max_unexpected);
    hello.max_expected = static_cast<std::uint32_t>(cls_.options().max_expected);
    hello.probe_address = reinterpret_cast<std::uintptr_t>(cls_.probe());
    hello.probe_value = cls_.incarnation();
    hello.set_sender(identity_);
    return hello;
}

void Context::handshake_begins() noexcept {
    ++handshakes_;
    eager_looks_ = eager_look_count;
}

// The link to a peer, being made; nullptr with the cause if that failed at once.
Link* Context::connect(Address& peer, std::uint8_t peer_id, na_return_t& code) noexcept {
    Link* link = nullptr;
    try {
        auto made = std::make_unique<Link>();
        made->peer_id = peer_id;
        link = &links_.add(std::move(made));
    } catch (const std::bad_alloc&) {
        code = log_error(NA_NOMEM, log_name, "no memory for a connection to sm://{}", peer.name())
                   .code();
        return nullptr;
    }
    link->peer = &peer;
    na::sdk::ref(peer);
    handshake_begins();
    code = try_to_begin(*link);
    if (code == NA_SUCCESS) return link;
    log_warning(log_name, "cannot connect to sm://{}, context {}: {}", peer.name(), peer_id,
                cause_of(code));
    lose(*link, code, nullptr);
    return nullptr;
}

// Success too if it is to be tried again.
na_return_t Context::try_to_begin(Link& link) noexcept {
    try {
        links_.name(link);
        const na_return_t code = begin(link).code();
        if (code != NA_AGAIN) return code;
        retrying_.push_back(&link);
        // Whoever sleeps must come and retry.
        if (sleeping_) event_.signal();
        return NA_SUCCESS;
    } catch (const std::bad_alloc&) {
        return NA_NOMEM;
    }
}

// A socket whose other end the peer's context will get.
Result<FileDescriptor> Context::reach(const Link& link) {
    if (!link.peer->self()) return connect_to(link.peer->name(), link.peer_id);
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return NA_NOMEM;
    FileDescriptor mine(pair[0]);
    CINNABAR_TRY(cls_.hand_over(link.peer_id, FileDescriptor(pair[1])));
    return mine;
}

Status Context::begin(Link& link) {
    Result<FileDescriptor> socket = reach(link);
    if (!socket.ok()) return socket.status();
    Result<Credentials> peer = check_credentials(socket->get());
    if (!peer.ok()) return peer.status();
    FileDescriptor rings;
    Result<Region> region = Region::create("cinnabar-rings", sizeof(Rings), rings);
    if (!region.ok()) return region.status();
    link.region = std::move(*region);
    link.socket = std::move(*socket);
    link.pid = peer->pid;
    const int fds[] = {rings.get(), bell_fd_.get(), event_.get()};
    CINNABAR_TRY(send_greeting(link.socket.get(), greeting(GreetingKind::connect, link), fds, 3));
    link.state = LinkState::greeted;
    return watch(link);
}

void Context::retry_connects() noexcept {
    for (std::size_t i = 0; i < retrying_.size();) {
        Link& link = *retrying_[i];
        na_return_t code = NA_NOMEM;
        try {
            code = begin(link).code();
        } catch (const std::bad_alloc&) {
        }
        if (code == NA_AGAIN) {
            ++i;
            continue;
        }
        retrying_.erase(retrying_.begin() + static_cast<std::ptrdiff_t>(i));
        if (code == NA_SUCCESS) continue;
        log_warning(log_name, "cannot connect to sm://{}, context {}: {}", link.peer->name(),
                    link.peer_id, cause_of(code));
        lose(link, code, nullptr);
    }
}

Status Context::watch(Link& link) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = link.watch;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, link.socket.get(), &event) == 0) return NA_SUCCESS;
    return log_error(code_of_errno(errno), log_name, "epoll_ctl: {}", std::strerror(errno));
}

void Context::accept_all() noexcept {
    for (int i = 0; i < 64; ++i) {
        Result<FileDescriptor> socket = accept_from(listener_.get());
        if (!socket.ok()) return;
        try {
            adopt_socket(std::move(*socket));
        } catch (const std::bad_alloc&) {
            (void)log_error(NA_NOMEM, log_name, "no memory for an incoming connection");
        }
    }
}

// Begins to listen to a socket at whose other end is somebody unknown.
void Context::adopt_socket(FileDescriptor socket) {
    Result<Credentials> peer = check_credentials(socket.get());
    if (!peer.ok()) {
        log_warning(log_name, "a connection to sm://{} is refused: it comes from another user",
                    identity_);
        return;
    }
    if (greeters_ >= max_greeters) {
        log_warning(log_name,
                    "a connection from process {} is refused: {} others have not said who "
                    "they are",
                    peer->pid, greeters_);
        return;
    }
    auto made = std::make_unique<Link>();
    made->state = LinkState::accepted;
    made->socket = std::move(socket);
    made->pid = peer->pid;
    Link& link = links_.add(std::move(made));
    handshake_begins();
    ++greeters_;
    if (!watch(link).ok()) return bury(link);
    on_greeting(link);
}

void Context::refuse(Link& link, GreetingKind kind, na_return_t code) noexcept {
    Greeting answer = greeting(kind, link);
    answer.code = static_cast<std::uint32_t>(code);
    // If it cannot be told, the hang-up tells it.
    (void)send_greeting(link.socket.get(), answer, nullptr, 0);
    bury(link);
}

// The first packet on an accepted socket.
void Context::on_greeting(Link& link) noexcept {
    Greeting hello;
    GreetingFds fds;
    const Status got = receive_greeting(link.socket.get(), hello, fds);
    if (got.code() == NA_AGAIN) return;
    if (got.code() == NA_HOSTUNREACH) return bury(link);
    if (!got.ok() || hello.kind != GreetingKind::connect || !valid_name(hello.sender())) {
        log_warning(log_name,
                    "a connection from process {} is refused: not a greeting of this version",
                    link.pid);
        return refuse(link, GreetingKind::refuse, NA_PROTOCOL_ERROR);
    }
    if (hello.target_id != id_) return refuse(link, GreetingKind::refuse, NA_ADDRNOTAVAIL);
    Result<Region> region = hello.region_size == sizeof(Rings)
                                ? Region::adopt(fds[0].get(), sizeof(Rings))
                                : Result<Region>(NA_PROTOCOL_ERROR);
    if (!region.ok() || !map_bell(link, hello, std::move(fds[1]), std::move(fds[2])).ok()) {
        log_warning(log_name, "a connection from sm://{} is refused: its memory cannot be used",
                    hello.sender());
        return refuse(link, GreetingKind::refuse, NA_PROTOCOL_ERROR);
    }
    link.region = std::move(*region);
    link.peer_id = hello.sender_id;
    try {
        link.peer = cls_.intern(hello.sender());
        if (link.peer == nullptr) throw std::bad_alloc();
        if (!settle_name(link, hello)) return;
    } catch (const std::bad_alloc&) {
        // It may have taken over what waits for the peer.
        return lose(link, NA_NOMEM, "out of memory");
    }
    Rings& rings = link.region.as<Rings>();
    link.in = RingConsumer(rings.from_connector);
    link.out = RingProducer(rings.from_acceptor);
    const int answer_fds[] = {bell_fd_.get(), event_.get()};
    if (!send_greeting(link.socket.get(), greeting(GreetingKind::accept, link), answer_fds, 2).ok())
        return lose(link, NA_HOSTUNREACH, nullptr);
    --greeters_;
    establish(link, hello);
}

// Decides between this connection and another one with the same context of the same peer. True:
// this one is it. False: it was refused, or had ended already.
bool Context::settle_name(Link& link, const Greeting& hello) {
    Link* older = links_.find(*link.peer, link.peer_id);
    if (older == nullptr) {
        links_.name(link);
        return true;
    }
    // A peer that gave its own attempt up in favour of ours has closed it before it answered.
    if (hung_up(link.socket.get())) {
        if (older->state == LinkState::waiting) lose(*older, NA_HOSTUNREACH, nullptr);
        bury(link);
        return false;
    }
    if (older->state == LinkState::greeted &&
        std::make_tuple(std::string_view(identity_), id_) <
            std::make_tuple(hello.sender(), hello.sender_id)) {
        refuse(link, GreetingKind::simultaneous, NA_SUCCESS);
        return false;
    }
    if (older->state == LinkState::established)
        on_hang_up(*older);  // the peer has given it up, or is a new process of the same name
    else
        take_over(link, *older);
    // Ending the older one may have run operations that connected anew.
    if (Link* again = links_.find(*link.peer, link.peer_id); again != nullptr)
        take_over(link, *again);
    links_.name(link);
    return true;
}

// What waits for the older connection, which was never established, will go through this one.
void Context::take_over(Link& link, Link& older) noexcept {
    while (Op* op = older.queue.pop()) {
        op->link = &link;
        link.queue.push(*op);
    }
    bury(older);
}

Status Context::map_bell(Link& link, const Greeting& hello, FileDescriptor page,
                         FileDescriptor event) noexcept {
    if (!event) return NA_PROTOCOL_ERROR;
    Result<Region> region = Region::adopt(page.get(), doorbell_size);
    if (!region.ok()) return region.status();
    link.bell_region = std::move(*region);
    link.bell_fd = std::move(event);
    link.bell_bit = hello.bell_bit % bell_bits;
    return NA_SUCCESS;
}

void Context::establish(Link& link, const Greeting& hello) noexcept {
    --handshakes_;
    link.state = LinkState::established;
    link.incarnation = hello.incarnation;
    link.max_unexpected = hello.max_unexpected;
    link.max_expected = hello.max_expected;
    link.fence = !cls_.fences() || (hello.features & feature_fences) == 0;
    link.cross_memory = cls_.options().cross_memory && hello.cross_memory != 0 &&
                        cross_probe(link.pid, hello.probe_address, hello.probe_value);
    log_debug(log_name, "connected with sm://{}, context {}", link.peer->name(), link.peer_id);
    flush(link);
    attend(link);
}

// The answer to our greeting.
void Context::on_answer(Link& link) noexcept {
    Greeting hello;
    GreetingFds fds;
    const Status got = receive_greeting(link.socket.get(), hello, fds);
    if (got.code() == NA_AGAIN) return;
    if (got.code() == NA_HOSTUNREACH) return lose(link, NA_HOSTUNREACH, nullptr);
    if (!got.ok()) return lose(link, NA_PROTOCOL_ERROR, "its answer is not a greeting");
    switch (hello.kind) {
        case GreetingKind::accept:
            break;
        case GreetingKind::simultaneous:
            unwatch(link);
            link.state = LinkState::waiting;
            return;
        case GreetingKind::refuse:
            return lose(link, hello.code == NA_ADDRNOTAVAIL ? NA_ADDRNOTAVAIL : NA_PROTOCOL_ERROR,
                        "it refused the connection");
        default:
            return lose(link, NA_PROTOCOL_ERROR, "its answer is not one");
    }
    if (!map_bell(link, hello, std::move(fds[0]), std::move(fds[1])).ok())
        return lose(link, NA_PROTOCOL_ERROR, "its memory cannot be used");
    Rings& rings = link.region.as<Rings>();
    link.out = RingProducer(rings.from_connector);
    link.in = RingConsumer(rings.from_acceptor);
    establish(link, hello);
}

}  // namespace cinnabar::sm
