// SPDX-License-Identifier: BSD-3-Clause
// What the conformance tests are written with: an opened class with its contexts, addresses,
// buffers and operations that give themselves back, and pump(), which polls until something has
// happened. Everything goes through na.h. Objects die before the Net they were made from.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "na.h"
#include "tests/conformance/codes.hpp"
#include "tests/conformance/transports.hpp"

namespace cinnabar::conformance {

class Address {
public:
    Address() = default;
    Address(na_class_t* cls, na_addr_t* addr) : cls_(cls), addr_(addr) {}
    Address(Address&& other) noexcept
        : cls_(other.cls_), addr_(std::exchange(other.addr_, nullptr)) {}
    Address& operator=(Address&& other) noexcept {
        std::swap(cls_, other.cls_);
        std::swap(addr_, other.addr_);
        return *this;
    }
    ~Address() { NA_Addr_free(cls_, addr_); }
    na_addr_t* get() const { return addr_; }
    std::string text() const;

private:
    na_class_t* cls_ = nullptr;
    na_addr_t* addr_ = nullptr;
};

struct NetOptions {
    bool listen = true;
    std::uint8_t contexts = 1;
    bool sink = false;
    std::string info{};       // instead of the transport's
    bool other_mode = false;  // busy where the transport is blocking, and the reverse
};

class Net {
public:
    explicit Net(const Transport& transport, const NetOptions& options = {});
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    ~Net();

    na_class_t* cls() const { return cls_; }
    na_context_t* context(std::uint8_t id = 0) const { return contexts_[id]; }
    Address self() const;
    Address lookup(const std::string& name) const;
    Address lookup(const Net& other) const { return lookup(other.self().text()); }
    // Polls and triggers every context once.
    void progress();
    // Closes now what the destructor would close.
    void close();

private:
    na_class_t* cls_ = nullptr;
    std::vector<na_context_t*> contexts_;
};

// A message buffer of a class with room for its header: size counts the payload only.
class Buffer {
public:
    Buffer(const Net& net, std::size_t size, unsigned char seed = 0, bool expected = false);
    Buffer(Buffer&& other) noexcept;
    Buffer(const Buffer&) = delete;
    ~Buffer();
    void* data() const { return memory_; }
    void* plugin_data() const { return plugin_data_; }
    std::size_t size() const { return header_ + payload_; }
    std::size_t header() const { return header_; }
    // Whether the payload, its first `size` bytes, is what a buffer made with this seed holds.
    bool holds(unsigned char seed, std::size_t size) const;

private:
    na_class_t* cls_;
    std::size_t header_;
    std::size_t payload_;
    void* plugin_data_ = nullptr;
    void* memory_;
};

// An operation that remembers how it ended. The completion must not outlive it: keep it until
// done().
class Op {
public:
    explicit Op(const Net& net);
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;
    ~Op();

    na_return_t send_unexpected(const Buffer& buffer, const Address& to, na_tag_t tag,
                                std::uint8_t to_id = 0, std::uint8_t from_id = 0);
    na_return_t recv_unexpected(const Buffer& buffer, std::uint8_t id = 0);
    na_return_t send_expected(const Buffer& buffer, const Address& to, na_tag_t tag,
                              std::uint8_t to_id = 0, std::uint8_t from_id = 0);
    na_return_t recv_expected(const Buffer& buffer, const Address& from, na_tag_t tag,
                              std::uint8_t from_id = 0, std::uint8_t id = 0);
    na_return_t cancel(std::uint8_t id = 0);

    // Completions so far: 1 for each post that succeeded, in the end.
    int completions() const { return completions_.load(std::memory_order_acquire); }
    bool done() const { return completions() > 0; }
    na_return_t ret() const { return ret_; }
    std::size_t size() const { return size_; }
    na_tag_t tag() const { return tag_; }
    const Address& source() const { return source_; }
    na_op_id_t* id() const { return id_; }
    void reset() { completions_.store(0, std::memory_order_relaxed); }

    // For posts that this class has no function for: give both to the call.
    static void on_complete(const na_cb_info* info);
    // Runs after the completion has been remembered.
    void (*then)(Op& op, void* arg) = nullptr;
    void* then_arg = nullptr;

private:
    const Net* net_;
    na_op_id_t* id_;
    std::atomic<int> completions_{0};
    na_return_t ret_ = NA_RETURN_MAX;
    std::size_t size_ = 0;
    na_tag_t tag_ = 0;
    Address source_;
};

// Two sides that know each other's address; one and the same class for a transport to itself.
struct Pair {
    explicit Pair(const Transport& transport, const NetOptions& options = {});
    std::unique_ptr<Net> own_a;
    std::unique_ptr<Net> own_b;  // none if a talks to itself
    Net& a;
    Net& b;
    Address to_b;  // of a
    Address to_a;  // of b
    void progress();
};

// Progresses until the condition holds; the watchdog bounds it.
template <class Side, class Condition>
void pump(Side& side, Condition&& condition) {
    while (!condition())
        side.progress();
}

// Lets b receive one unexpected message of a, with all checks. Used where a test needs a
// connection.
void exchange(Pair& pair, std::size_t size = 8, na_tag_t tag = 7);

}  // namespace cinnabar::conformance
