// SPDX-License-Identifier: BSD-3-Clause
// The in-memory transport: the wire between its classes, the test's hand on it, and the plugin's
// tables.
#include "tests/support/memory_plugin.hpp"

#include <cstring>
#include <utility>

#include "na/sdk/adapter.hpp"
#include "tests/support/memory_plugin_net.hpp"

namespace cinnabar::mem {

Fabric& fabric() {
    static auto* instance = new Fabric;
    return *instance;
}

void Fabric::deliver(Packet&& packet) {
    Op* op = packet.op;
    const auto target = classes.find(packet.to);
    if (target == classes.end()) return op->context->finish(*op, NA_HOSTUNREACH);
    if (packet.kind == Packet::Kind::unexpected || packet.kind == Packet::Kind::expected) {
        const auto context = target->second->contexts.find(packet.to_id);
        if (context == target->second->contexts.end())
            return op->context->finish(*op, NA_ADDRNOTAVAIL);
        op->context->finish(*op, NA_SUCCESS);
        return context->second->arrive(std::move(packet));
    }
    const na_rma& rma = packet.rma;
    const bool put = packet.kind == Packet::Kind::put;
    const auto& local = *static_cast<const Memory*>(rma.local_mem);
    const auto found = target->second->memories.find(static_cast<Memory*>(rma.remote_mem)->key());
    if (found == target->second->memories.end()) return op->context->finish(*op, NA_FAULT);
    const Memory& remote = *found->second;
    if (!remote.holds(rma.remote_offset, rma.size)) return op->context->finish(*op, NA_INVALID_ARG);
    if (rma.size == 0) return op->context->finish(*op, NA_SUCCESS);
    std::vector<std::byte> flat(rma.size);
    std::byte* at = flat.data();
    const auto take = [&](const void* from, std::size_t size) {
        std::memcpy(std::exchange(at, at + size), from, size);
    };
    const auto give = [&](void* to, std::size_t size) {
        std::memcpy(to, std::exchange(at, at + size), size);
    };
    put ? local.walk(rma.local_offset, rma.size, take)
        : remote.walk(rma.remote_offset, rma.size, take);
    at = flat.data();
    put ? remote.walk(rma.remote_offset, rma.size, give)
        : local.walk(rma.local_offset, rma.size, give);
    op->context->finish(*op, NA_SUCCESS);
}

void Fabric::remove(const std::string& name) {
    classes.erase(name);
    for (const auto& [other, cls] : classes)
        if (const auto peer = cls->addresses.find(name); peer != cls->addresses.end())
            for (const auto& [id, context] : cls->contexts)
                context->peer_is_gone(*peer->second);
}

namespace {

struct Plugin {
    static constexpr const char* name = "mem";
    static constexpr const char* class_name = "na";
    using Class = mem::Class;
    using Context = mem::Context;
    using Address = mem::Address;
    using Op = mem::Op;
    using Memory = mem::Memory;
    static bool check_protocol(std::string_view protocol) { return protocol == "mem"; }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        emit(arg, "mem", "mem");
    }
};

// In a forked child the parent's classes are freed without being closed: they are forgotten here.
void forget_all() {
    close_owned_descriptors();
    fabric().classes.clear();
    fabric().in_flight.clear();
}

const na_plugin* entry(const na_host* host) {
    static na_plugin table = na::sdk::Adapter<Plugin>::table;
    table.forked = forget_all;
    na::sdk::host_table = host;
    return &table;
}

}  // namespace
}  // namespace cinnabar::mem

namespace cinnabar::test {

void register_memory_plugin() {
    static const na_return_t once = NA_Plugin_register(mem::entry);
    (void)once;
}

na_plugin_entry_t memory_plugin_entry() {
    return mem::entry;
}

namespace memory_net {
namespace {

// Does something with the oldest packet in flight.
template <class Action>
bool with_oldest(Action&& action) {
    mem::Fabric& f = mem::fabric();
    std::lock_guard lock(f.mutex);
    if (f.in_flight.empty()) return false;
    mem::Packet packet = std::move(f.in_flight.front());
    f.in_flight.pop_front();
    action(f, packet);
    return true;
}

}  // namespace

void hold() {
    std::lock_guard lock(mem::fabric().mutex);
    mem::fabric().held = true;
}

void release() {
    {
        std::lock_guard lock(mem::fabric().mutex);
        mem::fabric().held = false;
    }
    while (deliver_one()) {
    }
}

std::size_t in_flight() {
    std::lock_guard lock(mem::fabric().mutex);
    return mem::fabric().in_flight.size();
}

bool deliver_one() {
    return with_oldest([](mem::Fabric& f, mem::Packet& packet) { f.deliver(std::move(packet)); });
}

bool drop_one() {
    return with_oldest([](mem::Fabric&, mem::Packet& packet) {
        if (packet.kind == mem::Packet::Kind::unexpected ||
            packet.kind == mem::Packet::Kind::expected)
            packet.op->context->finish(*packet.op, NA_SUCCESS);
    });
}

bool fail_one(na_return_t code) {
    return with_oldest([code](mem::Fabric&, mem::Packet& packet) {
        packet.op->context->finish(*packet.op, code);
    });
}

void kill(const std::string& address) {
    const std::size_t plus = address.find('+');
    std::lock_guard lock(mem::fabric().mutex);
    mem::fabric().remove(address.substr(plus == std::string::npos ? 0 : plus + 1));
}

}  // namespace memory_net
}  // namespace cinnabar::test
