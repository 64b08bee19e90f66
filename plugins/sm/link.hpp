// SPDX-License-Identifier: BSD-3-Clause
// A connection of one local context with one context of a peer: the socket whose hang-up is the
// peer's death, the two rings, the peer's doorbell, and what waits for them. Lives in its context's
// LinkTable and is touched only by the thread inside that context.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "na/base/file_descriptor.hpp"
#include "plugins/sm/doorbell.hpp"
#include "plugins/sm/handshake.hpp"
#include "plugins/sm/mapping_cache.hpp"
#include "plugins/sm/operation.hpp"
#include "plugins/sm/region.hpp"
#include "plugins/sm/remote_service.hpp"
#include "plugins/sm/ring.hpp"

namespace cinnabar::sm {

struct Rings {
    RingMemory from_connector;
    RingMemory from_acceptor;
};

enum class LinkState : std::uint8_t {
    retrying,  // the peer's queue of connections is full: connect again soon
    greeted,   // our greeting is sent, the answer has not come
    waiting,   // refused in favour of the peer's own connection, which is on its way
    accepted,  // a socket of unknown origin: its greeting has not come
    established,
    dead
};

struct Link {
    LinkState state = LinkState::retrying;
    std::uint8_t peer_id = 0;
    bool hot = false;      // its ring is looked at in every poll
    bool paused = false;   // not read: its stash is full
    bool blocked = false;  // something waits for room in the ring
    bool flushing = false;
    bool fence = true;  // one side has no membarrier: fence per message
    bool cross_memory = false;
    bool closing = false;    // its peer is gone: read what is left, whatever the limits
    bool attention = false;  // in the context's list of links to look at
    std::uint32_t slot = 0;  // in the table; also its bit in our doorbell page
    std::uint64_t watch = 0;
    Address* peer = nullptr;  // one reference
    FileDescriptor socket;
    pid_t pid = 0;
    std::uint64_t incarnation = 0;
    std::int64_t checked_ns = 0;  // when the socket was last seen not hung up

    Region region;
    RingProducer out;
    RingConsumer in;
    Region bell_region;
    std::uint32_t bell_bit = 0;
    std::uint32_t rung_epoch = 0;
    std::uint32_t max_unexpected = 0;  // bytes that the peer takes in a message
    std::uint32_t max_expected = 0;
    FileDescriptor bell_fd;

    std::uint64_t received = 0;  // messages, for the hot set
    std::uint64_t received_before = 0;
    std::size_t stashed = 0;  // bytes
    OpQueue queue;
    MappingCache mappings;
    RemoteService remote;
    std::unique_ptr<Link> next_dead;

    DoorbellPage& bell() const noexcept { return bell_region.as<DoorbellPage>(); }
};

// The links of a context: by peer for sends, by slot for doorbells and epoll events. A slot that
// was given up is recognised by its generation.
class LinkTable {
public:
    Link& add(std::unique_ptr<Link> link);
    // Enters it under its peer; there must be none.
    void name(Link& link);
    void unname(Link& link) noexcept;
    // Takes it out; also its name, if it has one.
    std::unique_ptr<Link> remove(Link& link) noexcept;

    Link* find(const Address& peer, std::uint8_t peer_id) noexcept {
        const void* key = peer.key(peer_id);
        Cached& cached =
            cache_[(reinterpret_cast<std::uintptr_t>(key) >> 6 ^ peer_id) % cache_size];
        if (cached.key == key) return cached.link;
        return find_slowly(key, cached);
    }
    Link* at_watch(std::uint64_t watch) const noexcept;
    // Calls visit(link) for the links whose doorbell bit this is.
    template <class Visit>
    void at_bit(std::uint32_t bit, Visit&& visit) {
        for (std::size_t slot = bit; slot < slots_.size(); slot += bell_bits)
            if (slots_[slot].link != nullptr) visit(*slots_[slot].link);
    }
    template <class Visit>
    void for_each(Visit&& visit) {
        for (std::size_t slot = 0; slot < slots_.size(); ++slot)
            if (slots_[slot].link != nullptr) visit(*slots_[slot].link);
    }

private:
    static constexpr std::size_t cache_size = 64;
    struct Cached {
        const void* key = nullptr;
        Link* link = nullptr;
    };
    struct Slot {
        std::unique_ptr<Link> link;
        std::uint32_t generation = 1;
    };
    Link* find_slowly(const void* key, Cached& cached) noexcept;

    Cached cache_[cache_size];
    std::unordered_map<const void*, Link*> names_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
};

}  // namespace cinnabar::sm
