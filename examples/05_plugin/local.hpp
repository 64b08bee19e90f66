// SPDX-License-Identifier: BSD-3-Clause
// The objects of a small transport between the processes of one host, "na+local://name". Each
// context listens on a Unix socket of its own; a context that sends to another one connects to it,
// and sends on that connection only, so that a pair that talks has two. The kernel keeps the
// messages whole, in order and within bounds, and its hang-up tells of a peer's death. Put and get
// copy from process to process. What libna calls is what na/sdk/adapter.hpp names; threads and
// ownership are those of na_plugin.h. One mutex for each context, never held while completing.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/base/log.hpp"
#include "na/base/result.hpp"
#include "na/sdk/host.hpp"
#include "na/sdk/matching.hpp"

namespace local {

using cinnabar::FileDescriptor;
using cinnabar::Result;
using cinnabar::Status;
namespace sdk = cinnabar::na::sdk;

inline constexpr const char* subsystem = "na_local";
inline constexpr std::string_view scheme = "local://";
inline constexpr std::size_t most_segments = 4096;
inline constexpr std::size_t largest_message = 65536;
inline constexpr std::size_t most_stashed = 64;  // messages of a peer that found no receive

// A Unix socket without a file, bound to, or connected to, what `name` and `suffix` say. errno if
// there is none.
FileDescriptor open_socket(decltype(::connect)* what, std::string_view name,
                           const std::string& suffix);

class Class;

struct Address {
    Address(Class& owner, std::string text) : cls(owner), name(std::move(text)) {}
    ~Address();
    Class& cls;
    std::string name;  // "local://name"
};

class Memory {
public:
    Status create(Class&, const na_segment* segments, std::size_t count, unsigned long flags);
    Status register_memory(Class&, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class&) { return {}; }
    std::size_t serialize_size(Class&) const;
    Status serialize(Class&, void* buf, std::size_t size) const;
    Status deserialize(Class&, const void* buf, std::size_t size);
    // Without wrapping around.
    bool holds(na_offset_t offset, std::size_t size) const {
        return offset <= total_ && size <= total_ - offset;
    }
    bool allows(unsigned long direction) const { return (flags_ & direction) != 0; }
    // The pieces of a range, as many as there is room for; how many.
    std::size_t pieces(na_offset_t offset, std::size_t size, iovec* to, std::size_t room) const;

private:
    std::uint32_t flags_ = 0;
    std::uint64_t total_ = 0;
    std::vector<na_segment> segments_;
};

class Class {
public:
    Status open(const na_plugin_open& info);
    void get_limits(na_limits& limits) const;
    Status lookup(std::string_view name, Address*& found);
    Status self(Address*& found) { return lookup(name, found); }
    Status set_remove(Address&) { return {}; }
    bool equal(const Address& a, const Address& b) const { return &a == &b; }
    bool is_self(const Address& address) const { return address.name == name; }
    Status to_string(const Address& address, char* buf, std::size_t& size) const;
    std::size_t serialize_size(const Address& address) const { return address.name.size(); }
    Status serialize(const Address& address, void* buf, std::size_t size) const;
    Status deserialize(const void* buf, std::size_t size, Address*& made);

    std::string name;
    bool busy = false;
    std::size_t message_limit = 4096;

private:
    friend Address;
    FileDescriptor reserved_;  // keeps others from the name
    std::mutex mutex_;
    std::map<std::string, Address*, std::less<>> addresses_;  // owns none of them
};

struct Header {
    enum Kind : std::uint32_t { greeting = 0x6c6f6301, unexpected, expected };
    Kind kind;
    na_tag_t tag;  // of a greeting: the context that connects
};

struct Peer;

struct Op : sdk::PostedReceive {
    enum class State { idle, queued, receiving_unexpected, receiving_expected };
    State state = State::idle;
    Op* next_op = nullptr;
    Peer* peer = nullptr;  // queued: where to
    Header header{};
    const void* message = nullptr;
    na_completion completion{};
};

// First in, first out; an operation is in one list at most.
class OpList {
public:
    bool empty() const { return first_ == nullptr; }
    Op* first() const { return first_; }
    void push(Op& op);
    Op* pop();
    void remove(Op& op);

private:
    Op* first_ = nullptr;
    Op* last_ = nullptr;
};

// What epoll points to.
struct Channel {
    enum class Kind { listener, wake, inbound, outbound };
    explicit Channel(Kind what, Peer* whose = nullptr) : kind(what), peer(whose) {}
    Kind kind;
    Peer* peer;  // inbound: once it has greeted
    FileDescriptor socket{};
    bool paused = false;
};

// One context of another class, or of this one.
struct Peer {
    Peer(Address& whose, std::uint8_t which) : address(whose), id(which) { sdk::ref(address); }
    Peer(const Peer&) = delete;
    ~Peer() { sdk::unref(address); }
    Address& address;
    std::uint8_t id;
    Channel out{Channel::Kind::outbound, this};
    pid_t process = 0;        // while connected
    int inbound = 0;          // connections that it has made
    std::size_t stashed = 0;  // messages
    OpList queue{};           // sends that wait for room
};

class Context {
public:
    Context(Class& cls, std::uint8_t id) : cls_(cls), id_(id) {}
    Status open();
    Status close();
    Status send_unexpected(Op& op, const na_send& message);
    Status recv_unexpected(Op& op, const na_recv& receive);
    Status send_expected(Op& op, const na_send& message);
    Status recv_expected(Op& op, const na_recv& receive);
    Status put(Op& op, const na_rma& rma);
    Status get(Op& op, const na_rma& rma);
    int get_fd() const { return cls_.busy ? -1 : epoll_.get(); }
    bool try_wait();
    Status poll(unsigned int& count);
    void wake() { event_.signal(); }
    Status cancel(Op& op);

private:
    using Bytes = std::basic_string_view<std::byte>;
    struct Stashed {
        Peer* peer;
        na_tag_t tag;
        std::vector<std::byte> bytes;
    };

    // All of them with the mutex held.
    Status send(Header::Kind kind, Op& op, const na_send& message);
    void finish(Op& op, const na_completion& completion);
    void finish(Op& op, na_return_t ret) { finish(op, {ret, 0, 0, nullptr, nullptr, false}); }
    Peer& peer_of(Address& address, std::uint8_t id);
    Result<Peer*> connected(Address& address, std::uint8_t id);
    Status connect(Peer& peer);
    void watch(Channel& channel, int operation, std::uint32_t events);
    void handle(Channel& channel, std::uint32_t events);
    void accept_one();
    void read(Channel& channel);
    void greet(Channel& channel, const Header& header, Bytes name);
    void arrive(Channel& channel, const Header& header, Bytes bytes);
    void place(Op& op, na_tag_t tag, Bytes bytes, Address* source);
    void deliver_stashed();
    void flush(Peer& peer);
    void reject(Channel& channel, const char* why);
    void lose(Channel& channel);
    void fail_receives(Peer& peer);
    void forget_if_unused(Peer& peer);
    Status transfer(Op& op, const na_rma& rma, bool put);

    Class& cls_;
    const std::uint8_t id_;
    std::mutex mutex_;
    FileDescriptor epoll_;
    cinnabar::EventFd event_;
    Channel wake_{Channel::Kind::wake};
    Channel listener_{Channel::Kind::listener};
    std::list<Channel> inbound_;
    std::map<std::pair<Address*, std::uint8_t>, std::unique_ptr<Peer>> peers_;
    sdk::UnexpectedReceives unexpected_;
    sdk::ExpectedReceives expected_;  // the key of a sender is its Peer
    std::deque<Stashed> stash_;       // unexpected messages that came before their receive
    std::vector<std::byte> buffer_;
    OpList done_;  // until poll() hands them to libna
    int posted_ = 0;
};

}  // namespace local
