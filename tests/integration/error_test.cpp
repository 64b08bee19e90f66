// SPDX-License-Identifier: BSD-3-Clause
// Whatever goes wrong at the target, the origin's callback learns it, each with its own code, and
// both sides serve on. Also what a peer sends that speaks NA but not RPC.
#include <atomic>
#include <cstring>

#include "na.h"
#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;

namespace {

// The pair still works.
void check_service(Pair& pair) {
    const hg_id_t id = pair.add("still there", proc_blob, proc_blob, serve_echo);
    Call call(pair.client, pair.to, id);
    Blob in(20, 1);
    CHECK(pair.run(call, &in) == HG_SUCCESS);
}

hg_return_t return_no_memory(hg_handle_t handle) {
    (void)HG_Destroy(handle);
    return HG_NOMEM;
}

hg_return_t return_fault_having_destroyed(hg_handle_t handle) {
    (void)HG_Destroy(handle);
    return HG_FAULT;
}

hg_return_t return_what_decoding_says(hg_handle_t handle) {
    Blob in;
    const hg_return_t ret = HG_Get_input(handle, &in);
    (void)HG_Destroy(handle);
    return ret;
}

}  // namespace

CINNABAR_INTEGRATION("an unknown procedure gives HG_NOENTRY", peer_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.client.add("unknown", proc_blob, proc_blob);
    if (!setup.self) expect_log("not registered");
    Call call(pair.client, pair.to, id);
    for (const std::size_t size : {10, 100000}) {
        Blob in(size, 1);
        CHECK(pair.run(call, &in) == HG_NOENTRY);
        CHECK(HG_Get_output_payload_size(call.handle()) == 0);
    }
    // One-way, nobody hears of it.
    REQUIRE(HG_Registered_disable_response(pair.client.cls(), id, 1) == HG_SUCCESS);
    Call silent(pair.client, pair.to, id);
    Blob in(10, 1);
    CHECK(pair.run(silent, &in) == HG_SUCCESS);
    check_service(pair);
}

CINNABAR_INTEGRATION("a procedure without a callback gives HG_INVALID_ARG", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("no callback", proc_blob, proc_blob);
    if (!setup.self) expect_log("registered without a callback");
    Call call(pair.client, pair.to, id);
    Blob in(10, 1);
    CHECK(pair.run(call, &in) == HG_INVALID_ARG);
    check_service(pair);
}

CINNABAR_INTEGRATION("arguments that cannot be decoded give the error of decoding", peer_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.client.add("undecodable", proc_blob, nullptr);
    (void)pair.server.add("undecodable", proc_undecodable, nullptr, [](hg_handle_t handle) {
        Blob in;
        (void)HG_Get_input(handle, &in);
        (void)HG_Destroy(handle);
    });
    const hg_id_t returned = pair.client.add("returned", proc_blob, nullptr);
    REQUIRE(HG_Register_name(pair.server.cls(), "returned", proc_undecodable, nullptr,
                             [](hg_handle_t handle) {
                                 Blob in;
                                 const hg_return_t ret = HG_Get_input(handle, &in);
                                 (void)HG_Destroy(handle);
                                 return ret;
                             }) == returned);
    for (const hg_id_t each : {id, returned}) {
        Call call(pair.client, pair.to, each);
        for (const std::size_t size : {10, 100000}) {
            Blob in(size, 1);
            CHECK(pair.run(call, &in) == HG_IO_ERROR);
        }
    }
    check_service(pair);
}

CINNABAR_INTEGRATION("arguments shorter than expected give HG_OVERFLOW", peer_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.client.add("short", proc_number, proc_blob);
    hg_return_t decoded = HG_SUCCESS;
    (void)pair.server.add("short", proc_bulk_request, proc_blob, [&](hg_handle_t handle) {
        BulkRequest in;
        decoded = HG_Get_input(handle, &in);
        (void)HG_Destroy(handle);
    });
    Call call(pair.client, pair.to, id);
    allow_log("");
    std::uint64_t number = 0;
    CHECK(pair.run(call, &number) == HG_OVERFLOW);
    CHECK(decoded == HG_OVERFLOW);
    check_service(pair);
}

CINNABAR_INTEGRATION("a callback that fails without responding gives its code", all_setups) {
    Pair pair(setup);
    struct Case {
        const char* name;
        hg_rpc_cb_t callback;
        hg_return_t code;
    };
    for (const Case each : {Case{"no memory", return_no_memory, HG_NOMEM},
                            Case{"decoding", return_what_decoding_says, HG_OVERFLOW}}) {
        for (hg_class_t* cls : {pair.client.cls(), pair.server.cls()})
            REQUIRE(HG_Register_name(cls, each.name, proc_blob, nullptr, each.callback) != 0);
        hg_id_t id = 0;
        uint8_t flag = 0;
        REQUIRE(HG_Registered_name(pair.client.cls(), each.name, &id, &flag) == HG_SUCCESS);
        Call call(pair.client, pair.to, id);
        allow_log("");
        // Without arguments there is nothing to decode.
        CHECK(pair.run(call) == each.code);
        CHECK(pair.run(call) == each.code);
    }
    check_service(pair);
}

CINNABAR_INTEGRATION("a callback that gives up its handle and fails gives its code", all_setups) {
    Pair pair(setup);
    for (hg_class_t* cls : {pair.client.cls(), pair.server.cls()})
        REQUIRE(HG_Register(cls, 88, nullptr, nullptr, return_fault_having_destroyed) ==
                HG_SUCCESS);
    Call call(pair.client, pair.to, 88);
    allow_log("");
    for (int i = 0; i < 20; ++i)
        CHECK(pair.run(call) == HG_FAULT);
    check_service(pair);
}

CINNABAR_INTEGRATION("a result that cannot be encoded gives the error of encoding", all_setups) {
    Pair pair(setup);
    hg_return_t responded = HG_SUCCESS;
    const hg_id_t id = pair.add("unencodable", nullptr, proc_unencodable, [&](hg_handle_t handle) {
        Blob out(10, 1);
        responded = HG_Respond(handle, nullptr, nullptr, &out);
        (void)HG_Destroy(handle);
    });
    expect_log("cannot be encoded");
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_IO_ERROR);
    CHECK(responded == HG_IO_ERROR);
    check_service(pair);
}

CINNABAR_INTEGRATION("arguments that cannot be encoded are not sent", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("unencodable", proc_unencodable, nullptr, serve_nothing);
    expect_log("cannot be encoded");
    Call call(pair.client, pair.to, id);
    Blob in(10, 1);
    CHECK(call.forward(&in) == HG_IO_ERROR);
    CHECK(HG_Ref_get(call.handle()) == 1);
    // The handle goes on, without arguments.
    CHECK(pair.run(call) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a result that cannot be decoded is the origin's matter", peer_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.client.add("unreadable", nullptr, proc_undecodable);
    (void)pair.server.add("unreadable", nullptr, proc_blob, [](hg_handle_t handle) {
        Blob out(10, 1);
        (void)HG_Respond(handle, nullptr, nullptr, &out);
        (void)HG_Destroy(handle);
    });
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    Blob out;
    CHECK(HG_Get_output(call.handle(), &out) == HG_IO_ERROR);
    CHECK(HG_Ref_get(call.handle()) == 1);
    CHECK(pair.run(call) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a call is cancelled once, before and after it has ended", peer_setups) {
    Pair pair(setup);
    std::vector<hg_handle_t> kept;
    const hg_id_t id =
        pair.add("keep", proc_blob, nullptr, [&](hg_handle_t handle) { kept.push_back(handle); });
    Call call(pair.client, pair.to, id);
    CHECK(HG_Cancel(call.handle()) == HG_SUCCESS);
    allow_log("cannot be fetched");
    allow_log("changed while");
    allow_log("a transfer was refused");
    for (const std::size_t size : {10, 100000}) {
        const int before = call.callbacks();
        Blob in(size, 1);
        // At once, or when it has been taken.
        REQUIRE(call.forward(&in) == HG_SUCCESS);
        REQUIRE(HG_Cancel(call.handle()) == HG_SUCCESS);
        pair.wait([&] { return call.done(); });
        CHECK(call.ret() == HG_CANCELED);
        for (int i = 0; i < 20; ++i)
            pair.step();
        for (hg_handle_t handle : std::exchange(kept, {}))
            serve_nothing(handle);
        REQUIRE(call.forward(&in) == HG_SUCCESS);
        pair.wait([&] { return !kept.empty(); });
        REQUIRE(HG_Cancel(call.handle()) == HG_SUCCESS);
        REQUIRE(HG_Cancel(call.handle()) == HG_SUCCESS);
        pair.wait([&] { return call.done(); });
        CHECK(call.ret() == HG_CANCELED);
        // The response comes too late and hurts nobody.
        for (hg_handle_t handle : std::exchange(kept, {}))
            serve_nothing(handle);
        for (int i = 0; i < 10; ++i)
            pair.step();
        CHECK(call.callbacks() == before + 2);
        CHECK(HG_Cancel(call.handle()) == HG_SUCCESS);
    }
    check_service(pair);
}

TEST_CASE("a call to oneself cannot be cancelled") {
    Pair pair(setup_named("self"));
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    Call call(pair.client, pair.to, id);
    REQUIRE(call.forward() == HG_SUCCESS);
    expect_log("cannot be cancelled");
    CHECK(HG_Cancel(call.handle()) == HG_OPNOTSUPPORTED);
    pair.wait([&] { return call.done(); });
    CHECK(call.ret() == HG_SUCCESS);
}
