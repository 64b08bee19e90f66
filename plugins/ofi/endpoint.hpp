// SPDX-License-Identifier: BSD-3-Clause
// A context's part of the library: its completion queue, and either one endpoint for all peers with
// an address vector (datagram kind), or receives that the endpoints of all peers share, and an
// event queue (connected kind). And Channel: the way to one peer. Used inside the context's serial.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "na/base/result.hpp"
#include "plugins/ofi/fabric.hpp"
#include "plugins/ofi/frame.hpp"
#include "plugins/ofi/slot.hpp"

namespace cinnabar::ofi {

struct Peer;

struct Channel {
    Fid<fid_ep> own;       // connected kind
    fid_ep* ep = nullptr;  // own, or the one for all
    fi_addr_t address = FI_ADDR_UNSPEC;
    bool up = false;  // connected kind: established
    bool dead = false;
    bool awaited = false;     // counted by the context as not up yet
    std::uint64_t token = 0;  // connected kind: names it in the greeting
    Peer* peer = nullptr;
    std::uint32_t in_library = 0;  // slots that came this way
    std::int64_t since_ms = 0;     // of its death
    std::int64_t waited_ms = 0;    // to be up, while its context looked
};

class Endpoint {
public:
    // `source`: what the datagram endpoint binds to.
    Status open(const Fabric& fabric, bool blocking, const Raw& source);
    // Datagram kind: the bytes by which others reach it.
    const Raw& name() const noexcept { return name_; }

    // Datagram kind: the endpoint itself; nullptr otherwise.
    fid_ep* shared() const noexcept { return shared_.get(); }

    long post_receive(Slot& slot) noexcept;
    long post_send(Channel& channel, Slot& slot) noexcept;

    // Connected kind: begins a connection; FI_CONNECTED or an error follows as an event.
    Status connect(const Fabric& fabric, Channel& channel, const Raw& to, std::uint8_t target);
    // Takes a connection request; FI_CONNECTED follows.
    Status accept(const Fabric& fabric, Channel& channel, fi_info& request);
    // Datagram kind: makes the peer addressable; remove() undoes that.
    Status reach(Channel& channel, const Raw& to);
    void remove(Channel& channel) noexcept;

    // Both as the library's functions; -FI_EAGAIN: nothing there.
    long read(std::span<fi_cq_msg_entry> entries) noexcept {
        return fi_cq_read(completions_.get(), entries.data(), entries.size());
    }
    long read_error(fi_cq_err_entry& entry) noexcept {
        return fi_cq_readerr(completions_.get(), &entry, 0);
    }
    fid_cq* completions() const noexcept { return completions_.get(); }
    fid_eq* events() const noexcept { return events_.get(); }

private:
    Status open_connected(const Fabric& fabric);
    Status open_datagram(const Fabric& fabric, const Raw& source);
    Status bind_own(const Fabric& fabric, Channel& channel, fi_info& info);

    // In the order of opening: closed in reverse.
    Fid<fid_cq> completions_;
    Fid<fid_eq> events_;
    Fid<fid_ep> receives_;
    Fid<fid_av> peers_;
    Fid<fid_ep> shared_;
    Raw name_;
    std::size_t inject_size_ = 0;
};

// The descriptor on which a queue can be slept; -1 if it has none.
int wait_descriptor(fid* queue) noexcept;
// The library's name of an endpoint.
Result<Raw> name_of(fid* endpoint);
Status open_event_queue(const Fabric& fabric, bool blocking, Fid<fid_eq>& made);

}  // namespace cinnabar::ofi
