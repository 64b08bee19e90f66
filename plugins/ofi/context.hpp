// SPDX-License-Identifier: BSD-3-Clause
// An endpoint: its part of the library, peers, posted receives and epoll set. Everything private
// runs inside the serial, by whichever thread entered it; public functions may be called from any
// thread. The members are implemented by subject: context.cpp (life, posting), link.cpp (peers,
// channels, loss), handshake.cpp (how links come to be), message.cpp (messages in), output.cpp
// (envelopes out), rma.cpp, completion.cpp (what the library reports), progress.cpp (polling,
// sleeping, cancel), watch.cpp (peers that are lost without a word).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/base/mutex.hpp"
#include "na/sdk/matching.hpp"
#include "na/sdk/serial.hpp"
#include "plugins/ofi/peer.hpp"

namespace cinnabar::ofi {

class Class;

// For another context of the class: a connection request, or a greeting that named it.
struct Arrival {
    Info request;
    std::uint64_t token = 0;
    std::vector<std::byte> greeting;
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
    // How much of a message is in envelopes now.
    enum class Filled : std::uint8_t { all, part, too_large };
    // A message that came before a receive for it was posted.
    struct Stashed {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size;
        na_tag_t tag;
        Address* source;  // one reference
        std::uint32_t index;
        std::uint64_t nonce;  // of the link that it came on
    };

    // context.cpp
    Status watch(int fd);
    Status post(Op& op);
    void start(Op& op) noexcept;
    void dispatch(Op& op);
    void finish(Op& op, const na_completion& completion);
    void finish(Op& op, na_return_t ret, std::size_t size = 0);
    void linger();
    void settle();
    void take_inbox() noexcept;

    // link.cpp
    Peer* peer_of(Address& address, std::uint8_t id);
    Peer* peer_at(std::uint32_t index, std::uint64_t nonce) noexcept;
    void name(Op& op, Peer& peer) noexcept;
    void loosen(Peer& peer) noexcept;
    void drop_loose();
    Channel& add_channel();
    void drop(Channel& channel) noexcept;
    void bury() noexcept;
    void begin_link(Peer& peer);
    void fail(Peer& peer, na_return_t code, const char* why) noexcept;
    void end_transfers(Peer& peer, na_return_t code) noexcept;

    // handshake.cpp
    void connect(Peer& peer) noexcept;
    bool dial(Channel& channel, const Peer& peer);
    void connect_bulk(Peer& peer) noexcept;
    Greeting greeting_to(const Peer& peer) const;
    void greet(Peer& peer, Kind kind);
    void answer(const Greeting& to, Kind kind, na_return_t code) noexcept;
    void take_greeting(const Envelope& envelope, std::span<const std::byte> bytes) noexcept;
    void greeted(const Greeting& greeting, std::span<const std::byte> bytes);
    void pinged(const Envelope& envelope, const Greeting& greeting);
    void adopt(Peer& peer, const Greeting& greeting);
    Address* address_of(const Greeting& greeting);
    void take_request(Arrival& arrival) noexcept;
    void take_connection_events() noexcept;
    void take_class_requests() noexcept;
    Channel* channel_of(const fid* endpoint) noexcept;
    Channel* channel_with(std::uint64_t token) noexcept;
    void connection_lost(Channel& channel, int error) noexcept;

    // message.cpp
    void start_receive(Op& op);
    void take_envelope(std::span<const std::byte> bytes) noexcept;
    void take_frames(Peer& peer, std::span<const std::byte> bytes);
    const char* take_frame_of(Peer& peer, const Frame& frame, std::span<const std::byte> part);
    void deliver(Peer& peer, FrameType type, na_tag_t tag, std::span<const std::byte> bytes);
    void stash(Peer& peer, na_tag_t tag, std::span<const std::byte> bytes);
    void place(Op& op, na_tag_t tag, Address& source, std::span<const std::byte> bytes);
    void unstash(Op& op);
    void taken(Peer& peer, std::size_t size);

    // output.cpp
    void start_send(Op& op);
    Filled fill_from(Peer& peer, Op& op);
    bool check_size(const Peer& peer, const Op& op) noexcept;
    Slot* open_envelope(Peer& peer);
    Slot* new_slot() noexcept;
    void seal(Peer& peer) noexcept;
    void fill(Peer& peer);
    void write_out(Peer& peer) noexcept;
    void pump(Peer& peer) noexcept;
    void flush_or_gather(Peer& peer);
    void mark_dirty(Peer& peer);
    void flush_dirty() noexcept;

    // rma.cpp
    Status post_rma(Op& op, OpKind kind, const na_rma& rma);
    void start_rma(Op& op);
    void start_pieces(Peer& peer) noexcept;
    bool start_piece(Peer& peer, Op& op) noexcept;
    void piece_ended(Slot& slot, na_return_t code) noexcept;
    void end_rma(Op& op, na_return_t code) noexcept;
    void forget_pieces(Op& op) noexcept;
    void cut_off_ending(Peer& peer) noexcept;
    void bulk_lost(Peer& peer, na_return_t code) noexcept;
    void renew_bulk(Peer& peer) noexcept;

    // completion.cpp
    bool take_completions() noexcept;
    void take_errors() noexcept;
    void slot_back(Slot& slot, std::size_t size, int error) noexcept;
    void post_receives() noexcept;

    // watch.cpp
    void look_around(std::int64_t now) noexcept;
    void look_at(Peer& peer, std::int64_t now, std::int64_t looked) noexcept;
    void probe(Peer& peer, std::int64_t now) noexcept;
    bool needs_looks() const noexcept;
    void set_alarm() noexcept;

    // progress.cpp
    void poll_inside(unsigned& count);
    void cancel_inside(Op& op);

    Class& cls_;
    const std::uint8_t id_;
    na::sdk::Serial serial_;
    // In the order of opening; the slots' bytes outlive the endpoint that may write them.
    SlotPool receives_;
    SlotPool sends_;
    SlotPool pieces_;
    Endpoint endpoint_;
    FileDescriptor epoll_;
    FileDescriptor alarm_;
    EventFd wake_;
    std::atomic<int> posted_{0};

    // Inside the serial.
    bool armed_ = false;  // a thread sleeps, or is about to
    bool look_ = false;   // the next poll looks at everything
    bool nudge_ = false;  // what was given to the library goes when its completions are read
    unsigned polls_ = 0;
    std::uint64_t pass_ = 1;
    std::uint64_t completions_ = 0;
    std::uint64_t transfers_ = 0;   // begun
    std::uint64_t operations_ = 0;  // of the library for them
    std::size_t named_ = 0;         // operations that name a peer
    std::int64_t next_look_ms_ = 0;
    std::int64_t last_look_ms_ = 0;
    Address* self_ = nullptr;
    Raw raw_;                     // of the endpoint, for greetings
    std::size_t connecting_ = 0;  // links that are not up yet
    SlotQueue unposted_;          // receives that the library did not take
    std::vector<std::unique_ptr<Channel>> channels_;
    std::vector<std::unique_ptr<Channel>> graveyard_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::vector<std::uint32_t> free_peers_;
    std::unordered_map<PeerKey, Peer*, PeerHash> peer_index_;
    Peer* last_peer_ = nullptr;
    Peer* loose_peers_ = nullptr;  // a list
    std::vector<Peer*> dirty_;     // has room for all peers
    std::vector<Peer*> work_;
    std::vector<Op*> ending_;  // RMA that waits for the library
    na::sdk::UnexpectedReceives unexpected_;
    na::sdk::ExpectedReceives expected_;
    std::deque<Stashed> stash_;

    // Filled by other contexts.
    Mutex inbox_mutex_;
    std::vector<Arrival> arrivals_;
    std::vector<Address*> forgotten_;  // one reference each
    std::atomic<bool> inbox_full_{false};
};

}  // namespace cinnabar::ofi
