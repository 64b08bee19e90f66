// SPDX-License-Identifier: BSD-3-Clause
// A context of a framed transport. Everything in it is under one mutex, which is never held while
// operations are completed: what has ended waits in a list, until poll() has unlocked.
#pragma once

#include <sys/epoll.h>

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/sdk/framed/class.hpp"
#include "na/sdk/framed/memory.hpp"
#include "na/sdk/framed/op.hpp"
#include "na/sdk/framed/peer.hpp"

namespace cinnabar::na::sdk::framed {

class Context {
public:
    Context(Class& cls, std::uint8_t id) : cls_(cls), id_(id) {}
    Context(const Context&) = delete;
    ~Context();
    Status open();
    Status close();
    Status send_unexpected(Op& op, const na_send& message);
    Status recv_unexpected(Op& op, const na_recv& receive);
    Status send_expected(Op& op, const na_send& message);
    Status recv_expected(Op& op, const na_recv& receive);
    Status put(Op& op, const na_rma& rma);
    Status get(Op& op, const na_rma& rma);
    int get_fd() const { return cls_.busy() ? -1 : epoll_.get(); }
    bool try_wait();
    Status poll(unsigned int& count);
    void wake() { event_.signal(); }
    Status cancel(Op& op);

private:
    using Bytes = std::span<const std::byte>;
    struct Kept {                // an unexpected message that came before its receive
        Connection* connection;  // nullptr: it is lost
        Address* source;         // with a reference
        na_tag_t tag;
        std::vector<std::byte> bytes;
    };
    enum class Next { more, nothing, lost };  // what else there is to read of a connection

    // All that follow need the mutex.

    // context.cpp
    void finish(Op& op, const na_completion& completion);
    void finish(Op& op, na_return_t ret) { finish(op, {ret, 0, 0, nullptr, nullptr, false}); }
    void handle(Connection& connection, std::uint32_t events);

    // connections.cpp
    Connection* add(std::unique_ptr<Link> link, Connection::State state);
    void watch(Connection& connection, int operation);
    Result<Peer*> peer_of(Address& address, std::uint8_t id);
    Peer* find(Address& address, std::uint8_t id);
    Peer& add_peer(Address& address, std::uint8_t id, Connection& connection);
    void accept_all();
    void dismiss_silent();
    Next greet(Connection& connection, const Frame& frame, Bytes name);
    void open_for(Connection& connection, Peer& peer);
    Next reject(Connection& connection, const char* why);
    Next lose(Connection& connection);
    void drain(Connection& connection);
    void remove(Connection& connection);
    void end(Peer& peer);

    // output.cpp
    bool flush(Connection& connection);
    std::optional<Status> send_next(Connection& connection);
    std::optional<Status> send_message(Peer& peer);
    std::optional<Status> send_answer(Peer& peer);
    std::optional<Status> send_piece(Peer& peer);

    // message.cpp
    Status send(Kind kind, Op& op, const na_send& message);
    Next read(Connection& connection);
    Next arrive(Connection& connection, const Frame& frame, Bytes bytes);
    Next arrive_unexpected(Connection& connection, na_tag_t tag, Bytes bytes);
    void place(Op& op, na_tag_t tag, Bytes bytes, Address* source);
    void deliver_kept();

    // transfer.cpp
    Status transfer(Kind kind, Op& op, const na_rma& rma);
    Next serve(Connection& connection, const Frame& frame, Bytes bytes);
    na_return_t check(const Frame& frame, std::size_t size, std::shared_ptr<Region>& region);
    Next take_answer(Connection& connection, const Frame& frame, Bytes bytes);
    void stop(Op& op);

    Class& cls_;
    const std::uint8_t id_;
    std::mutex mutex_;
    std::unique_ptr<Port> port_;
    FileDescriptor epoll_;
    EventFd event_;
    bool armed_ = false;  // somebody may sleep
    std::list<Connection> connections_;
    std::map<std::pair<Address*, std::uint8_t>, Peer> peers_;
    UnexpectedReceives unexpected_;
    ExpectedReceives expected_;  // the key of a sender is its Peer
    std::deque<Kept> kept_;
    std::vector<std::byte> in_, out_;  // a frame each
    OpList done_;                      // until poll() hands them to libna
    int posted_ = 0;
};

}  // namespace cinnabar::na::sdk::framed
