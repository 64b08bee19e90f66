// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/memory_plugin.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/base/log.hpp"
#include "na/sdk/adapter.hpp"
#include "na/sdk/matching.hpp"

namespace cinnabar::mem {
namespace {

constexpr std::string_view prefix = "mem://";
constexpr const char* subsystem = "na_mem";

class Class;
class Context;

struct Address {
    Address(Class& owner, std::string text) : cls(owner), name(std::move(text)) {}
    ~Address();
    Class& cls;
    std::string name;  // with the prefix
};

struct Op : na::sdk::PostedReceive {
    enum class Kind { send, receive_unexpected, receive_expected, transfer };
    Kind kind = Kind::send;
    Context* context = nullptr;
};

// What travels: a message with its bytes, or a put or get with its two ranges.
struct Packet {
    enum class Kind { unexpected, expected, put, get };
    Kind kind;
    std::string from;
    std::uint8_t from_id;
    std::string to;
    std::uint8_t to_id;
    Op* op;
    na_tag_t tag = 0;
    std::vector<std::byte> data{};
    na_rma rma{};
};

// A completion that the next poll of a context hands to libna.
struct Done {
    Op* op;
    na_completion completion;
};

struct Descriptor {
    static constexpr std::uint32_t expected_magic = 0x6d656d31;
    std::uint32_t magic;
    std::uint32_t flags;
    std::uint64_t key;
    std::uint64_t length;
};

class Memory {
public:
    ~Memory();
    Status create(Class& cls, const na_segment* segments, std::size_t count, unsigned long flags);
    Status register_memory(Class& cls, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class& cls);
    std::size_t serialize_size(Class&) const { return sizeof(Descriptor); }
    Status serialize(Class&, void* buf, std::size_t size) const;
    Status deserialize(Class&, const void* buf, std::size_t size);

    bool holds(na_offset_t offset, std::size_t size) const {
        return offset <= descriptor_.length && size <= descriptor_.length - offset;
    }
    bool allows(unsigned long direction) const { return (descriptor_.flags & direction) != 0; }
    std::uint64_t key() const { return descriptor_.key; }
    // Copies between a range of the segments and a flat buffer.
    template <class Copy>
    void walk(na_offset_t offset, std::size_t size, Copy&& copy) const;

private:
    Class* owner_ = nullptr;  // while registered
    std::vector<na_segment> segments_;
    Descriptor descriptor_{};
};

class Class {
public:
    ~Class();
    Status open(const na_plugin_open& info);
    void get_limits(na_limits& limits) const;
    Status lookup(std::string_view name, Address*& found);
    Status self(Address*& found) { return intern_locked(name, found); }
    Status set_remove(Address&) { return {}; }
    bool equal(const Address& a, const Address& b) const { return a.name == b.name; }
    bool is_self(const Address& address) const { return address.name == name; }
    Status to_string(const Address& address, char* buf, std::size_t& size) const;
    std::size_t serialize_size(const Address& address) const { return address.name.size(); }
    Status serialize(const Address& address, void* buf, std::size_t size) const;
    Status deserialize(const void* buf, std::size_t size, Address*& made);

    // The one object for a peer, with a new reference; fabric locked.
    Address* intern(const std::string& peer);

    std::string name;
    bool busy = false;
    std::size_t max_message = 4096;
    std::map<std::uint8_t, Context*> contexts;
    std::map<std::uint64_t, Memory*> memories;
    std::map<std::string, Address*> addresses;

private:
    Status intern_locked(const std::string& peer, Address*& found);
};

class Context {
public:
    Context(Class& cls, std::uint8_t id) : cls_(cls), id_(id) {}
    Status open();
    Status close();
    Status send_unexpected(Op& op, const na_send& send);
    Status recv_unexpected(Op& op, const na_recv& recv);
    Status send_expected(Op& op, const na_send& send);
    Status recv_expected(Op& op, const na_recv& recv);
    Status put(Op& op, const na_rma& rma);
    Status get(Op& op, const na_rma& rma);
    int get_fd() const { return cls_.busy ? -1 : event_.get(); }
    bool try_wait();
    Status poll(unsigned int& count);
    void wake() { event_.signal(); }
    Status cancel(Op& op);

    // All with the fabric locked.
    void arrive(Packet&& packet);
    void finish(Op& op, na_return_t ret, std::size_t size = 0);
    void peer_is_gone(const Address& peer);

private:
    void begin(Op& op, Op::Kind kind);
    Status send(Packet::Kind kind, Op& op, const na_send& send);
    Status transfer(Packet::Kind kind, Op& op, const na_rma& rma);
    void match(Packet& packet);
    void place(Op& op, const Packet& packet, Address* source);

    Class& cls_;
    std::uint8_t id_;
    EventFd event_;
    std::atomic<int> posted_{0};
    std::deque<Packet> inbox_;
    std::deque<Packet> stash_;  // unexpected messages without a receive
    std::vector<Done> done_;
    na::sdk::UnexpectedReceives unexpected_;
    na::sdk::ExpectedReceives expected_;
};

// All that the classes of this process share; its mutex protects everything in this file. libna is
// never called with it held, except to create and count up addresses.
struct Fabric {
    std::mutex mutex;
    std::map<std::string, Class*> classes;
    std::deque<Packet> in_flight;
    bool held = false;
    std::uint64_t next_name = 1;
    std::uint64_t next_key = 1;

    void post(Packet&& packet) {
        if (held)
            in_flight.push_back(std::move(packet));
        else
            deliver(std::move(packet));
    }
    void deliver(Packet&& packet);
    void remove(const std::string& name);
};

Fabric& fabric() {
    static auto* instance = new Fabric;
    return *instance;
}

// --- memory

Memory::~Memory() {
    if (owner_ != nullptr) (void) deregister_memory(*owner_);
}

Status Memory::create(Class&, const na_segment* segments, std::size_t count, unsigned long flags) {
    segments_.assign(segments, segments + count);
    descriptor_ = {Descriptor::expected_magic, static_cast<std::uint32_t>(flags), 0, 0};
    for (const na_segment& segment : segments_) descriptor_.length += segment.len;
    return {};
}

Status Memory::register_memory(Class& cls, na_mem_type type, std::uint64_t) {
    if (type != NA_MEM_TYPE_HOST) return NA_OPNOTSUPPORTED;
    std::lock_guard lock(fabric().mutex);
    owner_ = &cls;
    descriptor_.key = fabric().next_key++;
    cls.memories.emplace(descriptor_.key, this);
    return {};
}

Status Memory::deregister_memory(Class& cls) {
    std::lock_guard lock(fabric().mutex);
    cls.memories.erase(descriptor_.key);
    owner_ = nullptr;
    return {};
}

Status Memory::serialize(Class&, void* buf, std::size_t size) const {
    if (size < sizeof descriptor_) return NA_OVERFLOW;
    std::memcpy(buf, &descriptor_, sizeof descriptor_);
    return {};
}

Status Memory::deserialize(Class&, const void* buf, std::size_t size) {
    if (size < sizeof descriptor_) return NA_OVERFLOW;
    std::memcpy(&descriptor_, buf, sizeof descriptor_);
    return descriptor_.magic == Descriptor::expected_magic ? NA_SUCCESS : NA_PROTOCOL_ERROR;
}

template <class Copy>
void Memory::walk(na_offset_t offset, std::size_t size, Copy&& copy) const {
    for (const na_segment& segment : segments_) {
        if (offset >= segment.len) {
            offset -= segment.len;
            continue;
        }
        const std::size_t part = std::min<std::size_t>(size, segment.len - offset);
        copy(static_cast<std::byte*>(segment.base) + offset, part);
        size -= part;
        offset = 0;
        if (size == 0) return;
    }
}

// --- class and addresses

Address::~Address() {
    std::lock_guard lock(fabric().mutex);
    const auto found = cls.addresses.find(name);
    if (found != cls.addresses.end() && found->second == this) cls.addresses.erase(found);
}

bool is_peer_name(std::string_view text) {
    if (!text.starts_with(prefix) || text.size() == prefix.size() || text.size() > 64) return false;
    return std::all_of(text.begin() + prefix.size(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
}

Status Class::open(const na_plugin_open& info) {
    Fabric& f = fabric();
    std::lock_guard lock(f.mutex);
    std::string text(prefix);
    text += info.listen && *info.host != '\0' ? info.host : fmt::format("auto-{}", f.next_name++);
    if (!is_peer_name(text))
        return log_error(NA_INVALID_ARG, subsystem, "\"{}\" is not a name for a peer", text);
    if (f.classes.contains(text))
        return log_error(NA_ADDRINUSE, subsystem, "{} is in use", text);
    f.classes.emplace(text, this);
    name = std::move(text);
    busy = (info.init->progress_mode & NA_NO_BLOCK) != 0;
    max_message = std::max(max_message, info.init->max_unexpected_size);
    return {};
}

Class::~Class() {
    std::lock_guard lock(fabric().mutex);
    const auto found = fabric().classes.find(name);
    if (found != fabric().classes.end() && found->second == this) fabric().remove(name);
}

void Class::get_limits(na_limits& limits) const {
    limits.max_unexpected_size = limits.max_expected_size = max_message;
    limits.max_segments = 4096;
    limits.max_tag = NA_TAG_MAX;
}

Address* Class::intern(const std::string& peer) {
    Address*& entry = addresses[peer];
    if (entry == nullptr || !na::sdk::try_ref(*entry))
        entry = na::sdk::create_address<Address>(*this, *this, peer);
    return entry;
}

Status Class::intern_locked(const std::string& peer, Address*& found) {
    std::lock_guard lock(fabric().mutex);
    found = intern(peer);
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::lookup(std::string_view text, Address*& found) {
    if (!is_peer_name(text))
        return log_error(text.starts_with(prefix) ? NA_INVALID_ARG : NA_PROTONOSUPPORT, subsystem,
                         "\"{}\" is not an address: expected mem://name", text);
    return intern_locked(std::string(text), found);
}

Status Class::to_string(const Address& address, char* buf, std::size_t& size) const {
    const std::size_t given = std::exchange(size, address.name.size() + 1);
    if (buf == nullptr) return {};
    if (given < size) return NA_OVERFLOW;
    std::memcpy(buf, address.name.c_str(), size);
    return {};
}

Status Class::serialize(const Address& address, void* buf, std::size_t size) const {
    if (size < address.name.size()) return NA_OVERFLOW;
    std::memcpy(buf, address.name.data(), address.name.size());
    return {};
}

Status Class::deserialize(const void* buf, std::size_t size, Address*& made) {
    const std::string_view text(static_cast<const char*>(buf), size);
    if (!is_peer_name(text)) return NA_PROTOCOL_ERROR;
    return intern_locked(std::string(text), made);
}

// --- the wire

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
    std::vector<std::byte> flat(rma.size);
    std::byte* at = flat.data();
    const auto take = [&](const void* from, std::size_t size) {
        std::memcpy(std::exchange(at, at + size), from, size);
    };
    const auto give = [&](void* to, std::size_t size) {
        std::memcpy(to, std::exchange(at, at + size), size);
    };
    put ? local.walk(rma.local_offset, rma.size, take) : remote.walk(rma.remote_offset, rma.size, take);
    at = flat.data();
    put ? remote.walk(rma.remote_offset, rma.size, give) : local.walk(rma.local_offset, rma.size, give);
    op->context->finish(*op, NA_SUCCESS);
}

void Fabric::remove(const std::string& name) {
    classes.erase(name);
    for (const auto& [other, cls] : classes)
        if (const auto peer = cls->addresses.find(name); peer != cls->addresses.end())
            for (const auto& [id, context] : cls->contexts) context->peer_is_gone(*peer->second);
}

// --- context

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
    Packet packet{kind, cls_.name, id_, static_cast<Address*>(rma.remote)->name, rma.remote_id, &op};
    packet.rma = rma;
    fabric().post(std::move(packet));
    return {};
}

Status Context::put(Op& op, const na_rma& rma) { return transfer(Packet::Kind::put, op, rma); }
Status Context::get(Op& op, const na_rma& rma) { return transfer(Packet::Kind::get, op, rma); }

void Context::place(Op& op, const Packet& packet, Address* source) {
    const bool fits = packet.data.size() <= op.size;
    const std::size_t size = fits ? packet.data.size() : 0;
    if (size > 0) std::memcpy(op.buf, packet.data.data(), size);
    done_.push_back({&op, {fits ? NA_SUCCESS : NA_MSGSIZE, packet.tag, size, source, nullptr, false}});
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
        source == cls_.addresses.end()
            ? nullptr
            : expected_.take(source->second, packet.from_id, packet.tag);
    if (receive != nullptr)
        place(static_cast<Op&>(*receive), packet, nullptr);
    else
        log_debug(subsystem, "a message of {} with tag {} finds no receive", packet.from, packet.tag);
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
        for (Packet& packet : inbox_) match(packet);
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

const na_plugin* entry(const na_host* host) {
    na::sdk::host_table = host;
    return &na::sdk::Adapter<Plugin>::table;
}

}  // namespace
}  // namespace cinnabar::mem

namespace cinnabar::test {

void register_memory_plugin() {
    static const na_return_t once = NA_Plugin_register(mem::entry);
    (void) once;
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
