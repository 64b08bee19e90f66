// SPDX-License-Identifier: BSD-3-Clause
// A context at work: connections, messages, transfers, polling, cancelling.
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "local.hpp"
#include "na/base/errno_code.hpp"

namespace local {

using cinnabar::code_of_errno;
using cinnabar::log_debug;
using cinnabar::log_error;
using cinnabar::log_warning;

namespace {

std::string suffix_of(std::uint8_t id) {
    return fmt::format("/{}", id);
}

// The process at the other end, or -1 if it belongs to another user.
pid_t owner_of(const FileDescriptor& socket) {
    ucred owner{};
    socklen_t size = sizeof owner;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &owner, &size) != 0) return -1;
    return owner.uid == ::geteuid() ? owner.pid : -1;
}

// 0, or what errno says.
int transmit(const FileDescriptor& socket, Header header, const void* bytes, std::size_t size) {
    std::array<iovec, 2> parts{{{&header, sizeof header}, {const_cast<void*>(bytes), size}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(socket.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? errno : 0;
}

}  // namespace

void OpList::push(Op& op) {
    op.next_op = nullptr;
    (first_ == nullptr ? first_ : last_->next_op) = &op;
    last_ = &op;
}

Op* OpList::pop() {
    Op* op = first_;
    if (op != nullptr) first_ = op->next_op;
    return op;
}

void OpList::remove(Op& op) {
    OpList rest;
    while (Op* each = pop())
        if (each != &op) rest.push(*each);
    *this = rest;
}

// --- opening and closing

Status Context::open() {
    CINNABAR_TRY(event_.open());
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    listener_.socket = open_socket(::bind, cls_.name, suffix_of(id_));
    if (!epoll_ || !listener_.socket || ::listen(listener_.socket.get(), SOMAXCONN) != 0) {
        const int error = errno;
        return log_error(code_of_errno(error), subsystem, "{}, context {}: {}", cls_.name, id_,
                         std::strerror(error));
    }
    buffer_.resize(largest_message);
    watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
    epoll_event event{EPOLLIN, {&wake_}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event);
    return {};
}

Status Context::close() {
    const std::lock_guard lock(mutex_);
    if (posted_ == 0) return {};
    log_warning(subsystem, "context {} is not closed: {} operation(s) are posted", id_, posted_);
    return NA_BUSY;
}

void Context::watch(Channel& channel, int operation, std::uint32_t events) {
    epoll_event event{events, {&channel}};
    ::epoll_ctl(epoll_.get(), operation, channel.socket.get(), &event);
}

// --- peers and connections

Peer& Context::peer_of(Address& address, std::uint8_t id) {
    auto& place = peers_[{&address, id}];
    if (place == nullptr) place = std::make_unique<Peer>(address, id);
    return *place;
}

Result<Peer*> Context::connected(Address& address, std::uint8_t id) {
    Peer& peer = peer_of(address, id);
    if (peer.out.socket) return &peer;
    const Status status = connect(peer);
    if (status.ok()) return &peer;
    forget_if_unused(peer);
    return status;
}

Status Context::connect(Peer& peer) {
    FileDescriptor socket = open_socket(::connect, peer.address.name, suffix_of(peer.id));
    const std::string_view own(cls_.name);
    int error = socket ? 0 : errno;
    if (error == 0) error = transmit(socket, {Header::greeting, id_}, own.data(), own.size());
    if (error != 0)
        return log_error(code_of_errno(error), subsystem, "{}, context {}: {}", peer.address.name,
                         peer.id, std::strerror(error));
    peer.process = owner_of(socket);
    if (peer.process < 0)
        return log_error(NA_PERMISSION, subsystem, "{} belongs to another user", peer.address.name);
    peer.out.socket = std::move(socket);
    watch(peer.out, EPOLL_CTL_ADD, EPOLLRDHUP);
    return {};
}

void Context::accept_one() {
    FileDescriptor socket(
        ::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    if (owner_of(socket) < 0)
        return log_warning(subsystem, "{}: a process of another user is sent away", cls_.name);
    Channel& channel = inbound_.emplace_back(Channel::Kind::inbound);
    channel.socket = std::move(socket);
    watch(channel, EPOLL_CTL_ADD, EPOLLIN);
}

void Context::greet(Channel& channel, const Header& header, Bytes name) {
    Address* address = nullptr;
    const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
    if (header.kind != Header::greeting || header.tag > 255 ||
        !cls_.deserialize(text.data(), text.size(), address).ok())
        return reject(channel, "its greeting is none");
    channel.peer = &peer_of(*address, static_cast<std::uint8_t>(header.tag));
    ++channel.peer->inbound;
    sdk::unref(*address);  // the peer has its own
}

void Context::reject(Channel& channel, const char* why) {
    log_warning(subsystem, "a connection of {} is closed: {}",
                channel.peer == nullptr ? "a stranger" : channel.peer->address.name, why);
    lose(channel);
}

// A connection is over: what needs it ends. The last message of a peer may still be unread when its
// own connection breaks, so receives end with the peer's connection to here, if there is one.
void Context::lose(Channel& channel) {
    Peer* peer = channel.peer;
    const bool inbound = channel.kind == Channel::Kind::inbound;
    if (inbound) {
        inbound_.remove_if([&](const Channel& each) { return &each == &channel; });
    } else {
        channel.socket.reset();
        while (Op* op = peer->queue.pop())
            finish(*op, NA_HOSTUNREACH);
    }
    if (peer == nullptr) return;
    if (inbound) --peer->inbound;
    if (inbound || peer->inbound == 0) fail_receives(*peer);
    forget_if_unused(*peer);
}

void Context::fail_receives(Peer& peer) {
    while (sdk::PostedReceive* receive = expected_.take_any_of(&peer))
        finish(static_cast<Op&>(*receive), NA_HOSTUNREACH);
}

void Context::forget_if_unused(Peer& peer) {
    if (!peer.out.socket && peer.inbound == 0 && peer.stashed == 0)
        peers_.erase({&peer.address, peer.id});
}

// --- sending

Status Context::send(Header::Kind kind, Op& op, const na_send& message) {
    const std::lock_guard lock(mutex_);
    Result<Peer*> found = connected(*static_cast<Address*>(message.dest), message.dest_id);
    if (!found.ok()) return found.status();
    Peer& peer = **found;
    op.header = {kind, message.tag};
    op.message = message.buf;
    op.size = message.size;
    op.peer = &peer;
    const int error =
        peer.queue.empty() ? transmit(peer.out.socket, op.header, op.message, op.size) : EAGAIN;
    if (error == EAGAIN) {
        if (peer.queue.empty()) watch(peer.out, EPOLL_CTL_MOD, EPOLLRDHUP | EPOLLOUT);
        op.state = Op::State::queued;
        peer.queue.push(op);
    }
    ++posted_;
    if (error == 0) finish(op, NA_SUCCESS);
    if (error != 0 && error != EAGAIN) {
        finish(op, code_of_errno(error));
        lose(peer.out);
    }
    return {};
}

Status Context::send_unexpected(Op& op, const na_send& message) {
    return send(Header::unexpected, op, message);
}

Status Context::send_expected(Op& op, const na_send& message) {
    return send(Header::expected, op, message);
}

void Context::flush(Peer& peer) {
    while (Op* op = peer.queue.first()) {
        const int error = transmit(peer.out.socket, op->header, op->message, op->size);
        if (error == EAGAIN) return;
        if (error != 0) return lose(peer.out);
        (void)peer.queue.pop();
        finish(*op, NA_SUCCESS);
    }
    watch(peer.out, EPOLL_CTL_MOD, EPOLLRDHUP);
}

// --- receiving

Status Context::recv_unexpected(Op& op, const na_recv& receive) {
    const std::lock_guard lock(mutex_);
    op.buf = receive.buf;
    op.size = receive.size;
    op.state = Op::State::receiving_unexpected;
    unexpected_.post(op);
    ++posted_;
    if (!stash_.empty()) wake();
    return {};
}

Status Context::recv_expected(Op& op, const na_recv& receive) {
    const std::lock_guard lock(mutex_);
    // Connected, so that the death of the sender is seen.
    Result<Peer*> peer = connected(*static_cast<Address*>(receive.source), receive.source_id);
    if (!peer.ok()) return peer.status();
    op.buf = receive.buf;
    op.size = receive.size;
    op.source = *peer;
    op.tag = receive.tag;
    op.state = Op::State::receiving_expected;
    expected_.post(op);
    ++posted_;
    return {};
}

// Takes one message; epoll tells of the next one again.
void Context::read(Channel& channel) {
    Header header{};
    std::array<iovec, 2> parts{{{&header, sizeof header}, {buffer_.data(), buffer_.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t size = ::recvmsg(channel.socket.get(), &message, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return lose(channel);
    if (static_cast<std::size_t>(size) < sizeof header || (message.msg_flags & MSG_TRUNC) != 0)
        return reject(channel, "its message has a size that no message has");
    const Bytes bytes(buffer_.data(), static_cast<std::size_t>(size) - sizeof header);
    channel.peer == nullptr ? greet(channel, header, bytes) : arrive(channel, header, bytes);
}

void Context::arrive(Channel& channel, const Header& header, Bytes bytes) {
    Peer& peer = *channel.peer;
    if (header.kind == Header::unexpected) {
        if (sdk::PostedReceive* receive = unexpected_.take())
            return place(static_cast<Op&>(*receive), header.tag, bytes, &peer.address);
        stash_.push_back({&peer, header.tag, {bytes.begin(), bytes.end()}});
        if (++peer.stashed < most_stashed) return;
        // The rest waits in the socket, and then at the sender; only the peer's end is of interest.
        channel.paused = true;
        watch(channel, EPOLL_CTL_MOD, EPOLLRDHUP | EPOLLONESHOT);
    } else if (header.kind == Header::expected) {
        if (sdk::PostedReceive* receive = expected_.take(&peer, 0, header.tag))
            place(static_cast<Op&>(*receive), header.tag, bytes, nullptr);
        else
            log_debug(subsystem, "a message of {} with tag {} finds no receive", peer.address.name,
                      header.tag);
    } else {
        reject(channel, "its message is of an unknown kind");
    }
}

void Context::place(Op& op, na_tag_t tag, Bytes bytes, Address* source) {
    if (bytes.size() > op.size) return finish(op, NA_MSGSIZE);
    if (!bytes.empty()) std::memcpy(op.buf, bytes.data(), bytes.size());
    if (source != nullptr) sdk::ref(*source);  // passes to libna
    finish(op, {NA_SUCCESS, tag, bytes.size(), source, nullptr, false});
}

void Context::deliver_stashed() {
    while (!stash_.empty() && !unexpected_.empty()) {
        const Stashed& oldest = stash_.front();
        Peer& peer = *oldest.peer;
        place(static_cast<Op&>(*unexpected_.take()), oldest.tag,
              {oldest.bytes.data(), oldest.bytes.size()}, &peer.address);
        stash_.pop_front();
        if (peer.stashed-- == most_stashed)
            for (Channel& channel : inbound_)
                if (channel.peer == &peer && std::exchange(channel.paused, false))
                    watch(channel, EPOLL_CTL_MOD, EPOLLIN);
        forget_if_unused(peer);
    }
}

// --- put and get: a copy between the two processes, before the post returns

Status Context::put(Op& op, const na_rma& rma) {
    return transfer(op, rma, true);
}

Status Context::get(Op& op, const na_rma& rma) {
    return transfer(op, rma, false);
}

static int copy(pid_t process, const na_rma& rma, bool put) {
    constexpr std::size_t room = 64;
    std::array<iovec, room> local, remote;
    for (std::size_t done = 0; done < rma.size;) {
        const std::size_t rest = rma.size - done;
        const std::size_t local_count =
            static_cast<Memory*>(rma.local_mem)
                ->pieces(rma.local_offset + done, rest, local.data(), room);
        const std::size_t remote_count =
            static_cast<Memory*>(rma.remote_mem)
                ->pieces(rma.remote_offset + done, rest, remote.data(), room);
        const ssize_t moved = (put ? ::process_vm_writev : ::process_vm_readv)(
            process, local.data(), local_count, remote.data(), remote_count, 0);
        if (moved <= 0) return moved < 0 ? errno : EFAULT;
        done += static_cast<std::size_t>(moved);
    }
    return 0;
}

Status Context::transfer(Op& op, const na_rma& rma, bool put) {
    const auto& remote = *static_cast<const Memory*>(rma.remote_mem);
    if (!static_cast<const Memory*>(rma.local_mem)->holds(rma.local_offset, rma.size) ||
        !remote.holds(rma.remote_offset, rma.size))
        return NA_INVALID_ARG;
    if (!remote.allows(put ? NA_MEM_WRITE_ONLY : NA_MEM_READ_ONLY)) return NA_PERMISSION;
    pid_t process = -1;
    {
        const std::lock_guard lock(mutex_);
        Result<Peer*> peer = connected(*static_cast<Address*>(rma.remote), rma.remote_id);
        if (!peer.ok()) return peer.status();
        process = (*peer)->process;
        op.state = Op::State::idle;  // nothing that could be cancelled
        ++posted_;
    }
    const int error = copy(process, rma, put);
    if (error != 0)
        log_warning(subsystem, "memory of {} cannot be reached: {}",
                    static_cast<Address*>(rma.remote)->name, std::strerror(error));
    const std::lock_guard lock(mutex_);
    finish(op, code_of_errno(error));
    return {};
}

// --- progress

void Context::finish(Op& op, const na_completion& completion) {
    op.state = Op::State::idle;
    op.completion = completion;
    const bool first = done_.empty();
    done_.push(op);
    if (first && !cls_.busy) wake();
}

bool Context::try_wait() {
    const std::lock_guard lock(mutex_);
    return !cls_.busy && done_.empty() && (stash_.empty() || unexpected_.empty());
}

void Context::handle(Channel& channel, std::uint32_t events) {
    switch (channel.kind) {
        case Channel::Kind::wake:
            return event_.drain();
        case Channel::Kind::listener:
            return accept_one();
        case Channel::Kind::inbound:
            // Paused: the peer is gone, though not all that it has sent is read.
            return channel.paused ? fail_receives(*channel.peer) : read(channel);
        case Channel::Kind::outbound:
            return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ? lose(channel)
                                                                      : flush(*channel.peer);
    }
}

Status Context::poll(unsigned int& count) {
    count = 0;
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return {};
    deliver_stashed();
    // One at a time, since each may close the channel of the next.
    epoll_event event{};
    for (int i = 0; i < 64 && ::epoll_wait(epoll_.get(), &event, 1, 0) > 0; ++i)
        handle(*static_cast<Channel*>(event.data.ptr), event.events);
    OpList done = std::exchange(done_, {});
    for (Op* op = done.first(); op != nullptr; op = op->next_op)
        --posted_;
    lock.unlock();
    // From here on callbacks may run, and post and cancel.
    while (Op* op = done.pop()) {
        const na_completion completion = op->completion;
        sdk::complete(*op, completion);
        ++count;
    }
    return {};
}

Status Context::cancel(Op& op) {
    const std::lock_guard lock(mutex_);
    switch (op.state) {
        case Op::State::idle:
            return {};  // on its way to libna
        case Op::State::queued:
            op.peer->queue.remove(op);
            break;
        case Op::State::receiving_unexpected:
            unexpected_.remove(op);
            break;
        case Op::State::receiving_expected:
            expected_.remove(op);
            break;
    }
    finish(op, NA_CANCELED);
    return {};
}

}  // namespace local
