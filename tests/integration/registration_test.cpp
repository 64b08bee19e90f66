// SPDX-License-Identifier: BSD-3-Clause
// Procedures come, change and go, by name and by number, while peers call them.
#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::expect_log;

namespace {

hg_return_t respond_nothing(hg_handle_t handle) {
    serve_nothing(handle);
    return HG_SUCCESS;
}

int counted = 0;

hg_return_t respond_and_count(hg_handle_t handle) {
    ++counted;
    return respond_nothing(handle);
}

}  // namespace

CINNABAR_INTEGRATION("ids of names are the same everywhere, and known before registration",
                     all_setups) {
    Pair pair(setup);
    uint8_t flag = 9;
    hg_id_t before = 0;
    REQUIRE(HG_Registered_name(pair.client.cls(), "sum", &before, &flag) == HG_SUCCESS);
    CHECK(flag == 0);
    const hg_id_t id = pair.add("sum", nullptr, nullptr, serve_nothing);
    CHECK(id == before);
    // h = 5381; h = h * 33 + c, in 32 bits.
    CHECK(id == 193506202u);
    REQUIRE(HG_Registered_name(pair.client.cls(), "sum", nullptr, &flag) == HG_SUCCESS);
    CHECK(flag != 0);
    REQUIRE(HG_Registered(pair.client.cls(), id, &flag) == HG_SUCCESS);
    CHECK(flag != 0);
    REQUIRE(HG_Registered(pair.client.cls(), id + 1, &flag) == HG_SUCCESS);
    CHECK(flag == 0);
}

CINNABAR_INTEGRATION("all 64 bits of an id count", all_setups) {
    Pair pair(setup);
    counted = 0;
    constexpr hg_id_t low = 0x1234, high = 0xfedcba9800001234, higher = 0xfedcba9900001234;
    for (hg_class_t* cls : {pair.client.cls(), pair.server.cls()})
        for (const hg_id_t id : {low, high, higher, ~hg_id_t{0}})
            REQUIRE(HG_Register(cls, id, nullptr, nullptr,
                                id == high ? respond_and_count : respond_nothing) == HG_SUCCESS);
    for (const hg_id_t id : {low, high, higher, ~hg_id_t{0}}) {
        Call call(pair.client, pair.to, id);
        CHECK(pair.run(call) == HG_SUCCESS);
        CHECK(HG_Get_info(call.handle())->id == id);
    }
    CHECK(counted == 1);
}

CINNABAR_INTEGRATION("ids that differ in their upper halves only are told apart", all_setups) {
    Pair pair(setup);
    counted = 0;
    // So far apart that a table of slots has one place for all of them.
    for (hg_class_t* cls : {pair.client.cls(), pair.server.cls()})
        for (hg_id_t i = 1; i <= 200; ++i)
            REQUIRE(HG_Register(cls, i << 44 | 5, nullptr, nullptr,
                                i % 2 == 0 ? respond_and_count : respond_nothing) == HG_SUCCESS);
    Call call(pair.client, pair.to, hg_id_t{1} << 44 | 5);
    for (hg_id_t i = 1; i <= 200; ++i) {
        const int before = counted;
        REQUIRE(HG_Reset(call.handle(), pair.to.get(), i << 44 | 5) == HG_SUCCESS);
        REQUIRE(pair.run(call) == HG_SUCCESS);
        CHECK(counted == before + (i % 2 == 0 ? 1 : 0));
    }
}

CINNABAR_INTEGRATION("many procedures are told apart", all_setups) {
    Pair pair(setup);
    int served = -1;
    std::vector<hg_id_t> ids;
    for (int i = 0; i < 1000; ++i)
        ids.push_back(pair.add("procedure " + std::to_string(i), nullptr, nullptr,
                               [&served, i](hg_handle_t handle) {
                                   served = i;
                                   serve_nothing(handle);
                               }));
    Call call(pair.client, pair.to, ids[0]);
    for (int i = 0; i < 1000; i += 37) {
        REQUIRE(HG_Reset(call.handle(), pair.to.get(), ids[static_cast<std::size_t>(i)]) ==
                HG_SUCCESS);
        REQUIRE(pair.run(call) == HG_SUCCESS);
        CHECK(served == i);
    }
}

CINNABAR_INTEGRATION("registering again changes the callbacks and keeps the data", all_setups) {
    Pair pair(setup);
    counted = 0;
    constexpr hg_id_t id = 77;
    int data = 0;
    for (hg_class_t* cls : {pair.client.cls(), pair.server.cls()})
        REQUIRE(HG_Register(cls, id, nullptr, nullptr, respond_nothing) == HG_SUCCESS);
    REQUIRE(HG_Register_data(pair.server.cls(), id, &data, nullptr) == HG_SUCCESS);
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(counted == 0);
    cinnabar::test::allow_log("regist");
    REQUIRE(HG_Register(pair.server.cls(), id, nullptr, nullptr, respond_and_count) == HG_SUCCESS);
    CHECK(HG_Registered_data(pair.server.cls(), id) == &data);
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(counted == 1);
    uint8_t flag = 0;
    hg_proc_cb_t in = proc_blob, out = proc_blob;
    REQUIRE(HG_Registered_proc_cb(pair.server.cls(), id, &flag, &in, &out) == HG_SUCCESS);
    CHECK(flag != 0);
    CHECK(in == nullptr);
    CHECK(out == nullptr);
}

CINNABAR_INTEGRATION("a deregistered procedure is unknown to both sides", all_setups) {
    Pair pair(setup);
    int freed = 0;
    constexpr hg_id_t id = 78;
    for (hg_class_t* cls : {pair.client.cls(), pair.server.cls()})
        REQUIRE(HG_Register(cls, id, nullptr, nullptr, respond_nothing) == HG_SUCCESS);
    REQUIRE(HG_Register_data(pair.server.cls(), id, &freed,
                             [](void* data) { ++*static_cast<int*>(data); }) == HG_SUCCESS);
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    REQUIRE(HG_Deregister(pair.server.cls(), id) == HG_SUCCESS);
    CHECK(freed == 1);
    if (!setup.self) expect_log("not registered");
    // The handle made before is still valid; it is the server that does not know.
    CHECK(pair.run(call) == HG_NOENTRY);
    if (!setup.self) REQUIRE(HG_Deregister(pair.client.cls(), id) == HG_SUCCESS);
    cinnabar::test::allow_log("not registered");
    CHECK(HG_Deregister(pair.client.cls(), id) == HG_NOENTRY);
    hg_handle_t handle = HG_HANDLE_NULL;
    CHECK(HG_Create(pair.client.context(), pair.to.get(), id, &handle) == HG_NOENTRY);
    CHECK(HG_Register_data(pair.client.cls(), id, &freed, nullptr) == HG_NOENTRY);
    CHECK(HG_Registered_disable_response(pair.client.cls(), id, 1) == HG_NOENTRY);
    // And it may come back.
    for (hg_class_t* cls : {pair.client.cls(), pair.server.cls()})
        REQUIRE(HG_Register(cls, id, nullptr, nullptr, respond_nothing) == HG_SUCCESS);
    REQUIRE(HG_Reset(call.handle(), pair.to.get(), id) == HG_SUCCESS);
    CHECK(pair.run(call) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a request that waits for its trigger meets what is registered then",
                     all_setups) {
    Pair pair(setup);
    counted = 0;
    constexpr hg_id_t id = 79;
    REQUIRE(HG_Register(pair.client.cls(), id, nullptr, nullptr, nullptr) == HG_SUCCESS);
    Call call(pair.client, pair.to, id);
    REQUIRE(call.forward() == HG_SUCCESS);
    while (HG_Progress(pair.server.context(), 0) != HG_SUCCESS)
        (void)HG_Progress(pair.client.context(), 0);
    cinnabar::test::allow_log("regist");
    REQUIRE(HG_Register(pair.server.cls(), id, nullptr, nullptr, respond_and_count) == HG_SUCCESS);
    pair.wait([&] { return call.done(); });
    CHECK(call.ret() == HG_SUCCESS);
    CHECK(counted == 1);
}
