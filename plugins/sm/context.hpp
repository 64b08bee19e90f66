// SPDX-License-Identifier: BSD-3-Clause
// An endpoint: its connections, its posted operations, its doorbell, its sleep. Any thread may call
// it; one thread at a time is inside (sdk/serial.hpp) and only that one touches the members below.
// The steps are in files of their own: connect.cpp (making and losing connections), message.cpp
// (sending and receiving), rma.cpp and remote_rma.cpp (put and get), progress.cpp (poll and sleep),
// context.cpp (opening, closing).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/base/mutex.hpp"
#include "na/base/result.hpp"
#include "na/sdk/matching.hpp"
#include "na/sdk/serial.hpp"
#include "na_plugin.h"
#include "plugins/sm/class.hpp"
#include "plugins/sm/link.hpp"
#include "plugins/sm/operation.hpp"

namespace cinnabar::sm {

// Kinds of ring messages. The numbers are part of the protocol.
enum class MessageKind : std::uint8_t {
    unexpected = 1,
    expected = 2,
    get_request = 3,
    get_data = 4,
    put_request = 5,
    put_data = 6,
    rma_status = 7,  // ends a put, or a get that failed
    rma_stop = 8     // the requester wants no more data of a get
};

class Context {
public:
    Context(Class& cls, std::uint8_t id) : cls_(cls), id_(id) {}
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
    na_return_t try_send(const na_send& send, bool expected) noexcept;
    na_return_t try_put(const na_rma& rma) noexcept { return try_move(rma, OpKind::put); }
    na_return_t try_get(const na_rma& rma) noexcept { return try_move(rma, OpKind::get); }
    Status cancel(Op& op);

    int get_fd() const noexcept { return cls_.options().blocking ? epoll_.get() : -1; }
    bool try_wait();
    Status poll(unsigned& count);
    void wake() noexcept { event_.signal(); }

    std::uint8_t id() const noexcept { return id_; }
    // Any thread: an accepted socket of a sibling context.
    void give_socket(FileDescriptor socket);
    // Any thread: the connections with this peer are to be closed.
    void forget_peer(Address& peer);

private:
    // --- posting (message.cpp)
    Status post_send(Op& op, const na_send& send, OpKind kind, std::size_t limit);
    Status post_rma(Op& op, const na_rma& rma, OpKind kind);
    void submit(Op& op, Address* needed) noexcept;
    template <class Now>
    void submit(Op& op, Address* needed, Now&& now) noexcept;
    static void run_submit(void* context, na::sdk::Task& task) noexcept;
    static void run_cancel(void* context, na::sdk::Task& task) noexcept;
    bool begin(Op& op) noexcept;
    void start_by_kind(Op& op) noexcept;
    void handle_cancel(Op& op) noexcept;
    void finish(Op& op, const na_completion& completion) noexcept;
    void finish(Op& op, na_return_t ret, std::size_t size = 0) noexcept;

    // --- messages (message.cpp)
    bool send_now(const na_send& send, bool expected) noexcept;
    void start_send(Op& op) noexcept;
    void start_loop_send(Op& op) noexcept;
    bool loop_send(Op& op) noexcept;
    void flush_loop() noexcept;
    void start_recv_unexpected(Op& op) noexcept;
    void start_recv_expected(Op& op) noexcept;
    void finish_too_large(Link& link, Op& op) noexcept;
    bool push(Link& link, MessageKind kind, std::uint32_t tag, const void* data,
              std::size_t size) noexcept;
    void ring_bell(Link& link) noexcept;
    void announce_room(Link& link) noexcept;
    void wake_peer(Link& link) noexcept;
    void enqueue(Link& link, Op& op) noexcept;
    void wait_for_room(Link& link) noexcept;
    void flush(Link& link) noexcept;
    bool flush_once(Link& link) noexcept;
    // --- receiving (receive.cpp)
    void drain(Link& link) noexcept;
    void take(Link& link, const RingMessage& message) noexcept;
    bool deliver(Link& link, const RingMessage& message) noexcept;
    bool deliver_unexpected(Link& link, const RingMessage& message) noexcept;
    void deliver_expected(const void* key, std::uint8_t id, na_tag_t tag, const void* data,
                          std::size_t size) noexcept;
    void complete_unexpected(Op& op, Address& source, na_tag_t tag, const void* data,
                             std::size_t size) noexcept;
    void finish_unexpected(Op& op, Address& source, na_tag_t tag, std::size_t size) noexcept;
    bool stash(Link* link, Address& source, na_tag_t tag, const void* data,
               std::size_t size) noexcept;
    void take_from_stash(Op& op) noexcept;
    void attend(Link& link) noexcept;
    void resume_paused() noexcept;

    // --- connections (connect.cpp)
    Link* connect(Address& peer, std::uint8_t peer_id, na_return_t& code) noexcept;
    Status begin(Link& link);
    na_return_t try_to_begin(Link& link) noexcept;
    Result<FileDescriptor> reach(const Link& link);
    Status watch(Link& link) noexcept;
    void unwatch(Link& link) noexcept;
    Greeting greeting(GreetingKind kind, const Link& link) const noexcept;
    void accept_all() noexcept;
    void adopt_socket(FileDescriptor socket);
    void on_socket(Link& link) noexcept;
    void on_answer(Link& link) noexcept;
    void on_greeting(Link& link) noexcept;
    bool settle_name(Link& link, const Greeting& hello);
    void take_over(Link& link, Link& older) noexcept;
    Status map_bell(Link& link, const Greeting& hello, FileDescriptor page,
                    FileDescriptor event) noexcept;
    void establish(Link& link, const Greeting& hello) noexcept;
    void refuse(Link& link, GreetingKind kind, na_return_t code) noexcept;
    // Ends a link: everything that waits for it completes with the code. Logs if anything did, or
    // if why says that the peer misbehaved.
    void lose(Link& link, na_return_t code, const char* why) noexcept;
    void bury(Link& link) noexcept;
    std::size_t end_operations(Link& link, na_return_t code) noexcept;
    void clear_graveyard() noexcept;
    void on_hang_up(Link& link) noexcept;
    void forget(const Address& peer) noexcept;
    void take_news() noexcept;
    void retry_connects() noexcept;
    void handshake_begins() noexcept;

    // --- RMA (rma.cpp, remote_rma.cpp)
    void set_up(Op& op, const na_rma& rma, OpKind kind) noexcept;
    na_return_t try_move(const na_rma& rma, OpKind kind) noexcept;
    bool move_run(const na_rma& rma, OpKind kind) noexcept;
    void start_rma(Op& op) noexcept;
    void run_rma(Link& link, Op& op) noexcept;
    bool still_there(Link& link) noexcept;
    void move_first(Op& op) noexcept;
    Result<std::uint64_t> copy_local(Op& op, std::uint64_t limit) noexcept;
    Result<std::uint64_t> copy_piece(Op& op, std::uint64_t limit) noexcept;
    bool map_all(Link& link, Op& op) noexcept;
    // Moves up to limit bytes; true if the operation has ended.
    bool move_piece(Op& op, std::uint64_t limit) noexcept;
    Result<std::uint64_t> copy_mapped(Op& op, std::uint64_t limit) noexcept;
    void move_all() noexcept;
    void start_remote(Link& link, Op& op) noexcept;
    bool write_jobs(Link& link) noexcept;
    JobStep write_job(Link& link, RemoteService::Job& job) noexcept;
    JobStep write_put_data(Link& link, RemoteService::Job& job) noexcept;
    JobStep write_get_data(Link& link, RemoteService::Job& job) noexcept;
    bool owe(Link& link, const RemoteService::Job& job) noexcept;
    bool on_remote(Link& link, MessageKind kind, const RingMessage& message) noexcept;
    bool on_request(Link& link, MessageKind kind, const RingMessage& message);
    bool on_get_data(Link& link, const RingMessage& message) noexcept;
    bool on_put_data(Link& link, const RingMessage& message) noexcept;
    bool on_status(Link& link, const RingMessage& message) noexcept;
    void on_stop(Link& link, std::uint32_t request) noexcept;
    void cancel_remote(Op& op) noexcept;
    std::size_t lose_remote(Link& link, na_return_t code) noexcept;

    // --- progress (progress.cpp)
    void poll_rings() noexcept;
    void look_at(Link& link) noexcept;
    void look_at_attention() noexcept;
    void cool_down() noexcept;
    bool control_due() noexcept;
    void control() noexcept;
    void disarm() noexcept;
    bool anything_ready() noexcept;

    DoorbellPage& bell() const noexcept { return bell_.as<DoorbellPage>(); }

    Class& cls_;
    const std::uint8_t id_;
    std::string identity_;  // what peers know this context's net by
    bool member_ = false;   // the class lists it
    bool sleeping_ = false;
    bool woken_ = false;  // while sleeping: a completion has signalled the eventfd
    na::sdk::Serial serial_;
    std::atomic<bool> has_news_{false};

    std::size_t active_ = 0;  // operations posted and started
    unsigned completed_ = 0;
    Address* self_ = nullptr;
    na::sdk::UnexpectedReceives unexpected_;
    na::sdk::ExpectedReceives expected_;
    LinkTable links_;
    std::vector<Link*> hot_;
    std::vector<Link*> attention_;
    std::vector<Link*> retrying_;
    std::unique_ptr<Link> graveyard_;  // a list; freed at the next poll
    std::size_t paused_ = 0;           // links not read until receives are posted
    OpQueue moving_;
    OpQueue loop_queue_;

    struct Stashed {
        Address* source;  // one reference
        std::uint64_t watch;
        na_tag_t tag;
        std::vector<std::byte> data;
    };
    std::deque<Stashed> stash_;
    std::size_t loop_stashed_ = 0;

    std::uint32_t polls_ = 0;
    std::uint32_t control_countdown_ = 1;
    std::uint32_t control_interval_ = 1;
    std::int64_t control_time_ns_ = 0;
    std::uint32_t handshakes_ = 0;   // links not yet established
    std::uint32_t eager_looks_ = 0;  // polls that look at the sockets for their sake
    std::uint32_t greeters_ = 0;     // of them, accepted without a greeting

    FileDescriptor epoll_;
    FileDescriptor listener_;
    EventFd event_;
    FileDescriptor bell_fd_;
    Region bell_;

    Mutex news_mutex_;
    std::vector<FileDescriptor> given_sockets_;
    std::vector<Address*> forgotten_;  // one reference each
};

}  // namespace cinnabar::sm
