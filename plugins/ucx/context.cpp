// SPDX-License-Identifier: BSD-3-Clause
// Life of a context: opening, closing, its peers, and what happens when a connection is lost.
#include "plugins/ucx/context.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "na/base/clock.hpp"
#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "na/base/random.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/event_key.hpp"

namespace cinnabar::ucx {

namespace {

Status watch(int epoll, int fd, std::uint32_t events, std::uint64_t key) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return NA_SUCCESS;
    return log_error(code_of_errno(errno), log_name, "epoll_ctl: {}", std::strerror(errno));
}

}  // namespace

Context::Context(Class& cls, std::uint8_t id) : cls_(cls), id_(id) {}

Context::~Context() {
    worker_.close();
    if (chunk_type_ != 0) ucp_dt_destroy(chunk_type_);
    if (self_ != nullptr) na::sdk::unref(*self_);
}

Status Context::open() {
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_)
        return log_error(code_of_errno(errno), log_name, "epoll_create1: {}", std::strerror(errno));
    CINNABAR_TRY(wake_.open());
    CINNABAR_TRY(watch(epoll_.get(), wake_.get(), EPOLLIN, wake_key));
    if (cls_.listening())
        CINNABAR_TRY(watch(epoll_.get(), cls_.listener(), EPOLLIN | EPOLLEXCLUSIVE, listener_key));
    CINNABAR_TRY(worker_.open(cls_.library()));
    CINNABAR_TRY(handle_messages());
    CINNABAR_TRY(open_transfers());
    if (cls_.blocking()) {
        const auto fd = worker_.event_fd();
        if (!fd.ok()) return fd.status();
        CINNABAR_TRY(watch(epoll_.get(), fd.value(), EPOLLIN, worker_key));
    }
    CINNABAR_TRY(cls_.self(self_));
    return cls_.add(*this);
}

Status Context::close() {
    if (posted_.load(std::memory_order_acquire) != 0) return NA_BUSY;
    while (!serial_.try_enter())
        std::this_thread::yield();
    cls_.remove(*this);
    take_inbox();
    send_batches();
    say_goodbye();
    linger();
    for (const Stashed& stashed : stash_)
        na::sdk::unref(*stashed.source);
    stash_.clear();
    settle();
    worker_.close();
    if (counts_.transfers + counts_.served > 0)
        log_debug(log_name, "transfers: {} in {} operations; of peers: {} in {} operations",
                  counts_.transfers, counts_.operations, counts_.served, counts_.served_operations);
    serial_.leave(this);
    return NA_SUCCESS;
}

// The last message of each connection, and a flush behind it.
void Context::say_goodbye() {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        Connection* connection = connections_[i].connection.get();
        if (connection == nullptr || !connection->usable() || !connection->used) continue;
        (void)submit(*connection, MessageType::goodbye, 0, nullptr);
        flush(*connection, nullptr);
    }
}

// Sends complete when their bytes are copied: those must still reach the peer, within reason.
void Context::linger() {
    const std::int64_t begun = coarse_now_ms();
    // A flush may wait for a peer that does not look; sends wait for one that takes nothing.
    const auto in_flight = [&] {
        const bool flushes = coarse_now_ms() < begun + options::linger_flush_ms;
        for (const ConnectionSlot& slot : connections_)
            if (const Connection* connection = slot.connection.get();
                connection != nullptr && connection->usable() &&
                (connection->sending > 0 || (flushes && connection->pieces > 0)))
                return true;
        return false;
    };
    while (in_flight() && coarse_now_ms() < begun + options::linger_ms)
        if (!worker_.progress()) std::this_thread::yield();
    for (std::size_t i = 0; i < connections_.size(); ++i)
        if (connections_[i].connection != nullptr) drop(*connections_[i].connection);
    const std::int64_t last = coarse_now_ms() + options::linger_ms;
    const auto closing = [&] {
        for (const Connection* dead = graveyard_.get(); dead != nullptr;
             dead = dead->next_dead.get())
            if (dead->closing) return true;
        return false;
    };
    do {
        bury();
        if (!worker_.progress()) std::this_thread::yield();
    } while (closing() && coarse_now_ms() < last);
}

Status Context::post(Op& op) {
    op.cancel.arm();
    op.state = OpState::submitted;
    op.peer = nullptr;
    posted_.fetch_add(1, std::memory_order_relaxed);
    serial_.run(
        this, op.submit,
        [&]() noexcept {
            start(op);
            settle();
        },
        [&]() noexcept {
            // The caller may give its address back before the thread inside sees this operation.
            if (op.address != nullptr) na::sdk::ref(*op.address);
            op.holds_address = op.address != nullptr;
            op.submit.run = [](void* context, na::sdk::Task& task) noexcept {
                auto* self = static_cast<Context*>(context);
                Op& submitted = *static_cast<Op::Submit&>(task).op;
                Address* held = submitted.holds_address ? submitted.address : nullptr;
                submitted.holds_address = false;
                self->start(submitted);
                self->settle();
                if (held != nullptr) na::sdk::unref(*held);
            };
        });
    return NA_SUCCESS;
}

// Only what comes before an operation is queued anywhere allocates.
void Context::start(Op& op) noexcept {
    if (op.cancel.asked()) {
        finish(op, NA_CANCELED);
        return;
    }
    try {
        dispatch(op);
    } catch (const std::exception& error) {
        log_warning(log_name, "an operation cannot start: {}", error.what());
        finish(op, NA_NOMEM);
    }
}

void Context::dispatch(Op& op) {
    switch (op.kind) {
        case OpKind::receive_unexpected:
        case OpKind::receive_expected:
            start_receive(op);
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

void Context::finish(Op& op, const na_completion& completion) {
    op.state = OpState::idle;
    if (Peer* peer = std::exchange(op.peer, nullptr); peer != nullptr && --peer->users == 0)
        loosen(*peer);
    if (op.is_rma()) {
        op.local.reset();
        op.registration.reset();
        op.remote.reset();
    }
    ++completions_;
    posted_.fetch_sub(1, std::memory_order_release);
    na::sdk::complete(op, completion);
}

void Context::finish(Op& op, na_return_t ret, std::size_t size) {
    finish(op, na_completion{ret, 0, size, nullptr, nullptr, false});
}

Peer* Context::peer_of(Address& address, std::uint8_t id) {
    if (last_peer_ != nullptr && last_peer_->address == &address && last_peer_->id == id)
        return last_peer_;
    std::unique_ptr<Peer>& entry = peers_[{&address, id}];
    if (entry == nullptr) {
        entry = std::make_unique<Peer>();
        entry->address = &address;
        entry->id = id;
        na::sdk::ref(address);
    }
    last_peer_ = entry.get();
    return entry.get();
}

void Context::name(Op& op, Peer& peer) noexcept {
    op.peer = &peer;
    ++peer.users;
}

void Context::loosen(Peer& peer) noexcept {
    if (peer.loose || peer.users != 0 || peer.connection != nullptr || peer.parked != nullptr)
        return;
    peer.loose = true;
    peer.next_loose = std::exchange(loose_peers_, &peer);
}

// Without a descriptor, it is a connection to this context itself.
Connection* Context::add_connection(FileDescriptor&& fd, Phase phase, bool dialing) {
    if (free_connections_.empty()) {
        connections_.emplace_back().generation = static_cast<std::uint32_t>(random_u64());
        // Room for all of them, so that a connection is marked and lost without allocating.
        const std::size_t most = connections_.capacity();
        for (std::vector<Connection*>* list : {&dirty_, &failed_, &work_, &gatherers_})
            list->reserve(most);
        free_connections_.reserve(most);
        free_connections_.push_back(static_cast<std::uint32_t>(connections_.size() - 1));
    }
    const std::uint32_t index = free_connections_.back();
    ConnectionSlot& slot = connections_[index];
    auto made = std::make_unique<Connection>();
    made->transfers = std::make_unique<Transfers>();
    made->fd = std::move(fd);
    made->phase = phase;
    made->dialing = dialing;
    made->slot = index;
    made->generation = slot.generation;
    made->max_unexpected = cls_.max_unexpected();
    made->max_expected = cls_.max_expected();
    if (made->fd &&
        !watch(epoll_.get(), made->fd.get(), EPOLLIN | EPOLLRDHUP | (dialing ? EPOLLOUT : 0u),
               connection_key(index, slot.generation))
             .ok())
        return nullptr;
    free_connections_.pop_back();
    slot.connection = std::move(made);
    if (phase != Phase::established) ++urgent_;
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

void Context::on_closed(void* request, ucs_status_t, void* user_data) {
    auto& connection = *static_cast<Connection*>(user_data);
    connection.closing = false;
    connection.context->graves_changed_ = true;
    ucp_request_free(request);
}

void Context::close_endpoint(Connection& connection, bool force) noexcept {
    if (connection.ep == nullptr) return;
    ucp_request_param_t params{};
    params.op_attr_mask =
        UCP_OP_ATTR_FIELD_FLAGS | UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA;
    params.flags = force ? static_cast<unsigned>(UCP_EP_CLOSE_FLAG_FORCE) : 0u;
    params.cb.send = on_closed;
    params.user_data = &connection;
    const ucs_status_ptr_t result =
        ucp_ep_close_nbx(std::exchange(connection.ep, nullptr), &params);
    connection.closing = UCS_PTR_IS_PTR(result);
    if (UCS_PTR_IS_ERR(result))
        log_debug(log_name, "closing an endpoint: {}", ucs_status_string(UCS_PTR_STATUS(result)));
}

// Takes the connection away without a word; its operations are the caller's concern, but for those
// that UCX holds and will give back.
void Context::drop(Connection& connection) {
    if (connection.phase == Phase::dead) return;
    if (connection.phase != Phase::established) --urgent_;
    if (connection.phase == Phase::leaving) --leaving_;
    connection.phase = Phase::dead;
    connection.fd.reset();
    greeters_.remove(connection);
    discard_keys(connection);
    forget_batch(connection);
    if (connection.stashed > 0)
        for (Stashed& stashed : stash_)
            if (stashed.connection == &connection) stashed.connection = nullptr;
    if (connection.in_dirty) std::erase(dirty_, &connection);
    if (connection.in_failed) std::erase(failed_, &connection);
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
    graves_changed_ = true;
    close_endpoint(connection, !connection.itself);
}

// Ends the messages that UCX has and may never give back.
void Context::abandon_messages(Connection& connection, na_return_t code) {
    Op* ended = nullptr;  // linked by next_waiting: finish() may lead to anything
    for (Flight* flight = connection.flights; flight != nullptr; flight = flight->next) {
        if (flight->op == nullptr || flight->op->is_rma()) continue;
        Op* op = std::exchange(flight->op, nullptr);
        flight->bytes = nullptr;
        op->next_waiting = std::exchange(ended, op);
    }
    while (Op* op = ended) {
        ended = op->next_waiting;
        finish(*op, code);
    }
}

void Context::fail_peer(Peer& peer, na_return_t code) {
    while (Op* op = peer.unexpected.pop())
        finish(*op, code);
    while (Op* op = peer.expected.pop())
        finish(*op, code);
    while (Op* op = peer.transfers.pop()) {
        op->queued = false;
        end_rma(*op, code);
    }
    while (auto* receive = expected_.take_any_of(&peer))
        finish(static_cast<Op&>(*receive), code);
    loosen(peer);
}

void Context::fail(Connection& connection, na_return_t code, const char* why) {
    if (connection.phase == Phase::dead) return;
    Peer* peer = connection.peer;
    const bool main = peer != nullptr && peer->connection == &connection;
    Connection* parked = main ? peer->parked : nullptr;
    const bool pending = main && peer->users > 0;
    if (code == NA_PROTOCOL_ERROR || (pending && parked == nullptr))
        log_warning(log_name, "{}: {}; the connection is closed", describe(connection), why);
    else
        log_debug(log_name, "{}: {}", describe(connection), why);
    connection.end_code = code;
    drop(connection);
    abandon_messages(connection, code);
    fail_transfers(connection, code);
    if (!main) return;
    if (parked != nullptr && parked->phase == Phase::parked)
        welcome(*parked);
    else
        fail_peer(*peer, code);
}

// Frees the connections that UCX has let go of.
void Context::bury() {
    graves_changed_ = false;
    std::unique_ptr<Connection>* link = &graveyard_;
    while (*link != nullptr) {
        Connection& dead = **link;
        if (dead.closing || dead.flights != nullptr) {
            link = &dead.next_dead;
        } else {
            *link = std::move(dead.next_dead);
        }
    }
}

void Context::settle() {
    if (graves_changed_) bury();
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

void Context::drop_keys(std::uint64_t memory) {
    MutexLock lock(inbox_mutex_);
    unused_memory_.push_back(memory);
    // Nobody waits for it: the next poll is soon enough.
    inbox_full_.store(true, std::memory_order_release);
}

void Context::take_inbox() noexcept {
    if (!inbox_full_.load(std::memory_order_acquire)) return;
    std::vector<Arrival> arrivals;
    std::vector<Address*> forgotten;
    std::vector<std::uint64_t> unused;
    {
        MutexLock lock(inbox_mutex_);
        inbox_full_.store(false, std::memory_order_relaxed);
        arrivals.swap(arrivals_);
        forgotten.swap(forgotten_);
        unused.swap(unused_memory_);
    }
    for (const std::uint64_t memory : unused)
        for (const ConnectionSlot& slot : connections_)
            if (slot.connection != nullptr) discard_keys(*slot.connection, memory);
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

}  // namespace cinnabar::ucx
