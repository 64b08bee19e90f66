// SPDX-License-Identifier: BSD-3-Clause
// Put and get of a ucx net, where they are messages of ours: forged handles, what a transfer costs
// in operations, and transfers taken back from an owner who does not look. Through na.h, two nets
// in one process, each stepped by the test.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <numeric>
#include <vector>

#include "na.h"
#include "na/base/little_endian.hpp"
#include "plugins/ucx/direct.hpp"
#include "plugins/ucx/greeting.hpp"
#include "plugins/ucx/options.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using namespace cinnabar::test;

namespace {

using Bytes = std::vector<unsigned char>;

struct Net {
    na_class_t* cls;
    na_context_t* context;
    Net(const std::string& protocol, bool listen)
        : cls(NA_Initialize(("ucx+" + protocol + "://127.0.0.1" + (listen ? ":0" : "")).c_str(),
                            listen)),
          context(NA_Context_create_sink(cls, 0)) {
        REQUIRE(context != nullptr);
    }
    ~Net() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    void poll() { REQUIRE(NA_Poll(cls, context, nullptr) == NA_SUCCESS); }
};

// Memory in segments, registered.
struct Region {
    Net& net;
    na_mem_handle_t* mem = nullptr;
    Region(Net& owner, std::vector<na_segment> segments, unsigned long flags) : net(owner) {
        REQUIRE(NA_Mem_handle_create_segments(net.cls, segments.data(), segments.size(), flags,
                                              &mem) == NA_SUCCESS);
        REQUIRE(NA_Mem_register(net.cls, mem, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
    }
    Region(Net& owner, Bytes& bytes, unsigned long flags = NA_MEM_READWRITE)
        : Region(owner, {{bytes.data(), bytes.size()}}, flags) {}
    ~Region() {
        CHECK(NA_Mem_deregister(net.cls, mem) == NA_SUCCESS);
        NA_Mem_handle_free(net.cls, mem);
    }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
    std::vector<std::byte> serialized() const {
        std::vector<std::byte> form(NA_Mem_handle_get_serialize_size(net.cls, mem));
        REQUIRE(NA_Mem_handle_serialize(net.cls, form.data(), form.size(), mem) == NA_SUCCESS);
        return form;
    }
};

struct Op {
    Net& net;
    na_op_id_t* id;
    bool done = true;
    na_return_t ret = NA_SUCCESS;
    na_tag_t tag = 0;
    std::vector<na_tag_t>* tags = nullptr;  // of messages, in the order in which they come
    explicit Op(Net& owner) : net(owner), id(NA_Op_create(owner.cls, 0)) {}
    ~Op() { NA_Op_destroy(net.cls, id); }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;
    static void completed(const na_cb_info* info) {
        auto& op = *static_cast<Op*>(info->arg);
        op.ret = info->ret;
        if (info->type == NA_CB_RECV_UNEXPECTED && info->ret == NA_SUCCESS) {
            op.tag = info->info.recv_unexpected.tag;
            NA_Addr_free(op.net.cls, info->info.recv_unexpected.source);
            if (op.tags != nullptr) op.tags->push_back(op.tag);
        }
        op.done = true;
    }
};

struct Pair {
    Net server;
    Net client;
    na_addr_t* to = nullptr;
    explicit Pair(const std::string& protocol) : server(protocol, true), client(protocol, false) {
        na_addr_t* self = nullptr;
        REQUIRE(NA_Addr_self(server.cls, &self) == NA_SUCCESS);
        char text[256];
        std::size_t size = sizeof text;
        REQUIRE(NA_Addr_to_string(server.cls, text, &size, self) == NA_SUCCESS);
        NA_Addr_free(server.cls, self);
        REQUIRE(NA_Addr_lookup(client.cls, text, &to) == NA_SUCCESS);
    }
    ~Pair() { NA_Addr_free(client.cls, to); }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    na_mem_handle_t* remote(const std::vector<std::byte>& form) {
        na_mem_handle_t* mem = nullptr;
        REQUIRE(NA_Mem_handle_deserialize(client.cls, &mem, form.data(), form.size()) ==
                NA_SUCCESS);
        return mem;
    }
    void post(Op& op, bool put, na_mem_handle_t* local, na_mem_handle_t* remote, std::size_t size) {
        op.done = false;
        const auto call = put ? NA_Put : NA_Get;
        REQUIRE(call(client.cls, client.context, Op::completed, &op, local, 0, remote, 0, size, to,
                     0, op.id) == NA_SUCCESS);
    }
    void finish(const Op& op) {
        while (!op.done) {
            client.poll();
            server.poll();
        }
    }
    na_return_t run(bool put, na_mem_handle_t* local, na_mem_handle_t* remote, std::size_t size) {
        Op op(client);
        post(op, put, local, remote, size);
        finish(op);
        return op.ret;
    }
};

// A handle's form with other bytes in it, and a sum that fits again. README.md has the layout.
template <class T>
std::vector<std::byte> forged(std::vector<std::byte> form, std::size_t at, T value) {
    store_le(form.data() + at, value);
    store_le(form.data() + 32, std::uint64_t{0});
    store_le(form.data() + 32, ucx::checksum(form));
    return form;
}

Bytes numbers(std::size_t size) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(1));
    return bytes;
}

// Lines of level debug for one test.
struct Debug {
    Debug() { NA_Set_log_level("debug"); }
    ~Debug() { NA_Set_log_level("warning"); }
};

}  // namespace

TEST_CASE("what a handle says of another's memory is not believed") {
    for (const char* protocol : {"tcp", "sm"}) {
        CAPTURE(protocol);
        expect_log("no such memory");
        expect_log("not permitted");
        Pair pair(protocol);
        // Once by chunks, once read directly.
        for (const std::size_t size : {1000u, 100'000u}) {
            Bytes theirs = numbers(size);
            Bytes ours(size + 1);
            const Region owned(pair.server, theirs, NA_MEM_READ_ONLY);
            const Region local(pair.client, ours);
            const auto form = owned.serialized();
            const auto attempt = [&](bool put, const std::vector<std::byte>& as,
                                     std::size_t bytes) {
                na_mem_handle_t* mem = pair.remote(as);
                const na_return_t ret = pair.run(put, local.mem, mem, bytes);
                NA_Mem_handle_free(pair.client.cls, mem);
                return ret;
            };
            const auto key = load_le<std::uint64_t>(form.data() + 40);
            CHECK(attempt(false, forged(form, 40, key + 1), size) == NA_INVALID_ARG);
            CHECK(attempt(false, forged(form, 8, std::uint64_t{size + 1}), size + 1) ==
                  NA_INVALID_ARG);
            CHECK(attempt(true, forged(form, 16, std::uint32_t{NA_MEM_READWRITE}), size) ==
                  NA_PERMISSION);
            CHECK(ours == Bytes(size + 1));
            CHECK(theirs == numbers(size));
            CHECK(attempt(false, form, size) == NA_SUCCESS);
            ours.pop_back();
            CHECK(ours == theirs);
        }
    }
}

TEST_CASE("a transfer costs fewer operations than it has segments") {
    constexpr std::size_t count = 1024;
    const Debug debug;
    for (const bool memory : {false, true}) {
        const std::size_t chunk = memory ? ucx::options::memory_chunk : ucx::options::network_chunk;
        Bytes theirs = numbers(count * 300);
        Bytes ours(theirs.size());
        std::vector<na_segment> there, here;
        std::size_t size = 0;
        for (std::size_t i = 0; i < count; ++i) {
            there.push_back({theirs.data() + i * 300, 200 + i % 97});
            here.push_back({ours.data() + size, there.back().len});
            size += there.back().len;
        }
        std::reverse(here.begin() + 5, here.end() - 5);
        const std::size_t operations = (size + chunk - 1) / chunk;
        REQUIRE(operations < count / 8);
        expect_log("transfers: 1 in 1 operations; of peers: 0 in 0");
        expect_log("transfers: 0 in 0 operations; of peers: 1 in " + std::to_string(operations));
        Pair pair(memory ? "sm" : "tcp");
        const Region owned(pair.server, there, NA_MEM_READ_ONLY);
        const Region local(pair.client, here, NA_MEM_READWRITE);
        na_mem_handle_t* mem = pair.remote(owned.serialized());
        CHECK(pair.run(false, local.mem, mem, size) == NA_SUCCESS);
        NA_Mem_handle_free(pair.client.cls, mem);
        const auto flat = [](const std::vector<na_segment>& segments) {
            Bytes bytes;
            for (const na_segment& segment : segments) {
                const auto* base = static_cast<const unsigned char*>(segment.base);
                bytes.insert(bytes.end(), base, base + segment.len);
            }
            return bytes;
        };
        CHECK(flat(here) == flat(there));
    }
}

TEST_CASE("over memory a large transfer is read from the other side") {
    const std::uint64_t proof = 4711;
    const auto at = reinterpret_cast<std::uintptr_t>(&proof);
    // Not everywhere is it allowed.
    const bool direct = ucx::can_read(static_cast<std::uint32_t>(::getpid()), at, proof);
    const Debug debug;
    constexpr std::size_t reads = 4;
    if (direct) {
        // A request and reads, and an offer that is read.
        expect_log("transfers: 2 in " + std::to_string(reads + 2) + " operations");
        expect_log("of peers: 2 in " + std::to_string(reads));
    }
    Pair pair("sm");
    Bytes theirs = numbers(reads * ucx::options::direct_chunk);
    Bytes ours(theirs.size());
    const Region owned(pair.server, theirs);
    const Region local(pair.client, ours);
    na_mem_handle_t* mem = pair.remote(owned.serialized());
    CHECK(pair.run(false, local.mem, mem, theirs.size()) == NA_SUCCESS);
    CHECK(ours == theirs);
    std::reverse(ours.begin(), ours.end());
    CHECK(pair.run(true, local.mem, mem, theirs.size()) == NA_SUCCESS);
    CHECK(ours == theirs);
    NA_Mem_handle_free(pair.client.cls, mem);
}

TEST_CASE("transfers with an owner who does not look can be taken back at once") {
    for (const char* protocol : {"tcp", "sm"}) {
        CAPTURE(protocol);
        Pair pair(protocol);
        constexpr std::size_t size = 4u << 20;
        Bytes theirs = numbers(size);
        Bytes ours = numbers(size);
        const Region owned(pair.server, theirs);
        const Region local(pair.client, ours);
        na_mem_handle_t* mem = pair.remote(owned.serialized());
        REQUIRE(pair.run(false, local.mem, mem, 100) == NA_SUCCESS);
        // More than the slots of a connection, in every state.
        std::vector<std::unique_ptr<Op>> ops;
        for (int i = 0; i < 150; ++i) {
            ops.push_back(std::make_unique<Op>(pair.client));
            pair.post(*ops.back(), i % 2 == 0, local.mem, mem, i % 3 == 0 ? size : 1000);
        }
        for (int i = 0; i < 100; ++i)
            pair.client.poll();
        for (const auto& op : ops) {
            REQUIRE(NA_Cancel(pair.client.cls, pair.client.context, op->id) == NA_SUCCESS);
            REQUIRE(op->done);
            CHECK(op->ret == NA_CANCELED);
        }
        // What is left of them does not reach the next.
        std::fill(ours.begin(), ours.end(), static_cast<unsigned char>(0));
        std::iota(theirs.begin(), theirs.end(), static_cast<unsigned char>(9));
        for (const std::size_t bytes : {std::size_t{1000}, size}) {
            REQUIRE(pair.run(false, local.mem, mem, bytes) == NA_SUCCESS);
            CHECK(std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(bytes),
                             theirs.begin()));
        }
        NA_Mem_handle_free(pair.client.cls, mem);
    }
}

TEST_CASE("messages posted without a look at the net in between all come, in order") {
    for (const char* protocol : {"tcp", "sm"}) {
        CAPTURE(protocol);
        Pair pair(protocol);
        constexpr std::size_t count = 100;
        std::vector<std::unique_ptr<Op>> receives, sends;
        std::vector<Bytes> out, in;
        // Of sizes that are gathered, fill a batch, and are sent by themselves.
        for (std::size_t i = 0; i < count; ++i) {
            out.push_back(Bytes(i % 10 == 9 ? 3000 : i * 7, static_cast<unsigned char>(i)));
            in.push_back(Bytes(4096));
        }
        std::vector<na_tag_t> tags;
        for (std::size_t i = 0; i < count; ++i) {
            receives.push_back(std::make_unique<Op>(pair.server));
            receives.back()->done = false;
            receives.back()->tags = &tags;
            REQUIRE(NA_Msg_recv_unexpected(pair.server.cls, pair.server.context, Op::completed,
                                           receives.back().get(), in[i].data(), in[i].size(),
                                           nullptr, receives.back()->id) == NA_SUCCESS);
        }
        for (std::size_t i = 0; i < count; ++i) {
            sends.push_back(std::make_unique<Op>(pair.client));
            sends.back()->done = false;
            REQUIRE(NA_Msg_send_unexpected(pair.client.cls, pair.client.context, Op::completed,
                                           sends.back().get(), out[i].data(), out[i].size(),
                                           nullptr, pair.to, 0, static_cast<na_tag_t>(i),
                                           sends.back()->id) == NA_SUCCESS);
            // Once connected, the rest is posted at one go.
            if (i == 0) pair.finish(*sends[0]);
        }
        for (std::size_t i = 0; i < count; ++i) {
            pair.finish(*receives[i]);
            pair.finish(*sends[i]);
            REQUIRE(receives[i]->ret == NA_SUCCESS);
            REQUIRE(sends[i]->ret == NA_SUCCESS);
            const Bytes& sent = out.at(receives[i]->tag);
            CHECK(std::equal(sent.begin(), sent.end(), in[i].begin()));
        }
        REQUIRE(tags.size() == count);
        CHECK(std::is_sorted(tags.begin(), tags.end()));
    }
}
