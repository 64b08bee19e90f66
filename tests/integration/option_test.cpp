// SPDX-License-Identifier: BSD-3-Clause
// Options of a class, each by what it changes: checksums, early release of receive buffers, calls
// to oneself through the net, counters, and which of them a version of the struct has.
#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "na.h"
#include "tests/integration/peer.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::expect_log;

namespace {

SideOptions with_level(hg_checksum_level_t level) {
    SideOptions options;
    options.init.checksum_level = level;
    return options;
}

hg_diag_counters counters_of(const Side& side) {
    hg_diag_counters counters;
    REQUIRE(HG_Class_get_counters(side.cls(), &counters) == HG_SUCCESS);
    return counters;
}

// Keeps what it is asked until it is told to answer.
struct Held {
    std::vector<hg_handle_t> handles;
    Serve serve() {
        return [this](hg_handle_t handle) {
            Blob blob;
            REQUIRE(HG_Get_input(handle, &blob) == HG_SUCCESS);
            REQUIRE(HG_Free_input(handle, &blob) == HG_SUCCESS);
            handles.push_back(handle);
        };
    }
    void answer() {
        for (hg_handle_t handle : std::exchange(handles, {}))
            serve_nothing(handle);
    }
};

}  // namespace

CINNABAR_INTEGRATION("checksums of every level travel with calls of every size", all_setups) {
    const auto level = GENERATE(HG_CHECKSUM_NONE, HG_CHECKSUM_RPC_HEADERS, HG_CHECKSUM_RPC_PAYLOAD);
    CAPTURE(level);
    Pair pair(setup, with_level(level), with_level(level));
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    Call call(pair.client, pair.to, id);
    for (const std::size_t size : {0, 100, 100000}) {
        Blob in(size, 3);
        REQUIRE(pair.run(call, &in) == HG_SUCCESS);
        Blob out;
        REQUIRE(HG_Get_output(call.handle(), &out) == HG_SUCCESS);
        CHECK(out == in);
        CHECK(HG_Free_output(call.handle(), &out) == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("who asks for checksums refuses messages without them", peer_setups) {
    const auto level = GENERATE(HG_CHECKSUM_RPC_HEADERS, HG_CHECKSUM_RPC_PAYLOAD);
    const auto less = static_cast<hg_checksum_level_t>(level - 1);
    CAPTURE(level);
    SECTION("the server asks: the request is refused") {
        Pair pair(setup, with_level(less), with_level(level));
        const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
        Call call(pair.client, pair.to, id);
        Blob in(10, 1);
        expect_log("a request is refused: HG_CHECKSUM_ERROR");
        CHECK(pair.run(call, &in) == HG_CHECKSUM_ERROR);
    }
    SECTION("the client asks: the response is refused, the request is served") {
        Pair pair(setup, with_level(level), with_level(less));
        int served = 0;
        const hg_id_t id = pair.add("echo", proc_blob, proc_blob, [&](hg_handle_t handle) {
            ++served;
            serve_echo(handle);
        });
        Call call(pair.client, pair.to, id);
        Blob in(10, 1);
        expect_log("HG_CHECKSUM_ERROR");
        CHECK(pair.run(call, &in) == HG_CHECKSUM_ERROR);
        CHECK(served == 1);
    }
}

CINNABAR_INTEGRATION("a buffer that is released early receives the next request", peer_setups) {
    SideOptions options;
    options.init.request_post_init = 1;
    options.init.request_post_incr = -1;
    options.init.release_input_early = GENERATE(as<std::uint8_t>{}, 0, 1);
    const bool early = options.init.release_input_early != 0;
    CAPTURE(early);
    Pair pair(setup, {}, options);
    Held held;
    const hg_id_t id = pair.add("held", proc_blob, nullptr, held.serve());
    std::vector<std::unique_ptr<Call>> calls;
    for (unsigned i = 0; i < 8; ++i) {
        calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
        Blob in(100, i);
        REQUIRE(calls.back()->forward(&in) == HG_SUCCESS);
    }
    if (early) {
        pair.wait([&] { return held.handles.size() == 8; });
        // What was decoded is all there is.
        Blob blob;
        void* raw = nullptr;
        expect_log("there is no input to decode");
        CHECK(HG_Get_input(held.handles[0], &blob) == HG_FAULT);
        CHECK(HG_Get_input_buf(held.handles[0], &raw, nullptr) == HG_FAULT);
        CHECK(HG_Get_input_payload_size(held.handles[0]) == Blob(100, 0).encoded());
        CHECK(HG_Release_input_buf(held.handles[0]) == HG_SUCCESS);
    } else {
        pair.wait([&] { return held.handles.size() == 1; });
        for (int i = 0; i < 200; ++i)
            pair.step();
        CHECK(held.handles.size() == 1);
        // By hand it works as well.
        CHECK(HG_Release_input_buf(held.handles[0]) == HG_SUCCESS);
        pair.wait([&] { return held.handles.size() == 2; });
    }
    pair.wait([&] {
        held.answer();
        return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->done(); });
    });
    for (const auto& call : calls)
        CHECK(call->ret() == HG_SUCCESS);
}

CINNABAR_INTEGRATION("released buffers are used again and again", peer_setups) {
    SideOptions options;
    options.init.request_post_init = 4;
    options.init.request_post_incr = -1;
    options.init.release_input_early = 1;
    Pair pair(setup, {}, options);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 16; ++i)
        calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
    for (unsigned round = 0; round < 50; ++round) {
        for (auto& call : calls) {
            Blob in(round % 10 == 9 ? 50000 : 200, round);
            REQUIRE(call->forward(&in) == HG_SUCCESS);
        }
        pair.wait([&] {
            return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->done(); });
        });
        for (auto& call : calls)
            REQUIRE(call->ret() == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("small data comes along with its region unless that is switched off",
                     peer_setups) {
    SideOptions options;
    options.init.no_bulk_eager = GENERATE(as<std::uint8_t>{}, 0, 1);
    const bool along = options.init.no_bulk_eager == 0;
    CAPTURE(along);
    Pair pair(setup, options);
    hg_bulk_t kept = HG_BULK_NULL;
    const hg_id_t id = pair.add("keep", proc_bulk_request, nullptr, [&](hg_handle_t handle) {
        BulkRequest in;
        REQUIRE(HG_Get_input(handle, &in) == HG_SUCCESS);
        kept = in.bulk;
        REQUIRE(HG_Bulk_ref_incr(kept) == HG_SUCCESS);
        REQUIRE(HG_Free_input(handle, &in) == HG_SUCCESS);
        serve_nothing(handle);
    });
    std::string memory(100, 'a');
    std::string target(100, ' ');
    void* from = memory.data();
    void* into = target.data();
    const hg_size_t size = memory.size();
    BulkRequest in;
    hg_bulk_t local = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(pair.client.cls(), 1, &from, &size, HG_BULK_READ_ONLY, &in.bulk) ==
            HG_SUCCESS);
    REQUIRE(HG_Bulk_create(pair.server.cls(), 1, &into, &size, HG_BULK_WRITE_ONLY, &local) ==
            HG_SUCCESS);
    Call call(pair.client, pair.to, id);
    REQUIRE(pair.run(call, &in) == HG_SUCCESS);
    // What was there when the region was encoded, or what is there when it is read.
    memory.assign(100, 'b');
    const Address origin = pair.server.lookup(pair.client.self().text());
    hg_return_t result = HG_RETURN_MAX;
    REQUIRE(HG_Bulk_transfer(
                pair.server.context(),
                [](const hg_cb_info* info) {
                    *static_cast<hg_return_t*>(info->arg) = info->ret;
                    return HG_SUCCESS;
                },
                &result, HG_BULK_PULL, origin.get(), kept, 0, local, 0, size,
                HG_OP_ID_IGNORE) == HG_SUCCESS);
    pair.wait([&] { return result != HG_RETURN_MAX; });
    CHECK(result == HG_SUCCESS);
    CHECK(target == std::string(100, along ? 'a' : 'b'));
    for (hg_bulk_t each : {in.bulk, local, kept})
        CHECK(HG_Bulk_free(each) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("without loopback a call to oneself goes through the net", peer_setups) {
    SideOptions options;
    options.init.no_loopback = GENERATE(as<std::uint8_t>{}, 0, 1);
    const bool through_net = options.init.no_loopback != 0;
    CAPTURE(through_net);
    Side side(setup, options);
    const Address self = side.self();
    const hg_id_t id = side.add("echo", proc_blob, proc_blob, serve_echo);
    Call call(side, self, id);
    for (const std::size_t size : {10, 100000}) {
        Blob in(size, 1);
        REQUIRE(call.forward(&in) == HG_SUCCESS);
        side.wait([&] { return call.done(); });
        CHECK(call.ret() == HG_SUCCESS);
    }
    const std::uint64_t messages = through_net ? 2 : 0;
    CHECK(counters_of(side).rpc_req_sent_count == messages);
    CHECK(counters_of(side).rpc_resp_recv_count == messages);
}

CINNABAR_INTEGRATION("counters count messages, payloads that overflow, and transfers",
                     peer_setups) {
    Pair pair(setup);
    Held held;
    const hg_id_t echo = pair.add("echo", proc_blob, proc_blob, serve_echo);
    const hg_id_t kept = pair.add("held", proc_blob, nullptr, held.serve());
    Call call(pair.client, pair.to, echo);
    for (const std::size_t size : {10, 10, 100000}) {
        Blob in(size, 1);
        REQUIRE(pair.run(call, &in) == HG_SUCCESS);
    }
    Call waiting(pair.client, pair.to, kept);
    Blob in(10, 1);
    REQUIRE(waiting.forward(&in) == HG_SUCCESS);
    pair.wait([&] { return held.handles.size() == 1; });
    CHECK(counters_of(pair.server).rpc_req_recv_active_count == 1);
    held.answer();
    pair.wait([&] { return waiting.done(); });

    const hg_diag_counters client = counters_of(pair.client);
    CHECK(client.rpc_req_sent_count == 4);
    CHECK(client.rpc_resp_recv_count == 4);
    CHECK(client.rpc_req_extra_count == 1);
    CHECK(client.rpc_req_recv_count == 0);
    CHECK(client.bulk_count == 0);
    pair.wait([&] { return counters_of(pair.server).rpc_resp_sent_count == 4; });
    const hg_diag_counters server = counters_of(pair.server);
    CHECK(server.rpc_req_recv_count == 4);
    CHECK(server.rpc_resp_extra_count == 1);
    pair.wait([&] { return counters_of(pair.server).rpc_req_recv_active_count == 0; });

    CHECK(HG_Class_get_counters(nullptr, nullptr) == HG_INVALID_ARG);
    hg_diag_counters counters;
    CHECK(HG_Class_get_counters(nullptr, &counters) == HG_INVALID_ARG);
    CHECK(HG_Class_get_counters(pair.client.cls(), nullptr) == HG_INVALID_ARG);

    // What a context has counted stays when it goes.
    Call again(pair.client, pair.to, echo);
    pair.run(again, &in);
    hg_context_t* second = HG_Context_create_id(pair.client.cls(), 1);
    if (second != nullptr) {
        CHECK(HG_Context_destroy(second) == HG_SUCCESS);
        CHECK(counters_of(pair.client).rpc_req_sent_count == 5);
    }
}

namespace {

// What the log is given while it is ours.
std::string written;

int keep(FILE*, const char* format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    const int size = std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    written += line;
    return size;
}

}  // namespace

TEST_CASE("counters are written when a class with stats ends, and when asked for") {
    SideOptions options;
    options.init.stats = GENERATE(as<std::uint8_t>{}, 0, 1);
    written.clear();
    HG_Set_log_func(keep);
    {
        Pair pair(setup_named("tcp"), options);
        const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
        Call call(pair.client, pair.to, id);
        Blob in(10, 1);
        (void)pair.run(call, &in);
        written.clear();
        HG_Diag_dump_counters();
        CHECK(written.find("na+tcp: requests: 1 sent, 0 received") != std::string::npos);
        CHECK(written.find("na+tcp: requests: 0 sent, 1 received") != std::string::npos);
        written.clear();
    }
    CHECK((written.find("requests: 1 sent") != std::string::npos) == (options.init.stats != 0));
    written.clear();
    HG_Diag_dump_counters();
    CHECK(written.empty());
    cinnabar::test::install_log_check();
}
