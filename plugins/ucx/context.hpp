// SPDX-License-Identifier: BSD-3-Clause
// An endpoint: a UCX worker, connections, peers, posted receives and an epoll set. Everything
// private runs inside the serial, by whichever thread entered it; public functions may be called
// from any thread. The members are implemented by subject: context.cpp (life, peers, failure),
// handshake.cpp (connections made), message.cpp, gather.cpp, transfer.cpp and
// direct_transfer.cpp, rma.cpp, progress.cpp (polling,
// waking, cancel).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/base/mutex.hpp"
#include "na/sdk/greeters.hpp"
#include "na/sdk/matching.hpp"
#include "na/sdk/serial.hpp"
#include "plugins/ucx/connection.hpp"
#include "plugins/ucx/flights.hpp"
#include "plugins/ucx/library.hpp"
#include "plugins/ucx/options.hpp"
#include "plugins/ucx/worker.hpp"

namespace cinnabar::ucx {

class Class;

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
    void drop_keys(std::uint64_t memory);

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
    // A message that came before a receive for it was posted.
    struct Stashed {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size;
        na_tag_t tag;
        Address* source;         // one reference
        Connection* connection;  // nullptr when it is gone
    };
    // A message as UCX shows it.
    struct Incoming {
        na_tag_t tag;
        const void* bytes;
        std::size_t size;
    };
    enum class Sent : std::uint8_t { done, pending, failed };

    // context.cpp
    Status post(Op& op);
    void start(Op& op) noexcept;
    void dispatch(Op& op);
    void finish(Op& op, const na_completion& completion);
    void finish(Op& op, na_return_t ret, std::size_t size = 0);
    Peer* peer_of(Address& address, std::uint8_t id);
    void name(Op& op, Peer& peer) noexcept;
    void loosen(Peer& peer) noexcept;
    Connection* add_connection(FileDescriptor&& fd, Phase phase, bool dialing);
    void say_goodbye();
    void linger();
    void close_endpoint(Connection& connection, bool force) noexcept;
    static void on_closed(void* request, ucs_status_t status, void* user_data);
    void fail(Connection& connection, na_return_t code, const char* why);
    void drop(Connection& connection);
    void abandon_messages(Connection& connection, na_return_t code);
    void fail_peer(Peer& peer, na_return_t code);
    void settle();
    void bury();
    void take_inbox() noexcept;
    std::string describe(const Connection& connection) const noexcept;

    // handshake.cpp
    void connect(Peer& peer) noexcept;
    void connect_self(Peer& peer);
    void connect_remote(Peer& peer);
    void connect_local(Peer& peer);
    void greet(Connection& connection, GreetingKind kind, na_return_t code, std::uint8_t target);
    void write_control(Connection& connection) noexcept;
    void read_control(Connection& connection) noexcept;
    void adopt(Arrival&& arrival) noexcept;
    void begin_arrival(Arrival&& arrival);
    void accept_all();
    void drop_silent() noexcept;
    void take_greeting(Connection& connection);
    void answered(Connection& connection, const Greeting& greeting);
    void arrived(Connection& connection, const Greeting& greeting);
    bool join_peer(Connection& connection, const Greeting& greeting);
    Address* address_of_greeting(const Connection& connection, const Greeting& greeting);
    void refuse(Connection& connection, na_return_t code, const char* why);
    void welcome(Connection& connection);
    static void remember(Connection& connection, const Greeting& greeting);
    bool open_endpoint(Connection& connection);
    static void on_error(void* arg, ucp_ep_h ep, ucs_status_t status);

    // message.cpp
    void start_send(Op& op);
    void start_receive(Op& op);
    static bool has_credit(const Connection& connection, std::size_t size) noexcept;
    void send(Connection& connection, Op& op);
    Sent submit(Connection& connection, MessageType type, std::uint32_t value, Op* op);
    static void on_sent(void* request, ucs_status_t status, void* user_data);
    template <MessageType type>
    static ucs_status_t on_message(void* arg, const void* header, std::size_t header_length,
                                   void* data, std::size_t length,
                                   const ucp_am_recv_param_t* param);
    void take_message(MessageType type, const MessageHeader& header, const Incoming& message,
                      bool rendezvous) noexcept;
    void deliver_expected(Connection& connection, const Incoming& message);
    void deliver_unexpected(Connection& connection, const Incoming& message);
    void place(Op& op, Address& source, const Incoming& message);
    void unstash(Op& op);
    void consumed(Connection& connection, std::size_t size);
    void give_credit(Connection& connection);
    void breach(Connection& connection, const char* what) noexcept;
    Status handle_messages();

    Connection* connection_of(Token token) const noexcept;

    // gather.cpp
    bool gather(Connection& connection, const Op& op);
    void send_batch(Connection& connection);
    void send_batches();
    void forget_batch(Connection& connection) noexcept;
    Sent transmit(Connection& connection, MessageType type, Flight& flight, const void* bytes,
                  std::size_t size);
    static ucs_status_t on_batch(void* arg, const void* header, std::size_t header_length,
                                 void* data, std::size_t length, const ucp_am_recv_param_t* param);

    // transfer.cpp
    Status open_transfers();
    bool give(Connection& connection, MessageType type, TransferHeader header, Flight& flight);
    static void on_given(void* request, ucs_status_t status, void* user_data);
    void pump_transfers(Connection& connection);
    bool advance_by_messages(Connection& connection, Op& op, unsigned& budget);
    static void leave_queue(Op& op) noexcept;
    void end_by_messages(Op& op, na_return_t code);
    void fail_transfers(Connection& connection, na_return_t code);
    bool answer_one(Connection& connection);
    bool serve_one(Connection& connection);
    template <MessageType type>
    static ucs_status_t on_transfer(void* arg, const void* header, std::size_t header_length,
                                    void* data, std::size_t length,
                                    const ucp_am_recv_param_t* param);
    void refuse_transfer(Connection& connection, Served& served, na_return_t code,
                         const TransferHeader& header);
    void take_fetch(Connection& connection, const TransferHeader& header);
    void take_fetched(Connection& connection, const TransferHeader& header, const std::byte* bytes);
    void take_store(Connection& connection, const TransferHeader& header, const std::byte* bytes);
    void take_ended(Connection& connection, const TransferHeader& header);

    // direct_transfer.cpp
    bool offer(Connection& connection, Op& op, Flight& flight);
    bool grant(Connection& connection, Served& served, Flight& flight);
    void take_granted(Connection& connection, const TransferHeader& header,
                      std::span<const std::byte> bytes);
    void take_offer(Connection& connection, const TransferHeader& header,
                    std::span<const std::byte> bytes);
    bool read_one(Connection& connection);
    void read_offered(Connection& connection, Served& served);
    void offer_refused(Op& op);

    // rma.cpp
    Status post_rma(Op& op, OpKind kind, const na_rma& rma);
    void start_rma(Op& op);
    void advance(Connection& connection, Op& op);
    bool begin_piece(Connection& connection, Op& op, const std::vector<ucp_rkey_h>& keys);
    void flush(Connection& connection, Op* op);
    void end_rma(Op& op, na_return_t code);
    static void on_piece(void* request, ucs_status_t status, void* user_data);
    const std::vector<ucp_rkey_h>* keys_for(Connection& connection, Remote& remote,
                                            na_return_t& code);
    static void discard_keys(Connection& connection) noexcept;
    static void discard_keys(Connection& connection, std::uint64_t memory) noexcept;
    void cancel_rma(Op& op);

    // progress.cpp
    void rouse() noexcept;
    void mark_dirty(Connection& connection);
    void mark_failed(Connection& connection);
    void pump(Connection& connection);
    void pump_dirty();
    void end_failed();
    void look(bool woken, bool idle);
    void take_events();
    void take_event(std::uint64_t key, std::uint32_t events);
    void hang_up(Connection& connection);
    void let_go(bool idle);
    bool may_go(const Connection& connection, bool idle) const noexcept;
    void cancel_inside(Op& op);

    Class& cls_;
    const std::uint8_t id_;
    na::sdk::Serial serial_;
    FileDescriptor epoll_;
    EventFd wake_;
    std::atomic<int> posted_{0};

    // Inside the serial.
    bool armed_ = false;  // a thread sleeps, or is about to
    bool graves_changed_ = false;
    std::size_t urgent_ = 0;   // connections whose control sockets have something to say soon
    std::size_t leaving_ = 0;  // those among them that are leaving
    std::int64_t looked_ns_ = 0;
    std::uint64_t completions_ = 0;
    std::uint64_t attempts_ = 0;
    Address* self_ = nullptr;
    struct Counts {
        std::uint64_t transfers = 0;   // begun by us
        std::uint64_t operations = 0;  // for them: messages, reads, or puts and gets of UCX's
        std::uint64_t served = 0;      // begun by peers
        std::uint64_t served_operations = 0;
    };
    Counts counts_;
    ucp_datatype_t chunk_type_ = 0;
    Flights flights_;
    std::vector<ConnectionSlot> connections_;
    std::vector<std::uint32_t> free_connections_;
    na::sdk::Greeters<Connection> greeters_{
        {options::max_greeters, options::greeting_patience_ms, options::greeting_hurry_ms}};
    std::unique_ptr<Connection> graveyard_;  // a list; freed when UCX has let go of them
    // Never grow while they are used: add_connection() sees to their room.
    std::vector<Connection*> dirty_;
    std::vector<Connection*> failed_;
    std::vector<Connection*> work_;
    std::vector<Connection*> gatherers_;  // those with a batch
    std::uint64_t polls_ = 0;
    std::vector<std::byte> scratch_;
    std::unordered_map<PeerKey, std::unique_ptr<Peer>, PeerHash> peers_;
    Peer* last_peer_ = nullptr;
    Peer* loose_peers_ = nullptr;  // a list
    na::sdk::UnexpectedReceives unexpected_;
    na::sdk::ExpectedReceives expected_;
    std::deque<Stashed> stash_;
    // Last, so that it goes first: as it closes, UCX gives back what it still holds.
    Worker worker_;

    // Filled by others.
    Mutex inbox_mutex_;
    std::vector<Arrival> arrivals_;
    std::vector<Address*> forgotten_;  // one reference each
    std::vector<std::uint64_t> unused_memory_;
    std::atomic<bool> inbox_full_{false};
};

}  // namespace cinnabar::ucx
