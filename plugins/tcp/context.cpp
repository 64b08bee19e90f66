// SPDX-License-Identifier: BSD-3-Clause
// Life of a context: opening, closing, its peers, and what happens when a connection is lost.
#include "plugins/tcp/context.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "plugins/tcp/class.hpp"
#include "plugins/tcp/event_key.hpp"
#include "plugins/tcp/hot.hpp"

namespace cinnabar::tcp {

namespace {

std::size_t input_buffer_size(const Class& cls) {
    const std::size_t message = std::max(cls.max_unexpected(), cls.max_expected());
    return std::max(options::buffer_size, (message + frame_header_size + 4095) / 4096 * 4096);
}

Status watch(int epoll, int fd, std::uint32_t events, std::uint64_t key) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return NA_SUCCESS;
    return log_error(code_of_errno(errno), log_name, "epoll_ctl: {}", std::strerror(errno));
}

}  // namespace

Context::Context(Class& cls, std::uint8_t id) : cls_(cls), id_(id), pool_(input_buffer_size(cls)) {}

Context::~Context() {
    if (self_ != nullptr) na::sdk::unref(*self_);
}

Status Context::open() {
    (void)lender_.open();  // at once, so that a context has its descriptors from the beginning
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_)
        return log_error(code_of_errno(errno), log_name, "epoll_create1: {}", std::strerror(errno));
    CINNABAR_TRY(wake_.open());
    CINNABAR_TRY(watch(epoll_.get(), wake_.get(), EPOLLIN, wake_key));
    if (cls_.listening())
        CINNABAR_TRY(watch(epoll_.get(), cls_.listener(), EPOLLIN | EPOLLEXCLUSIVE, listener_key));
    CINNABAR_TRY(cls_.self(self_));
    return cls_.add(*this);
}

Status Context::close() {
    while (!serial_.try_enter())
        std::this_thread::yield();
    if (completions_ != started_) {
        serial_.leave(this);
        return NA_BUSY;
    }
    cls_.remove(*this);
    take_inbox();
    linger();
    for (std::size_t i = 0; i < connections_.size(); ++i)
        if (connections_[i].connection != nullptr) drop(*connections_[i].connection);
    for (const Stashed& stashed : stash_)
        na::sdk::unref(*stashed.source);
    stash_.clear();
    settle();
    serial_.leave(this);
    return NA_SUCCESS;
}

// Sends complete when their bytes are copied: those must still reach the kernel, within reason.
void Context::linger() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        Connection* connection = connections_[i].connection.get();
        while (connection != nullptr && connection->phase == Phase::established &&
               !connection->out.empty() && std::chrono::steady_clock::now() < deadline) {
            pump(*connection);
            if (connection->phase != Phase::established || connection->out.empty()) break;
            pollfd waiting{connection->fd.get(), POLLOUT, 0};
            (void)::poll(&waiting, 1, 100);
            connection->blocked = false;
        }
    }
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        Connection* connection = connections_[i].connection.get();
        if (connection == nullptr || connection->phase != Phase::established) continue;
        // Unread bytes would turn the close into a reset, which may overtake what was written.
        ::shutdown(connection->fd.get(), SHUT_WR);
        std::array<std::byte, 4096> scratch;
        for (int n = 0; n < 64; ++n)
            if (::recv(connection->fd.get(), scratch.data(), scratch.size(), MSG_DONTWAIT) <= 0)
                break;
    }
}

// The op is posted while a thread is inside, who will start it.
void Context::leave_to_inside(Op& op) noexcept {
    // The caller may give its address back before the thread inside sees this operation.
    if (op.address != nullptr) na::sdk::ref(*op.address);
    op.holds_address = op.address != nullptr;
    op.submit.run = [](void* context, na::sdk::Task& task) noexcept {
        auto* self = static_cast<Context*>(context);
        Op& submitted = *static_cast<Op::Submit&>(task).op;
        Address* held = submitted.holds_address ? submitted.address : nullptr;
        submitted.holds_address = false;
        self->start(submitted, [self](Op& begun) { self->dispatch(begun); });
        self->settle();
        if (held != nullptr) na::sdk::unref(*held);
    };
}

void Context::refuse_start(Op& op, const char* why) noexcept {
    log_warning(log_name, "an operation cannot start: {}", why);
    finish(op, NA_NOMEM);
}

void Context::dispatch(Op& op) {
    switch (op.kind) {
        case OpKind::receive_unexpected:
            start_unexpected(op);
            break;
        case OpKind::receive_expected:
            start_expected(op);
            break;
        case OpKind::send_unexpected:
        case OpKind::send_expected:
            start_send(op);
            break;
        case OpKind::put:
        case OpKind::get:
            start_rma(op);
            break;
    }
}

Peer& Context::find_peer(Address& address, std::uint8_t id) {
    std::unique_ptr<Peer>& entry = peers_[{&address, id}];
    if (entry == nullptr) {
        entry = std::make_unique<Peer>();
        entry->address = &address;
        entry->id = id;
        na::sdk::ref(address);
    }
    last_peer_ = entry.get();
    return *last_peer_;
}

void Context::loosen(Peer& peer) noexcept {
    if (peer.loose || peer.users != 0 || peer.connection != nullptr || peer.parked != nullptr)
        return;
    peer.loose = true;
    peer.next_loose = std::exchange(loose_peers_, &peer);
}

Connection* Context::add_connection(FileDescriptor&& fd, Phase phase, bool dialing) {
    if (free_connections_.empty()) {
        connections_.emplace_back();
        // Room for all of them, so that a connection is marked and lost without allocating.
        const std::size_t most = connections_.capacity();
        for (std::vector<Connection*>* list : {&dirty_, &ready_, &work_})
            list->reserve(most);
        free_connections_.reserve(most);
        free_connections_.push_back(static_cast<std::uint32_t>(connections_.size() - 1));
    }
    const std::uint32_t index = free_connections_.back();
    ConnectionSlot& slot = connections_[index];
    auto made = std::make_unique<Connection>(pool_, lender_);
    made->fd = std::move(fd);
    made->phase = phase;
    made->dialing = made->blocked = dialing;
    made->slot = index;
    made->max_unexpected = cls_.max_unexpected();
    made->max_expected = cls_.max_expected();
    // Edge-triggered, once and for all: no call changes the interest afterwards. What an edge
    // promised and was not yet read is remembered in ready_ and `blocked`.
    if (!watch(epoll_.get(), made->fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
               connection_key(index, slot.generation))
             .ok())
        return nullptr;
    free_connections_.pop_back();
    slot.connection = std::move(made);
    return slot.connection.get();
}

std::string Context::describe(const Connection& connection) const noexcept {
    try {
        if (connection.peer != nullptr)
            return fmt::format("{} context {}", connection.peer->address->name,
                               connection.peer->id);
        return connection.tcp ? connection.remote_ip.to_string() : std::string("this process");
    } catch (const std::exception&) {
        return {};
    }
}

// Takes the connection away without a word; its operations are the caller's concern.
void Context::drop(Connection& connection) {
    if (connection.phase == Phase::dead) return;
    connection.phase = Phase::dead;
    connection.fd.reset();
    greeters_.remove(connection);
    release_input(connection);
    connection.out.clear();
    connection.streams.clear();
    if (connection.stashed > 0)
        for (Stashed& stashed : stash_)
            if (stashed.connection == &connection) stashed.connection = nullptr;
    if (hot_ == &connection) hot_ = nullptr;
    if (connection.in_dirty) std::erase(dirty_, &connection);
    if (connection.in_ready) std::erase(ready_, &connection);
    if (Peer* peer = connection.peer; peer != nullptr) {
        if (peer->connection == &connection) peer->connection = nullptr;
        if (peer->parked == &connection) peer->parked = nullptr;
        loosen(*peer);
    }
    ConnectionSlot& slot = connections_[connection.slot];
    ++slot.generation;
    free_connections_.push_back(connection.slot);
    connection.next_dead = std::move(graveyard_);
    graveyard_ = std::move(slot.connection);
}

// Ends what was begun on a connection: the message being written and RMA in flight.
void Context::end_transfers(Connection& connection, na_return_t code) {
    if (connection.out.has_payload()) {
        const Payload payload = connection.out.take_payload();
        if (payload.op != nullptr && payload.op->state == OpState::writing)
            finish(*payload.op, code);
        else if (payload.op != nullptr)
            payload.op->payload_active = false;
    }
    connection.incoming = Incoming{};
    if (connection.rma_in_flight == 0) return;
    for (std::size_t i = 0; i < rma_slots_.size(); ++i)
        if (Op* op = rma_slots_[i].op; op != nullptr && op->connection == &connection)
            end_rma(*op, op->ending ? op->end_code : code);
}

void Context::fail_peer(Peer& peer, na_return_t code) {
    while (Op* op = peer.messages.pop())
        finish(*op, code);
    while (Op* op = peer.transfers.pop())
        finish(*op, code);
    while (auto* receive = expected_.take_any_of(&peer))
        finish(static_cast<Op&>(*receive), code);
    loosen(peer);
}

void Context::fail(Connection& connection, na_return_t code, const char* why) {
    if (connection.phase == Phase::dead) return;
    Peer* peer = connection.peer;
    const bool main = peer != nullptr && peer->connection == &connection;
    Connection* parked = main ? peer->parked : nullptr;
    const bool pending =
        connection.out.has_payload() || connection.rma_in_flight > 0 || (main && peer->users > 0);
    if (code == NA_PROTOCOL_ERROR || (pending && parked == nullptr))
        log_warning(log_name, "{}: {}; the connection is closed", describe(connection), why);
    else
        log_debug(log_name, "{}: {}", describe(connection), why);
    end_transfers(connection, code);
    drop(connection);
    if (!main) return;
    if (parked != nullptr && parked->phase == Phase::parked)
        welcome(*parked);
    else
        fail_peer(*peer, code);
}

void Context::bury() noexcept {
    while (graveyard_ != nullptr)
        graveyard_ = std::unique_ptr<Connection>(std::move(graveyard_->next_dead));
    while (Peer* peer = loose_peers_) {
        loose_peers_ = peer->next_loose;
        peer->loose = false;
        if (peer->users != 0 || peer->connection != nullptr || peer->parked != nullptr) continue;
        if (last_peer_ == peer) last_peer_ = nullptr;
        Address* address = peer->address;
        peers_.erase({address, peer->id});
        na::sdk::unref(*address);
    }
}

void Context::hand_over(Arrival&& arrival) {
    MutexLock lock(inbox_mutex_);
    arrivals_.push_back(std::move(arrival));
    inbox_full_.store(true, std::memory_order_release);
    wake();
}

void Context::forget(Address& address) {
    MutexLock lock(inbox_mutex_);
    forgotten_.push_back(&address);
    na::sdk::ref(address);
    inbox_full_.store(true, std::memory_order_release);
    wake();
}

void Context::take_inbox() noexcept {
    if (!inbox_full_.load(std::memory_order_acquire)) return;
    std::vector<Arrival> arrivals;
    std::vector<Address*> forgotten;
    {
        MutexLock lock(inbox_mutex_);
        inbox_full_.store(false, std::memory_order_relaxed);
        arrivals.swap(arrivals_);
        forgotten.swap(forgotten_);
    }
    for (Address* address : forgotten) {
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            Connection* connection = connections_[i].connection.get();
            if (connection != nullptr && connection->peer != nullptr &&
                connection->peer->address == address)
                fail(*connection, NA_HOSTUNREACH, "the address was removed");
        }
        na::sdk::unref(*address);
    }
    for (Arrival& arrival : arrivals)
        adopt(std::move(arrival));
}

}  // namespace cinnabar::tcp
