// SPDX-License-Identifier: BSD-3-Clause
// Two nets of different limits: a sender is told what the other one does not take.
#include <array>
#include <catch2/catch.hpp>

#include "na.h"
#include "tests/support/log_check.hpp"

using cinnabar::test::expect_log;

namespace {

struct Net {
    na_class_t* cls = nullptr;
    na_context_t* context = nullptr;
    explicit Net(std::size_t message_size) {
        na_init_info info = NA_INIT_INFO_INITIALIZER;
        info.max_unexpected_size = info.max_expected_size = message_size;
        cls = NA_Initialize_opt("na+sm", true, &info);
        context = NA_Context_create_sink(cls, 0);
    }
    ~Net() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    void poll() { REQUIRE(NA_Poll(cls, context, nullptr) == NA_SUCCESS); }
};

struct Op {
    Net& net;
    na_op_id_t* id;
    bool done = false;
    na_return_t ret = NA_SUCCESS;
    na_addr_t* source = nullptr;
    explicit Op(Net& owner) : net(owner), id(NA_Op_create(owner.cls, 0)) {}
    ~Op() {
        if (source != nullptr) NA_Addr_free(net.cls, source);
        NA_Op_destroy(net.cls, id);
    }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;
    static void completed(const na_cb_info* info) {
        Op& op = *static_cast<Op*>(info->arg);
        op.done = true;
        op.ret = info->ret;
        if (info->type == NA_CB_RECV_UNEXPECTED) op.source = info->info.recv_unexpected.source;
    }
};

na_addr_t* lookup(Net& from, Net& to) {
    na_addr_t *self = nullptr, *found = nullptr;
    REQUIRE(NA_Addr_self(to.cls, &self) == NA_SUCCESS);
    std::array<char, 256> name{};
    std::size_t size = name.size();
    REQUIRE(NA_Addr_to_string(to.cls, name.data(), &size, self) == NA_SUCCESS);
    NA_Addr_free(to.cls, self);
    REQUIRE(NA_Addr_lookup(from.cls, name.data(), &found) == NA_SUCCESS);
    return found;
}

}  // namespace

TEST_CASE(
    "a message that the peer does not take ends with NA_MSGSIZE, before and after connecting") {
    Net small(4096);
    Net large(16384);
    na_addr_t* addr = lookup(large, small);
    const std::array<char, 16384> bytes{};
    expect_log("is more than the 4096");
    for (const std::size_t size : {std::size_t{4097}, std::size_t{4096}, std::size_t{16384}}) {
        Op sent(large);
        REQUIRE(NA_Msg_send_unexpected(large.cls, large.context, Op::completed, &sent, bytes.data(),
                                       size, nullptr, addr, 0, 1, sent.id) == NA_SUCCESS);
        while (!sent.done) {
            large.poll();
            small.poll();
        }
        CHECK(sent.ret == (size <= 4096 ? NA_SUCCESS : NA_MSGSIZE));
    }
    NA_Addr_free(large.cls, addr);
}

TEST_CASE("a message larger than its receive comes without a source") {
    Net target(4096);
    Net origin(4096);
    na_addr_t* addr = lookup(origin, target);
    const std::array<char, 100> bytes{};
    std::array<char, 64> buffer{};
    expect_log("does not fit the receive of 64");
    Op got(target), sent(origin);
    REQUIRE(NA_Msg_recv_unexpected(target.cls, target.context, Op::completed, &got, buffer.data(),
                                   buffer.size(), nullptr, got.id) == NA_SUCCESS);
    REQUIRE(NA_Msg_send_unexpected(origin.cls, origin.context, Op::completed, &sent, bytes.data(),
                                   bytes.size(), nullptr, addr, 0, 1, sent.id) == NA_SUCCESS);
    while (!got.done || !sent.done) {
        origin.poll();
        target.poll();
    }
    CHECK(sent.ret == NA_SUCCESS);
    CHECK(got.ret == NA_MSGSIZE);
    CHECK(got.source == nullptr);
    NA_Addr_free(origin.cls, addr);
}
