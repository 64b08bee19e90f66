// SPDX-License-Identifier: BSD-3-Clause
// The in-memory transport: posting, matching, polling, cancelling.
#include <cstring>
#include <utility>

#include "na/sdk/host.hpp"
#include "tests/support/memory_plugin_net.hpp"

namespace cinnabar::mem {

Status Context::open() {
    CINNABAR_TRY(event_.open());
    std::lock_guard lock(fabric().mutex);
    if (!cls_.contexts.emplace(id_, this).second)
        return log_error(NA_EXIST, subsystem, "{} has a context {} already", cls_.name, id_);
    return {};
}

Status Context::close() {
    std::lock_guard lock(fabric().mutex);
    if (const int posted = posted_.load(); posted > 0) {
        log_warning(subsystem, "context {} is not closed: {} operation(s) are posted", id_, posted);
        return NA_BUSY;
    }
    cls_.contexts.erase(id_);
    return {};
}

void Context::begin(Op& op, Op::Kind kind) {
    op.kind = kind;
    op.context = this;
    posted_.fetch_add(1);
}

void Context::finish(Op& op, na_return_t ret, std::size_t size) {
    done_.push_back({&op, {ret, 0, size, nullptr, nullptr, false}});
    event_.signal();
}

void Context::arrive(Packet&& packet) {
    inbox_.push_back(std::move(packet));
    event_.signal();
}

void Context::peer_is_gone(const Address& peer) {
    while (na::sdk::PostedReceive* receive = expected_.take_any_of(&peer))
        finish(static_cast<Op&>(*receive), NA_HOSTUNREACH);
}

Status Context::send(Packet::Kind kind, Op& op, const na_send& send) {
    std::lock_guard lock(fabric().mutex);
    const auto* bytes = static_cast<const std::byte*>(send.buf);
    begin(op, Op::Kind::send);
    fabric().post({kind, cls_.name, id_, static_cast<Address*>(send.dest)->name, send.dest_id, &op,
                   send.tag, std::vector<std::byte>(bytes, bytes + send.size)});
    return {};
}

Status Context::send_unexpected(Op& op, const na_send& message) {
    return send(Packet::Kind::unexpected, op, message);
}

Status Context::send_expected(Op& op, const na_send& message) {
    return send(Packet::Kind::expected, op, message);
}

Status Context::recv_unexpected(Op& op, const na_recv& recv) {
    std::lock_guard lock(fabric().mutex);
    begin(op, Op::Kind::receive_unexpected);
    op.buf = recv.buf;
    op.size = recv.size;
    unexpected_.post(op);
    if (stash_.empty()) return {};
    Packet packet = std::move(stash_.front());
    stash_.pop_front();
    match(packet);
    event_.signal();
    return {};
}

Status Context::recv_expected(Op& op, const na_recv& recv) {
    std::lock_guard lock(fabric().mutex);
    begin(op, Op::Kind::receive_expected);
    op.buf = recv.buf;
    op.size = recv.size;
    op.source = recv.source;
    op.source_id = recv.source_id;
    op.tag = recv.tag;
    expected_.post(op);
    return {};
}

Status Context::transfer(Packet::Kind kind, Op& op, const na_rma& rma) {
    std::lock_guard lock(fabric().mutex);
    const auto& remote = *static_cast<const Memory*>(rma.remote_mem);
    if (!static_cast<const Memory*>(rma.local_mem)->holds(rma.local_offset, rma.size) ||
        !remote.holds(rma.remote_offset, rma.size))
        return NA_INVALID_ARG;
    if (!remote.allows(kind == Packet::Kind::put ? NA_MEM_WRITE_ONLY : NA_MEM_READ_ONLY))
        return NA_PERMISSION;
    begin(op, Op::Kind::transfer);
    Packet packet{kind,          cls_.name, id_, static_cast<Address*>(rma.remote)->name,
                  rma.remote_id, &op};
    packet.rma = rma;
    fabric().post(std::move(packet));
    return {};
}

Status Context::put(Op& op, const na_rma& rma) {
    return transfer(Packet::Kind::put, op, rma);
}
Status Context::get(Op& op, const na_rma& rma) {
    return transfer(Packet::Kind::get, op, rma);
}

void Context::place(Op& op, const Packet& packet, Address* source) {
    const bool fits = packet.data.size() <= op.size;
    const std::size_t size = fits ? packet.data.size() : 0;
    if (size > 0) std::memcpy(op.buf, packet.data.data(), size);
    done_.push_back(
        {&op, {fits ? NA_SUCCESS : NA_MSGSIZE, packet.tag, size, source, nullptr, false}});
}

void Context::match(Packet& packet) {
    if (packet.kind == Packet::Kind::unexpected) {
        if (na::sdk::PostedReceive* receive = unexpected_.take())
            place(static_cast<Op&>(*receive), packet, cls_.intern(packet.from));
        else
            stash_.push_back(std::move(packet));
        return;
    }
    const auto source = cls_.addresses.find(packet.from);
    na::sdk::PostedReceive* receive =
        source == cls_.addresses.end() ? nullptr
                                       : expected_.take(source->second, packet.from_id, packet.tag);
    if (receive != nullptr)
        place(static_cast<Op&>(*receive), packet, nullptr);
    else
        log_debug(subsystem, "a message of {} with tag {} finds no receive", packet.from,
                  packet.tag);
}

bool Context::try_wait() {
    std::lock_guard lock(fabric().mutex);
    event_.drain();
    return inbox_.empty() && done_.empty();
}

Status Context::poll(unsigned int& count) {
    std::vector<Done> done;
    {
        std::lock_guard lock(fabric().mutex);
        event_.drain();
        for (Packet& packet : inbox_)
            match(packet);
        inbox_.clear();
        done.swap(done_);
    }
    for (const Done& each : done) {
        posted_.fetch_sub(1);
        na::sdk::complete(*each.op, each.completion);
    }
    count = static_cast<unsigned int>(done.size());
    return {};
}

Status Context::cancel(Op& op) {
    {
        std::lock_guard lock(fabric().mutex);
        auto& packets = fabric().in_flight;
        const auto packet = std::find_if(packets.begin(), packets.end(),
                                         [&](const Packet& each) { return each.op == &op; });
        if (packet != packets.end())
            packets.erase(packet);
        else if (op.posted && op.kind == Op::Kind::receive_unexpected)
            unexpected_.remove(op);
        else if (op.posted && op.kind == Op::Kind::receive_expected)
            expected_.remove(op);
        else
            return {};
    }
    posted_.fetch_sub(1);
    na::sdk::complete(op, NA_CANCELED);
    return {};
}

}  // namespace cinnabar::mem
