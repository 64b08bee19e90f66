// SPDX-License-Identifier: BSD-3-Clause
// Peers, the channels that lead to them, and what ends when a link is lost.
#include <algorithm>
#include <utility>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "na/base/random.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"

namespace cinnabar::ofi {

Peer* Context::peer_of(Address& address, std::uint8_t id) {
    if (last_peer_ != nullptr && last_peer_->address == &address && last_peer_->id == id)
        return last_peer_;
    Peer*& entry = peer_index_[{&address, id}];
    if (entry == nullptr) {
        if (free_peers_.empty()) {
            peers_.emplace_back();
            // Room for all of them, so that a peer is marked and dropped without allocating.
            for (std::vector<Peer*>* list : {&dirty_, &work_})
                list->reserve(peers_.capacity());
            free_peers_.reserve(peers_.capacity());
            free_peers_.push_back(static_cast<std::uint32_t>(peers_.size() - 1));
        }
        auto made = std::make_unique<Peer>();
        made->index = free_peers_.back();
        made->address = &address;
        made->id = id;
        free_peers_.pop_back();
        na::sdk::ref(address);
        entry = made.get();
        peers_[made->index] = std::move(made);
    }
    last_peer_ = entry;
    return entry;
}

Peer* Context::peer_at(std::uint32_t index, std::uint64_t nonce) noexcept {
    if (index >= peers_.size() || peers_[index] == nullptr || nonce == 0) return nullptr;
    Peer& peer = *peers_[index];
    return peer.phase != Phase::idle && peer.nonce == nonce ? &peer : nullptr;
}

void Context::name(Op& op, Peer& peer) noexcept {
    op.peer = &peer;
    ++peer.users;
    ++named_;
}

void Context::loosen(Peer& peer) noexcept {
    if (peer.loose || peer.users != 0 || peer.phase != Phase::idle) return;
    peer.loose = true;
    peer.next_loose = std::exchange(loose_peers_, &peer);
}

void Context::drop_loose() {
    while (Peer* peer = loose_peers_) {
        loose_peers_ = peer->next_loose;
        peer->loose = false;
        if (peer->users != 0 || peer->phase != Phase::idle) continue;
        if (last_peer_ == peer) last_peer_ = nullptr;
        if (peer->dirty) std::erase(dirty_, peer);
        std::replace(work_.begin(), work_.end(), peer, static_cast<Peer*>(nullptr));
        Address* address = peer->address;
        peer_index_.erase({address, peer->id});
        free_peers_.push_back(peer->index);
        peers_[peer->index].reset();
        na::sdk::unref(*address);
    }
}

Channel& Context::add_channel() {
    channels_.push_back(std::make_unique<Channel>());
    graveyard_.reserve(graveyard_.size() + channels_.size());
    return *channels_.back();
}

// Takes the way away. The library ends what is under way on it; those slots come back later.
void Context::drop(Channel& channel) noexcept {
    channel.dead = true;
    if (std::exchange(channel.awaited, false)) --connecting_;
    channel.since_ms = coarse_now_ms();
    if (channel.peer != nullptr) {
        if (channel.peer->dialed == &channel) channel.peer->dialed = nullptr;
        if (channel.peer->accepted == &channel) channel.peer->accepted = nullptr;
        if (channel.peer->bulk == &channel) channel.peer->bulk = nullptr;
        channel.peer = nullptr;
    }
    endpoint_.remove(channel);
    const auto found = std::find_if(channels_.begin(), channels_.end(),
                                    [&](const auto& entry) { return entry.get() == &channel; });
    graveyard_.push_back(std::move(*found));
    *found = std::move(channels_.back());
    channels_.pop_back();
}

// Frees the dead whose slots are back, and those whose slots the library keeps to itself.
void Context::bury() noexcept {
    const std::int64_t now = coarse_now_ms();
    for (std::size_t i = 0; i < graveyard_.size();) {
        Channel& channel = *graveyard_[i];
        if (channel.in_library > 0 && now - channel.since_ms < options::abandon_ms) {
            ++i;
            continue;
        }
        if (channel.in_library > 0) {
            // Its endpoint is closed, or its address removed: nothing more will be told of them.
            const auto forget = [&](Slot& slot) {
                if (slot.channel == &channel) slot.channel = nullptr;
            };
            sends_.for_each(forget);
            pieces_.for_each(forget);
        }
        graveyard_[i] = std::move(graveyard_.back());
        graveyard_.pop_back();
    }
}

// A link's state before anything was sent.
void Context::begin_link(Peer& peer) {
    peer.phase = Phase::greeting;
    peer.nonce = random_u64();
    peer.remote_nonce = 0;
    peer.remote_index = 0;
    peer.next_out = peer.next_in = 0;
    peer.cost_sent = peer.cost_received = 0;
    peer.cost_begun = peer.cost_taken = peer.cost_told = 0;
    peer.pieces = 0;
    peer.tries = 0;
    peer.refused = false;
    peer.sent_ms = coarse_now_ms();
    ++connecting_;
}

void Context::end_transfers(Peer& peer, na_return_t code) noexcept {
    while (Op* op = peer.transfers.pop())
        end_rma(*op, code);
    // Those given up before: of a closed connection nothing comes back to their memory.
    for (std::size_t i = 0; cls_.fabric().connected_kind() && i < ending_.size();) {
        Op& op = *ending_[i];
        if (op.peer != &peer) {
            ++i;
            continue;
        }
        ending_.erase(ending_.begin() + static_cast<std::ptrdiff_t>(i));
        forget_pieces(op);
        finish(op, op.end_code);
    }
    if (peer.pieces == 0) return;
    // Those that are all in the library are in no list: found by their pieces.
    pieces_.for_each([&](Slot& slot) {
        if (slot.op != nullptr && slot.op->peer == &peer && slot.op->state == OpState::in_flight)
            end_rma(*slot.op, code);
    });
}

void Context::fail(Peer& peer, na_return_t code, const char* why) noexcept {
    const bool pending = peer.users > 0;
    if (peer.phase != Phase::idle) {
        if (code == NA_PROTOCOL_ERROR || pending)
            log_warning(log_name, "{} context {}: {}; the link is closed", peer.address->name,
                        peer.id, why);
        else
            log_debug(log_name, "{} context {}: {}", peer.address->name, peer.id, why);
        if (peer.phase == Phase::greeting) --connecting_;
    }
    peer.phase = Phase::idle;
    peer.nonce = 0;
    peer.probe.reset();
    peer.partial.active = false;
    if (peer.open != nullptr) sends_.give(*std::exchange(peer.open, nullptr));
    while (Slot* slot = peer.sealed.pop())
        sends_.give(*slot);
    if (peer.dialed != nullptr) drop(*peer.dialed);
    if (peer.accepted != nullptr) drop(*peer.accepted);
    if (peer.bulk != nullptr) drop(*peer.bulk);
    // Held while its operations end: none of them is the last to name it.
    ++peer.users;
    while (Op* op = peer.messages.pop())
        finish(*op, code);
    end_transfers(peer, code);
    while (auto* receive = expected_.take_any_of(&peer))
        finish(static_cast<Op&>(*receive), code);
    --peer.users;
    loosen(peer);
}

}  // namespace cinnabar::ofi
