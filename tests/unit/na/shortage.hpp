// SPDX-License-Identifier: BSD-3-Clause
// Out of memory, at every allocation in turn: operations end, with an error or without, and both
// nets serve on. For the test binary of any plugin, to be included in one file of it: it replaces
// operator new of the whole binary, which fails once, when asked.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "na.h"
#include "tests/support/log_check.hpp"

namespace {

// Allocations until the one that fails; 0: none does.
thread_local long failing = 0;

void* allocate(std::size_t size) {
    if (failing > 0 && --failing == 0) return nullptr;
    return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

// All of them are replaced together, which the compiler overlooks when it inlines some.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size) {
    if (void* memory = allocate(size)) return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
    return operator new(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
#pragma GCC diagnostic pop

namespace {

constexpr int message_count = 3;
constexpr std::size_t half = 512 * 1024;

struct Net {
    na_class_t* cls;
    na_context_t* context;
    explicit Net(const char* info, bool listen)
        : cls(NA_Initialize(info, listen)), context(NA_Context_create_sink(cls, 0)) {}
    ~Net() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
};

struct Op {
    Net& net;
    na_op_id_t* id;
    bool done = true;
    na_return_t ret = NA_SUCCESS;
    explicit Op(Net& owner) : net(owner), id(NA_Op_create(owner.cls, 0)) {}
    ~Op() { NA_Op_destroy(net.cls, id); }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;
    static void completed(const na_cb_info* info) {
        Op& op = *static_cast<Op*>(info->arg);
        op.ret = info->ret;
        if (info->type == NA_CB_RECV_UNEXPECTED && info->ret == NA_SUCCESS)
            NA_Addr_free(op.net.cls, info->info.recv_unexpected.source);
        op.done = true;
    }
    // It may complete inside the posting call.
    template <class Post>
    void post(Post&& call) {
        done = false;
        if (const na_return_t posting = call(); posting != NA_SUCCESS) {
            done = true;
            ret = posting;
        }
    }
};

// What a scenario works on, made while memory is not short.
struct Pair {
    Net server;
    Net client;
    na_addr_t* addr = nullptr;
    std::vector<char> there = std::vector<char>(2 * half, 't');
    std::vector<char> here = std::vector<char>(2 * half, 'h');
    na_mem_handle_t *owned = nullptr, *remote = nullptr, *local = nullptr;
    Op put, get;
    std::vector<std::unique_ptr<Op>> sends, receives;
    char buffers[message_count][64];

    explicit Pair(const char* listen_at, const char* protocol)
        : server(listen_at, true), client(protocol, false), put(client), get(client) {
        na_addr_t* self = nullptr;
        REQUIRE(NA_Addr_self(server.cls, &self) == NA_SUCCESS);
        char name[256];
        std::size_t size = sizeof name;
        REQUIRE(NA_Addr_to_string(server.cls, name, &size, self) == NA_SUCCESS);
        NA_Addr_free(server.cls, self);
        REQUIRE(NA_Addr_lookup(client.cls, name, &addr) == NA_SUCCESS);
        owned = make(server, there);
        local = make(client, here);
        std::vector<char> bytes(NA_Mem_handle_get_serialize_size(server.cls, owned));
        REQUIRE(NA_Mem_handle_serialize(server.cls, bytes.data(), bytes.size(), owned) == 0);
        REQUIRE(NA_Mem_handle_deserialize(client.cls, &remote, bytes.data(), bytes.size()) == 0);
        for (int i = 0; i < message_count; ++i) {
            sends.push_back(std::make_unique<Op>(client));
            receives.push_back(std::make_unique<Op>(server));
        }
    }
    ~Pair() {
        sends.clear();
        receives.clear();
        NA_Mem_handle_free(client.cls, remote);
        NA_Mem_handle_free(client.cls, local);
        NA_Mem_handle_free(server.cls, owned);
        NA_Addr_free(client.cls, addr);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    static na_mem_handle_t* make(Net& net, std::vector<char>& memory) {
        na_mem_handle_t* handle = nullptr;
        REQUIRE(NA_Mem_handle_create(net.cls, memory.data(), memory.size(), NA_MEM_READWRITE,
                                     &handle) == NA_SUCCESS);
        REQUIRE(NA_Mem_register(net.cls, handle, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
        return handle;
    }

    void post_receive(int i) {
        Op& op = *receives[static_cast<std::size_t>(i)];
        op.post([&] {
            return NA_Msg_recv_unexpected(server.cls, server.context, Op::completed, &op,
                                          buffers[i], sizeof buffers[i], nullptr, op.id);
        });
    }
    void post_send(int i) {
        Op& op = *sends[static_cast<std::size_t>(i)];
        op.post([&] {
            return NA_Msg_send_unexpected(client.cls, client.context, Op::completed, &op, "hello",
                                          6, nullptr, addr, 0, static_cast<na_tag_t>(i), op.id);
        });
    }
    void poll() {
        (void)NA_Poll(client.cls, client.context, nullptr);
        (void)NA_Poll(server.cls, server.context, nullptr);
    }
    bool sent() const {
        bool all = put.done && get.done;
        for (const auto& op : sends)
            all = all && op->done;
        return all;
    }
    bool received() const {
        bool all = true;
        for (const auto& op : receives)
            all = all && op->done;
        return all;
    }

    // Messages before and behind their receives, a put and a get. Every operation of the client
    // ends; receives are called back where the messages were lost.
    void run() {
        for (int i = 0; i < message_count; ++i)
            receives[static_cast<std::size_t>(i)]->done = true;
        post_receive(0);
        for (int i = 0; i < message_count; ++i)
            post_send(i);
        put.post([&] {
            return NA_Put(client.cls, client.context, Op::completed, &put, local, 0, remote, 0,
                          half, addr, 0, put.id);
        });
        get.post([&] {
            return NA_Get(client.cls, client.context, Op::completed, &get, local, half, remote,
                          half, half, addr, 0, get.id);
        });
        // Where memory is too short to keep a message, its connection waits for the receive.
        for (int i = 0; i < 10000 && !sent(); ++i)
            poll();
        for (int i = 1; i < message_count; ++i)
            post_receive(i);
        while (!sent())
            poll();
        for (int i = 0; i < 100 && !received(); ++i)
            poll();
        for (const auto& op : receives)
            if (!op->done) (void)NA_Cancel(server.cls, server.context, op->id);
        while (!received())
            poll();
    }
};

void survive(const char* listen_at, const char* protocol) {
    cinnabar::test::allow_log("");
    long most = 0;
    for (long n = 1; n <= most + 1; ++n) {
        Pair pair(listen_at, protocol);
        failing = n;
        pair.run();
        // Not reached: this run needed fewer allocations than n.
        if (failing == 0) most = n;
        failing = 0;
        // Whatever broke is made anew.
        bool served = false;
        while (!served) {
            pair.run();
            served = pair.put.ret == NA_SUCCESS && pair.get.ret == NA_SUCCESS;
            for (const auto& op : pair.sends)
                served = served && op->ret == NA_SUCCESS;
            for (const auto& op : pair.receives)
                served = served && op->ret == NA_SUCCESS;
        }
        CHECK(pair.there.front() == 'h');
        CHECK(pair.here.back() == 't');
    }
    CHECK(most > 5);
}

}  // namespace
