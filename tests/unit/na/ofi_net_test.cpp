// SPDX-License-Identifier: BSD-3-Clause
// What transfers of an ofi net cost: one operation of the library for as many segments of both
// sides as it takes at once; and that a peer has time to answer. Through na.h, two nets in one
// process, each stepped by the test.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "na.h"
#include "tests/support/log_check.hpp"

using namespace cinnabar::test;

namespace {

using Bytes = std::vector<unsigned char>;
using Segments = std::vector<na_segment>;

// The count is a line for those who look closely.
struct Debug {
    Debug() { NA_Set_log_level("debug"); }
    ~Debug() { NA_Set_log_level("warning"); }
};

struct Net {
    na_class_t* cls;
    na_context_t* context;
    explicit Net(bool listen)
        : cls(NA_Initialize(listen ? "ofi+tcp://127.0.0.1:0" : "ofi+tcp://127.0.0.1", listen)),
          context(NA_Context_create_sink(cls, 0)) {
        REQUIRE(context != nullptr);
    }
    ~Net() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
};

struct Region {
    Net& net;
    na_mem_handle_t* mem = nullptr;
    Region(Net& owner, Segments& segments) : net(owner) {
        REQUIRE(NA_Mem_handle_create_segments(net.cls, segments.data(), segments.size(),
                                              NA_MEM_READWRITE, &mem) == NA_SUCCESS);
        REQUIRE(NA_Mem_register(net.cls, mem, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
    }
    ~Region() {
        CHECK(NA_Mem_deregister(net.cls, mem) == NA_SUCCESS);
        NA_Mem_handle_free(net.cls, mem);
    }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
};

// Unequal segments with gaps between them.
Segments cut(Bytes& bytes, std::size_t count) {
    Segments segments;
    for (std::size_t i = 0; i < count; ++i)
        segments.push_back({bytes.data() + i * 300, 200 + i % 97});
    return segments;
}

Bytes flat(const Segments& segments) {
    Bytes bytes;
    for (const na_segment& segment : segments) {
        const auto* base = static_cast<const unsigned char*>(segment.base);
        bytes.insert(bytes.end(), base, base + segment.len);
    }
    return bytes;
}

// Reads `there`, of a server, into `here`. Nobody polls for a while after the first operation.
void get(Segments& here, Segments& there, std::size_t size,
         std::chrono::milliseconds pause = std::chrono::milliseconds(0)) {
    Net server(true), client(false);
    const Region owned(server, there), local(client, here);
    Bytes form(NA_Mem_handle_get_serialize_size(server.cls, owned.mem));
    REQUIRE(NA_Mem_handle_serialize(server.cls, form.data(), form.size(), owned.mem) == NA_SUCCESS);
    na_mem_handle_t* remote = nullptr;
    REQUIRE(NA_Mem_handle_deserialize(client.cls, &remote, form.data(), form.size()) == NA_SUCCESS);
    na_addr_t *self = nullptr, *to = nullptr;
    REQUIRE(NA_Addr_self(server.cls, &self) == NA_SUCCESS);
    char text[256];
    std::size_t text_size = sizeof text;
    REQUIRE(NA_Addr_to_string(server.cls, text, &text_size, self) == NA_SUCCESS);
    REQUIRE(NA_Addr_lookup(client.cls, text, &to) == NA_SUCCESS);
    na_return_t ret = NA_RETURN_MAX;
    na_op_id_t* op = NA_Op_create(client.cls, 0);
    const auto done = [](const na_cb_info* info) {
        *static_cast<na_return_t*>(info->arg) = info->ret;
    };
    REQUIRE(NA_Get(client.cls, client.context, done, &ret, local.mem, 0, remote, 0, size, to, 0,
                   op) == NA_SUCCESS);
    std::this_thread::sleep_for(pause);
    while (ret == NA_RETURN_MAX)
        for (Net* net : {&client, &server})
            REQUIRE(NA_Poll(net->cls, net->context, nullptr) == NA_SUCCESS);
    CHECK(ret == NA_SUCCESS);
    NA_Op_destroy(client.cls, op);
    NA_Addr_free(client.cls, to);
    NA_Addr_free(server.cls, self);
    NA_Mem_handle_free(client.cls, remote);
}

}  // namespace

TEST_CASE("a transfer over 1,024 unequal segments costs clearly fewer operations") {
    constexpr std::size_t count = 1024, at_once = 4;
    const Debug debug;
    Bytes theirs(count * 300);
    std::iota(theirs.begin(), theirs.end(), static_cast<unsigned char>(1));
    Segments there = cut(theirs, count);
    const Bytes wanted = flat(there);
    SECTION("into segments of the same sizes") {
        // The library takes this many of each side.
        expect_log("1 transfers in " + std::to_string(count / at_once) + " operations");
        Bytes ours(theirs.size());
        Segments here = cut(ours, count);
        get(here, there, wanted.size());
        CHECK(flat(here) == wanted);
    }
    SECTION("into one piece") {
        expect_log("1 transfers in " + std::to_string(count / at_once) + " operations");
        Bytes ours(wanted.size());
        Segments here{{ours.data(), ours.size()}};
        get(here, there, wanted.size());
        CHECK(ours == wanted);
    }
    SECTION("out of one piece") {
        expect_log("1 transfers in " + std::to_string(count / at_once) + " operations");
        Bytes from = wanted, ours(theirs.size());
        Segments one{{from.data(), from.size()}}, here = cut(ours, count);
        get(here, one, wanted.size());
        CHECK(flat(here) == wanted);
    }
}

TEST_CASE("a peer is not given up for an answer that nobody has looked for") {
    Bytes theirs(1000, 7), ours(1000);
    Segments there{{theirs.data(), theirs.size()}}, here{{ours.data(), ours.size()}};
    // Longer than the patience with a peer that does not answer the connection request.
    get(here, there, theirs.size(), std::chrono::milliseconds(5500));
    CHECK(ours == theirs);
}
