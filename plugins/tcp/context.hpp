// SPDX-License-Identifier: BSD-3-Clause
// An endpoint: its connections, peers, posted receives and epoll set. Everything private runs
// inside the serial, by whichever thread entered it; public functions may be called from any
// thread. The members are implemented by subject: context.cpp (life, peers, failure), handshake.cpp
// (connections made), message.cpp, rma.cpp, input.cpp (bytes in), progress.cpp (bytes out, polling,
// cancel), hot.hpp (what each message passes, inline).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/base/mutex.hpp"
#include "na/sdk/greeters.hpp"
#include "na/sdk/matching.hpp"
#include "na/sdk/serial.hpp"
#include "plugins/tcp/connection.hpp"

namespace cinnabar::tcp {

class Class;

inline constexpr const char* log_name = "na_tcp";

// A socket given to a context by another one or by the class, with what was read from it already.
struct Arrival {
    FileDescriptor fd;
    bool tcp = true;
    na::sdk::IpAddress remote_ip;
    std::vector<std::byte> bytes;
};

class Context {
public:
    Context(Class& cls, std::uint8_t id);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    Status open();
    Status close();

    Status send_unexpected(Op& op, const na_send& send);
    Status send_expected(Op& op, const na_send& send);
    na_return_t try_send(const na_send& send, bool expected) noexcept;
    Status recv_unexpected(Op& op, const na_recv& recv);
    Status recv_expected(Op& op, const na_recv& recv);
    Status put(Op& op, const na_rma& rma);
    Status get(Op& op, const na_rma& rma);

    int get_fd() const noexcept;
    bool try_wait() noexcept;
    Status poll(unsigned& count);
    void wake() noexcept { wake_.signal(); }
    Status cancel(Op& op);

    std::uint8_t id() const noexcept { return id_; }
    // For the class, under its lock, while this context is listed there.
    void hand_over(Arrival&& arrival);
    void forget(Address& address);

private:
    struct PeerKey {
        const Address* address;
        std::uint8_t id;
        bool operator==(const PeerKey&) const noexcept = default;
    };
    struct PeerHash {
        std::size_t operator()(const PeerKey& key) const noexcept {
            return (reinterpret_cast<std::uintptr_t>(key.address) >> 6) * 31 + key.id;
        }
    };
    struct ConnectionSlot {
        std::unique_ptr<Connection> connection;
        std::uint32_t generation = 0;
    };
    struct RmaSlot {
        Op* op = nullptr;
        std::uint32_t generation = 0;
    };
    // A message that came before a receive for it was posted.
    struct Stashed {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size;
        na_tag_t tag;
        Address* source;         // one reference
        Connection* connection;  // nullptr when it is gone
    };

    // What became of a message that was to be written.
    enum class Begun : std::uint8_t {
        copied,   // the caller finishes it
        writing,  // its payload is written from where it lies
        refused   // it has ended, and may be gone
    };

    // hot.hpp
    template <class Begin>
    Status post(Op& op, Begin&& begin) noexcept;
    template <class Begin>
    void start(Op& op, Begin&& begin) noexcept;
    void finish(Op& op, const na_completion& completion) noexcept;
    void finish(Op& op, na_return_t ret, std::size_t size = 0) noexcept;
    Peer& peer_of(Address& address, std::uint8_t id);
    Peer* known_peer(Address& address, std::uint8_t id) noexcept;
    static void name(Op& op, Peer& peer) noexcept;
    void flush_or_gather(Connection& connection);
    void deliver(Connection& connection, const Frame& frame, const std::byte* bytes);
    void place(Op& op, na_tag_t tag, Address& source, const std::byte* bytes, std::size_t size);
    void settle() noexcept;

    // context.cpp
    void leave_to_inside(Op& op) noexcept;
    void dispatch(Op& op);
    void refuse_start(Op& op, const char* why) noexcept;
    Peer& find_peer(Address& address, std::uint8_t id);
    void loosen(Peer& peer) noexcept;
    Connection* add_connection(FileDescriptor&& fd, Phase phase, bool dialing);
    void fail(Connection& connection, na_return_t code, const char* why);
    void drop(Connection& connection);
    void end_transfers(Connection& connection, na_return_t code);
    void fail_peer(Peer& peer, na_return_t code);
    void bury() noexcept;
    void take_inbox() noexcept;
    void linger();
    std::string describe(const Connection& connection) const noexcept;

    // handshake.cpp
    void connect(Peer& peer) noexcept;
    void connect_remote(Peer& peer);
    void connect_local(Peer& peer);
    void greet(Connection& connection, GreetingKind kind, na_return_t code, std::uint8_t target);
    void adopt(Arrival&& arrival) noexcept;
    void begin_arrival(Arrival&& arrival);
    void accept_all();
    void drop_silent() noexcept;
    bool greeted(Connection& connection) noexcept;
    void take_greeting(Connection& connection);
    void answered(Connection& connection, const Greeting& greeting);
    void arrived(Connection& connection, const Greeting& greeting, std::size_t used);
    Address* address_of_greeting(const Connection& connection, const Greeting& greeting);
    void refuse(Connection& connection, na_return_t code, const char* why);
    void welcome(Connection& connection);
    void establish(Connection& connection, const Greeting& greeting);
    void enter(Connection& connection) noexcept;

    // message.cpp
    na_return_t send_now(const na_send& send, OpKind kind) noexcept;
    void start_send(Op& op);
    void start_slow_send(Op& op, Peer& peer);
    void start_unexpected(Op& op);
    void start_expected(Op& op);
    Begun begin_send(Connection& connection, Op& op);
    void keep(Connection& connection, const Frame& frame, const std::byte* bytes);
    void refuse_message(Connection& connection, const Frame& frame, Op* op);
    bool stash(Connection& connection, const Frame& frame, const std::byte* bytes) noexcept;
    void refuse_place(Op& op, const Address& source, std::size_t size);
    void unstash(Op& op);

    // rma.cpp
    Status post_rma(Op& op, OpKind kind, const na_rma& rma);
    void start_rma(Op& op);
    void begin_rma(Connection& connection, Op& op);
    std::uint64_t take_slot(Op& op);
    static std::uint64_t wire_op(std::uint32_t index, const RmaSlot& slot) noexcept {
        return (static_cast<std::uint64_t>(slot.generation) << 32) | index;
    }
    bool emit_chunk(Connection& connection);
    void end_rma(Op& op, na_return_t code);
    Op* find_rma(const Connection& connection, std::uint64_t number) noexcept;
    void handle_rma(Connection& connection, const Frame& frame);
    void handle_get_request(Connection& connection, const Frame& frame);
    void handle_get_data(Connection& connection, const Frame& frame);
    void handle_put_data(Connection& connection, const Frame& frame);
    void handle_end(Connection& connection, const Frame& frame);
    void received(Connection& connection, std::size_t count);
    bool send_control(Connection& connection, const Frame& frame);
    void send_end(Connection& connection, std::uint64_t op, na_return_t code);
    void payload_done(Connection& connection);
    void cancel_rma(Op& op);

    // input.cpp
    bool read(Connection& connection);
    long receive(Connection& connection, std::size_t& wanted);
    long receive_data(Connection& connection, std::size_t& wanted);
    void take_data(Connection& connection, const std::byte* from, std::size_t available);
    void parse(Connection& connection);
    void parse_frames(Connection& connection);
    void release_input(Connection& connection);

    // progress.cpp
    void submit(Connection& connection, Peer& peer);
    void mark_dirty(Connection& connection);
    void mark_ready(Connection& connection);
    void hung_up(Connection& connection) noexcept;
    void fill(Connection& connection);
    void pump(Connection& connection);
    void flush_dirty();
    void read_ready();
    bool poll_hot();
    void take_events();
    void take_event(std::uint64_t key, std::uint32_t events);
    void cancel_inside(Op& op);

    Class& cls_;
    const std::uint8_t id_;
    na::sdk::Serial serial_;
    FileDescriptor epoll_;
    EventFd wake_;

    // Inside the serial.
    bool armed_ = false;  // a thread sleeps, or is about to
    std::uint64_t pass_ = 1;
    std::uint64_t started_ = 0;      // operations
    std::uint64_t completions_ = 0;  // of them
    std::uint64_t attempts_ = 0;
    Address* self_ = nullptr;
    BufferPool pool_;
    Lender lender_;
    std::vector<ConnectionSlot> connections_;
    std::vector<std::uint32_t> free_connections_;
    na::sdk::Greeters<Connection> greeters_{
        {options::max_greeters, options::greeting_patience_ms, options::greeting_hurry_ms}};
    std::unique_ptr<Connection> graveyard_;  // a list; freed when nobody looks at them any more
    // Never grow while they are used: add_connection() sees to their room.
    std::vector<Connection*> dirty_;
    std::vector<Connection*> ready_;
    std::vector<Connection*> work_;
    Connection* hot_ = nullptr;
    unsigned hot_polls_ = 0;
    unsigned hot_misses_ = 0;
    std::unordered_map<PeerKey, std::unique_ptr<Peer>, PeerHash> peers_;
    Peer* last_peer_ = nullptr;
    Peer* loose_peers_ = nullptr;  // a list
    na::sdk::UnexpectedReceives unexpected_;
    na::sdk::ExpectedReceives expected_;
    std::deque<Stashed> stash_;
    std::vector<RmaSlot> rma_slots_;
    std::vector<std::uint32_t> free_rma_slots_;

    // Filled by other contexts.
    Mutex inbox_mutex_;
    std::vector<Arrival> arrivals_;
    std::vector<Address*> forgotten_;  // one reference each
    std::atomic<bool> inbox_full_{false};
};

}  // namespace cinnabar::tcp
