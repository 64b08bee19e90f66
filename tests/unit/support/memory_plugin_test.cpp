// SPDX-License-Identifier: BSD-3-Clause
// The test's hand on the in-memory transport: holding, stepping, dropping, failing, killing. That
// it is a proper transport is what the conformance suite says.
#include "tests/support/memory_plugin.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "na.h"

using namespace cinnabar::test;

namespace {

struct Side {
    Side() {
        register_memory_plugin();
        cls = NA_Initialize("na+mem://", true);
        REQUIRE(cls != nullptr);
        context = NA_Context_create(cls);
        REQUIRE(context != nullptr);
    }
    Side(const Side&) = delete;
    ~Side() {
        if (peer != nullptr) NA_Addr_free(cls, peer);
        for (na_op_id_t* op : ops)
            NA_Op_destroy(cls, op);
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    std::string address() const {
        na_addr_t* self = nullptr;
        REQUIRE(NA_Addr_self(cls, &self) == NA_SUCCESS);
        char text[256];
        std::size_t size = sizeof text;
        REQUIRE(NA_Addr_to_string(cls, text, &size, self) == NA_SUCCESS);
        NA_Addr_free(cls, self);
        return text;
    }
    void connect(const Side& other) {
        REQUIRE(NA_Addr_lookup(cls, other.address().c_str(), &peer) == NA_SUCCESS);
    }
    na_op_id_t* op() {
        ops.push_back(NA_Op_create(cls, 0));
        return ops.back();
    }
    void send(const char& byte) {
        REQUIRE(NA_Msg_send_unexpected(cls, context, note, this, &byte, 1, nullptr, peer, 0, 0,
                                       op()) == NA_SUCCESS);
    }
    void receive(char& byte) {
        REQUIRE(NA_Msg_recv_unexpected(cls, context, note, this, &byte, 1, nullptr, op()) ==
                NA_SUCCESS);
    }
    void progress() {
        REQUIRE(NA_Poll(cls, context, nullptr) == NA_SUCCESS);
        REQUIRE(NA_Trigger(context, 100, nullptr) == NA_SUCCESS);
    }
    static void note(const na_cb_info* info) {
        Side& self = *static_cast<Side*>(info->arg);
        self.results.push_back(info->ret);
        if (info->type == NA_CB_RECV_UNEXPECTED)
            NA_Addr_free(self.cls, info->info.recv_unexpected.source);
    }

    na_class_t* cls = nullptr;
    na_context_t* context = nullptr;
    na_addr_t* peer = nullptr;
    std::vector<na_op_id_t*> ops{};
    std::vector<na_return_t> results{};
};

struct Held {
    Held() { memory_net::hold(); }
    ~Held() { memory_net::release(); }
};

using Results = std::vector<na_return_t>;

}  // namespace

TEST_CASE("held messages arrive one by one when the test says so") {
    Side a, b;
    a.connect(b);
    const Held held;
    const char out[2] = {'x', 'y'};
    char in[2] = {};
    a.send(out[0]);
    a.send(out[1]);
    b.receive(in[0]);
    a.progress();
    b.progress();
    CHECK(a.results.empty());
    CHECK(memory_net::in_flight() == 2);
    REQUIRE(memory_net::deliver_one());
    a.progress();
    b.progress();
    CHECK(a.results == Results{NA_SUCCESS});
    CHECK(b.results == Results{NA_SUCCESS});
    CHECK(in[0] == 'x');
    b.receive(in[1]);
    REQUIRE(memory_net::deliver_one());
    CHECK_FALSE(memory_net::deliver_one());
    a.progress();
    b.progress();
    CHECK(in[1] == 'y');
}

TEST_CASE("a dropped message looks sent and never arrives") {
    Side a, b;
    a.connect(b);
    const Held held;
    const char out[2] = {'x', 'y'};
    char in = 0;
    a.send(out[0]);
    a.send(out[1]);
    b.receive(in);
    REQUIRE(memory_net::drop_one());
    REQUIRE(memory_net::deliver_one());
    a.progress();
    b.progress();
    CHECK(a.results == Results{NA_SUCCESS, NA_SUCCESS});
    CHECK(b.results == Results{NA_SUCCESS});
    CHECK(in == 'y');
}

TEST_CASE("a send fails with the code that the test chooses") {
    Side a, b;
    a.connect(b);
    const Held held;
    const char out = 'x';
    a.send(out);
    REQUIRE(memory_net::fail_one(NA_IO_ERROR));
    a.progress();
    CHECK(a.results == Results{NA_IO_ERROR});
}

TEST_CASE("a held send is cancelled") {
    Side a, b;
    a.connect(b);
    const Held held;
    const char out = 'x';
    a.send(out);
    REQUIRE(NA_Cancel(a.cls, a.context, a.ops[0]) == NA_SUCCESS);
    a.progress();
    CHECK(a.results == Results{NA_CANCELED});
    CHECK(memory_net::in_flight() == 0);
}

TEST_CASE("a killed peer ends what waits for it and what is sent to it") {
    Side a, b;
    a.connect(b);
    char in = 0;
    const char out = 'x';
    REQUIRE(NA_Msg_recv_expected(a.cls, a.context, Side::note, &a, &in, 1, nullptr, a.peer, 0, 5,
                                 a.op()) == NA_SUCCESS);
    memory_net::kill(b.address());
    a.progress();
    CHECK(a.results == Results{NA_HOSTUNREACH});
    a.send(out);
    a.progress();
    CHECK(a.results == Results{NA_HOSTUNREACH, NA_HOSTUNREACH});
}
