// SPDX-License-Identifier: BSD-3-Clause
// How links come to be. A greeting asks, a welcome answers; both carry the same, and whichever
// comes first brings the link up, so two greetings that cross make one link. Who has its own way to
// the peer sends there, and takes what comes on any.
#include <cstring>
#include <utility>

#include "na/base/clock.hpp"
#include "na/base/log.hpp"
#include "na/base/random.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"
#include "plugins/ofi/error_code.hpp"

namespace cinnabar::ofi {

void Context::connect(Peer& peer) noexcept {
    try {
        begin_link(peer);
        Channel& channel = add_channel();
        channel.peer = &peer;
        peer.dialed = &channel;
        if (cls_.fabric().connected_kind()) {
            if (!dial(channel, peer)) {
                fail(peer, NA_HOSTUNREACH, "it cannot be connected to");
                return;
            }
        } else if (!endpoint_.reach(channel, peer.address->raw).ok()) {
            fail(peer, NA_HOSTUNREACH, "the library does not take its address");
            return;
        }
        greet(peer, Kind::hello);
    } catch (const std::exception& error) {
        fail(peer, NA_NOMEM, error.what());
    }
}

bool Context::dial(Channel& channel, const Peer& peer) {
    channel.token = random_u64();
    return endpoint_.connect(cls_.fabric(), channel, peer.address->raw, peer.id).ok();
}

// A second connection, for transfers alone: a long one does not hold up messages, and can be given
// up without them. The other side only accepts it.
void Context::connect_bulk(Peer& peer) noexcept {
    try {
        Channel& channel = add_channel();
        channel.peer = &peer;
        peer.bulk = &channel;
        channel.awaited = true;
        ++connecting_;
        if (!dial(channel, peer))
            fail(peer, NA_HOSTUNREACH, "it cannot be connected to for a transfer");
    } catch (const std::exception& error) {
        fail(peer, NA_NOMEM, error.what());
    }
}

Greeting Context::greeting_to(const Peer& peer) const {
    Greeting greeting;
    greeting.index = peer.index;
    greeting.nonce = peer.nonce;
    greeting.sender = id_;
    greeting.target = peer.id;
    greeting.listening = cls_.listening();
    greeting.window = options::window;
    greeting.max_unexpected = cls_.max_unexpected();
    greeting.max_expected = cls_.max_expected();
    greeting.token = peer.dialed != nullptr ? peer.dialed->token : 0;
    greeting.raw = raw_;
    greeting.name = cls_.self_name();
    return greeting;
}

// Queues a message about the link, behind what is queued already.
void Context::greet(Peer& peer, Kind kind) {
    seal(peer);
    Slot* slot = new_slot();
    if (slot == nullptr) {
        if (kind == Kind::hello || kind == Kind::welcome)
            fail(peer, NA_NOMEM, "no memory for a greeting");
        return;
    }
    Envelope envelope;
    envelope.kind = kind;
    envelope.index = peer.remote_index;
    envelope.nonce = peer.remote_nonce;
    envelope.received = peer.cost_taken;
    if (kind == Kind::bye) envelope.sequence = peer.next_out++;
    encode_envelope(envelope, slot->bytes);
    slot->used = envelope_header_size;
    if (kind != Kind::bye) {
        const Greeting greeting = greeting_to(peer);
        encode_greeting(greeting, slot->bytes + envelope_header_size);
        slot->used += greeting_size(greeting);
    }
    peer.sealed.push(*slot);
    write_out(peer);
}

// Answers somebody who has no link here, on a channel that lives for this message only.
void Context::answer(const Greeting& to, Kind kind, na_return_t code) noexcept {
    // Connected kind: the channel it came on is closed instead.
    if (Channel* channel = channel_with(to.token); channel != nullptr && channel->peer == nullptr)
        drop(*channel);
    if (cls_.fabric().connected_kind() || to.raw.empty()) return;
    Slot* slot = new_slot();
    if (slot == nullptr) return;
    Channel& channel = add_channel();
    if (!endpoint_.reach(channel, to.raw).ok()) {
        sends_.give(*slot);
        drop(channel);
        return;
    }
    Envelope envelope;
    envelope.kind = kind;
    envelope.index = to.index;
    envelope.nonce = to.nonce;
    Greeting greeting;
    greeting.nonce = 1;
    greeting.sender = id_;
    greeting.target = to.sender;
    greeting.code = static_cast<std::uint8_t>(code);
    encode_envelope(envelope, slot->bytes);
    encode_greeting(greeting, slot->bytes + envelope_header_size);
    slot->used = envelope_header_size + greeting_size(greeting);
    // Once: who asked asks again.
    slot->channel = &channel;
    if (endpoint_.post_send(channel, *slot) == 0) {
        slot->in_library = true;
        ++channel.in_library;
    } else {
        sends_.give(*slot);
        drop(channel);
    }
}

void Context::take_greeting(const Envelope& envelope, std::span<const std::byte> bytes) noexcept {
    try {
        Greeting greeting;
        if (!decode_greeting(bytes, greeting)) {
            log_warning(log_name, "{}: a greeting is malformed", cls_.self_name());
            return;
        }
        Peer* peer = peer_at(envelope.index, envelope.nonce);
        switch (envelope.kind) {
            case Kind::hello:
                greeted(greeting, bytes);
                break;
            case Kind::welcome:
                if (peer != nullptr && peer->phase == Phase::greeting) adopt(*peer, greeting);
                // Its greeting was of a link that it has given up since.
                if (peer != nullptr && peer->remote_nonce != greeting.nonce)
                    fail(*peer, NA_HOSTUNREACH, "it has begun anew");
                break;
            case Kind::reject:
                if (peer != nullptr)
                    fail(*peer, greeting.code == NA_ADDRNOTAVAIL ? NA_ADDRNOTAVAIL : NA_HOSTUNREACH,
                         "it does not know this link");
                break;
            case Kind::ping:
                if (peer == nullptr) answer(greeting, Kind::reject, NA_HOSTUNREACH);
                break;
            case Kind::data:
            case Kind::bye:
                break;
        }
    } catch (const std::exception& error) {
        log_warning(log_name, "{}: a greeting is lost: {}", cls_.self_name(), error.what());
    }
}

// Somebody asks for a link, or tells of his side of one that is being made.
void Context::greeted(const Greeting& greeting, std::span<const std::byte> bytes) {
    if (greeting.target != id_) {
        Arrival arrival;
        arrival.greeting.assign(bytes.begin(), bytes.end());
        if (!cls_.hand_over(greeting.target, arrival)) {
            log_warning(log_name, "{}: there is no context {} here", greeting.name,
                        greeting.target);
            answer(greeting, Kind::reject, NA_ADDRNOTAVAIL);
        }
        return;
    }
    Address* address = nullptr;
    if (!cls_.intern_peer(greeting, address).ok()) {
        log_warning(log_name, "{}: \"{}\" asks for a link, which is no name here", cls_.self_name(),
                    greeting.name);
        answer(greeting, Kind::reject, NA_HOSTUNREACH);
        return;
    }
    Peer& peer = *peer_of(*address, greeting.sender);
    na::sdk::unref(*address);
    if (peer.phase != Phase::idle && peer.remote_nonce != 0 && peer.remote_nonce != greeting.nonce)
        fail(peer, NA_HOSTUNREACH, "it has begun anew");
    if (peer.phase == Phase::idle) begin_link(peer);
    Channel* channel = channel_with(greeting.token);
    if (channel != nullptr && channel->peer == nullptr && peer.accepted == nullptr) {
        channel->peer = &peer;
        peer.accepted = channel;
    }
    if (peer.out() == nullptr) {
        if (cls_.fabric().connected_kind() || greeting.raw.empty()) {
            fail(peer, NA_HOSTUNREACH, "its greeting came on no connection");
            return;
        }
        Channel& made = add_channel();
        made.peer = &peer;
        peer.accepted = &made;
        if (!endpoint_.reach(made, greeting.raw).ok()) {
            fail(peer, NA_HOSTUNREACH, "the library does not take its address");
            return;
        }
    }
    if (peer.phase == Phase::greeting) adopt(peer, greeting);
    if (peer.phase == Phase::up) greet(peer, Kind::welcome);
    if (peer.phase == Phase::up) pump(peer);
}

// The other side is known: the link is up.
void Context::adopt(Peer& peer, const Greeting& greeting) {
    peer.remote_index = greeting.index;
    peer.remote_nonce = greeting.nonce;
    peer.window = std::min(options::window, greeting.window);
    peer.max_unexpected = std::min(cls_.max_unexpected(), greeting.max_unexpected);
    peer.max_expected = std::min(cls_.max_expected(), greeting.max_expected);
    // Datagram kind: another context than 0 has an endpoint of its own.
    Channel* channel = peer.out();
    if (!cls_.fabric().connected_kind() && channel == peer.dialed &&
        greeting.raw != peer.address->raw && !greeting.raw.empty()) {
        Channel& own = add_channel();
        if (!endpoint_.reach(own, greeting.raw).ok()) {
            fail(peer, NA_HOSTUNREACH, "the library does not take its address");
            return;
        }
        own.peer = &peer;
        peer.dialed = &own;
        channel->peer = nullptr;
        drop(*channel);
    }
    peer.phase = Phase::up;
    --connecting_;
    log_debug(log_name, "{} context {}: the link is up", peer.address->name, peer.id);
    mark_dirty(peer);
}

void Context::take_request(Arrival& arrival) noexcept {
    try {
        Channel& channel = add_channel();
        channel.token = arrival.token;
        if (!endpoint_.accept(cls_.fabric(), channel, *arrival.request).ok()) drop(channel);
    } catch (const std::exception& error) {
        log_warning(log_name, "{}: a connection is not accepted: {}", cls_.self_name(),
                    error.what());
    }
}

void Context::take_class_requests() noexcept {
    Arrival arrival;
    std::uint8_t target = 0;
    try {
        while (cls_.next_request(arrival, target)) {
            if (target == id_) {
                take_request(arrival);
            } else if (!cls_.hand_over(target, arrival)) {
                log_warning(log_name, "{}: a connection asks for context {}, which is not there",
                            cls_.self_name(), target);
                cls_.refuse_request(arrival);
            }
        }
    } catch (const std::exception& error) {
        log_warning(log_name, "{}: a connection is not accepted: {}", cls_.self_name(),
                    error.what());
    }
}

Channel* Context::channel_of(const fid* endpoint) noexcept {
    for (const auto& channel : channels_)
        if (channel->own != nullptr && &channel->own->fid == endpoint) return channel.get();
    return nullptr;
}

Channel* Context::channel_with(std::uint64_t token) noexcept {
    if (token == 0) return nullptr;
    for (const auto& channel : channels_)
        if (channel->token == token && channel->peer == nullptr) return channel.get();
    return nullptr;
}

void Context::connection_lost(Channel& channel, int error) noexcept {
    Peer* peer = channel.peer;
    if (peer == nullptr) {
        drop(channel);
        return;
    }
    // Of two that crossed, the other one may have made it.
    if (&channel == peer->dialed && !channel.up && peer->accepted != nullptr) {
        drop(channel);
        mark_dirty(*peer);
        return;
    }
    if (&channel == peer->bulk && channel.up) {
        bulk_lost(*peer, error == 0 ? NA_HOSTUNREACH : loss_of_fi(error));
        return;
    }
    fail(*peer, error == 0 ? NA_HOSTUNREACH : loss_of_fi(error),
         error == 0 ? "the connection was closed" : fi_strerror(error));
}

void Context::take_connection_events() noexcept {
    fid_eq* events = endpoint_.events();
    if (events == nullptr) return;
    struct alignas(fi_eq_cm_entry) {
        std::byte bytes[sizeof(fi_eq_cm_entry) + 256];
    } buffer;
    std::uint32_t event = 0;
    for (;;) {
        const ssize_t size = fi_eq_read(events, &event, &buffer, sizeof buffer, 0);
        if (size == -FI_EAVAIL) {
            fi_eq_err_entry error{};
            if (fi_eq_readerr(events, &error, 0) <= 0) return;
            if (Channel* channel = channel_of(error.fid))
                connection_lost(*channel, error.err == 0 ? FI_EIO : error.err);
            continue;
        }
        if (size < static_cast<ssize_t>(sizeof(fi_eq_cm_entry))) return;
        const auto* entry = reinterpret_cast<const fi_eq_cm_entry*>(&buffer);
        Channel* channel = channel_of(entry->fid);
        if (channel == nullptr) continue;
        if (event == FI_CONNECTED) {
            channel->up = true;
            if (std::exchange(channel->awaited, false)) --connecting_;
            if (channel->peer != nullptr) mark_dirty(*channel->peer);
        } else if (event == FI_SHUTDOWN) {
            connection_lost(*channel, 0);
        }
    }
}

}  // namespace cinnabar::ofi
