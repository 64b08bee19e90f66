// SPDX-License-Identifier: BSD-3-Clause
// The classes of the in-memory transport: what na/sdk/adapter.hpp turns into a plugin. They are
// used by the files memory_plugin*.cpp only; threads and ownership are those of na_plugin.h.
#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "na/base/event_fd.hpp"
#include "na/base/log.hpp"
#include "na/base/result.hpp"
#include "na/sdk/matching.hpp"
#include "na_plugin.h"

namespace cinnabar::mem {

inline constexpr std::string_view prefix = "mem://";
inline constexpr const char* subsystem = "na_mem";

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

Fabric& fabric();

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

}  // namespace cinnabar::mem
