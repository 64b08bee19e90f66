// SPDX-License-Identifier: BSD-3-Clause
// Situation by situation, the code that a call gives at once. Codes that need a peer's part, large
// payloads or closing are with the tests of those (error_test, payload_test, handle_test,
// core_test).
#include <functional>
#include <string>
#include <vector>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

namespace {

// What the rows act on.
struct World {
    Pair& pair;
    hg_class_t* cls;
    hg_context_t* context;
    hg_addr_t to;
    hg_handle_t handle;  // bound, idle
    hg_handle_t blank;   // neither address nor id
    hg_bulk_t readable;  // 100 bytes in one segment
    hg_bulk_t writable;
    hg_id_t known;
};

constexpr hg_id_t unknown = 0xfffffffffffffff1;

struct Row {
    const char* situation;
    hg_return_t expected;
    std::function<hg_return_t(World&)> act;
};

hg_return_t ignore(const hg_cb_info*) {
    return HG_SUCCESS;
}

hg_return_t transfer(World& world, hg_bulk_op_t op, hg_bulk_t origin, hg_size_t origin_offset,
                     hg_bulk_t local, hg_size_t local_offset, hg_size_t size) {
    return HG_Bulk_transfer(world.context, ignore, nullptr, op, world.to, origin, origin_offset,
                            local, local_offset, size, HG_OP_ID_IGNORE);
}

hg_return_t create_bulk(World& world, std::uint32_t count, std::uint8_t flags,
                        const hg_size_t* sizes) {
    hg_bulk_t bulk = HG_BULK_NULL;
    const hg_return_t ret = HG_Bulk_create(world.cls, count, nullptr, sizes, flags, &bulk);
    (void)HG_Bulk_free(bulk);
    return ret;
}

const hg_size_t ten = 10;

const std::vector<Row> null_rows = {
    {"finalize", HG_INVALID_ARG, [](World&) { return HG_Finalize(nullptr); }},
    {"destroy context", HG_INVALID_ARG, [](World&) { return HG_Context_destroy(nullptr); }},
    {"unpost", HG_INVALID_ARG, [](World&) { return HG_Context_unpost(nullptr); }},
    {"set class data", HG_INVALID_ARG,
     [](World&) { return HG_Class_set_data(nullptr, nullptr, nullptr); }},
    {"set offset", HG_INVALID_ARG, [](World&) { return HG_Class_set_input_offset(nullptr, 0); }},
    {"register", HG_INVALID_ARG,
     [](World&) { return HG_Register(nullptr, 1, nullptr, nullptr, nullptr); }},
    {"registered, no flag", HG_INVALID_ARG,
     [](World& w) { return HG_Registered(w.cls, w.known, nullptr); }},
    {"lookup, no class", HG_INVALID_ARG,
     [](World&) {
         hg_addr_t addr;
         return HG_Addr_lookup2(nullptr, "na+tcp://127.0.0.1:1", &addr);
     }},
    {"lookup, no name", HG_INVALID_ARG,
     [](World& w) {
         hg_addr_t addr;
         return HG_Addr_lookup2(w.cls, nullptr, &addr);
     }},
    {"lookup, no room", HG_INVALID_ARG,
     [](World& w) { return HG_Addr_lookup2(w.cls, "na+tcp://127.0.0.1:1", nullptr); }},
    {"lookup without callback", HG_INVALID_ARG,
     [](World& w) {
         return HG_Addr_lookup1(w.context, nullptr, nullptr, "na+tcp://127.0.0.1:1", nullptr);
     }},
    {"self", HG_INVALID_ARG, [](World& w) { return HG_Addr_self(w.cls, nullptr); }},
    {"dup", HG_INVALID_ARG,
     [](World& w) {
         hg_addr_t addr;
         return HG_Addr_dup(w.cls, HG_ADDR_NULL, &addr);
     }},
    {"free address", HG_SUCCESS, [](World& w) { return HG_Addr_free(w.cls, HG_ADDR_NULL); }},
    {"set remove", HG_INVALID_ARG,
     [](World& w) { return HG_Addr_set_remove(w.cls, HG_ADDR_NULL); }},
    {"create, no context", HG_INVALID_ARG,
     [](World& w) {
         hg_handle_t handle;
         return HG_Create(nullptr, w.to, w.known, &handle);
     }},
    {"create, no room", HG_INVALID_ARG,
     [](World& w) { return HG_Create(w.context, w.to, w.known, nullptr); }},
    {"destroy", HG_SUCCESS, [](World&) { return HG_Destroy(HG_HANDLE_NULL); }},
    {"reset", HG_INVALID_ARG, [](World& w) { return HG_Reset(HG_HANDLE_NULL, w.to, w.known); }},
    {"ref", HG_INVALID_ARG, [](World&) { return HG_Ref_incr(HG_HANDLE_NULL); }},
    {"forward", HG_INVALID_ARG,
     [](World&) { return HG_Forward(HG_HANDLE_NULL, ignore, nullptr, nullptr); }},
    {"forward without address", HG_INVALID_ARG,
     [](World& w) { return HG_Forward(w.blank, ignore, nullptr, nullptr); }},
    {"respond", HG_INVALID_ARG,
     [](World&) { return HG_Respond(HG_HANDLE_NULL, ignore, nullptr, nullptr); }},
    {"cancel", HG_INVALID_ARG, [](World&) { return HG_Cancel(HG_HANDLE_NULL); }},
    {"get input", HG_INVALID_ARG, [](World& w) { return HG_Get_input(w.handle, nullptr); }},
    {"get output", HG_INVALID_ARG, [](World& w) { return HG_Get_output(w.handle, nullptr); }},
    {"free input", HG_INVALID_ARG, [](World& w) { return HG_Free_input(w.handle, nullptr); }},
    {"release input", HG_INVALID_ARG, [](World&) { return HG_Release_input_buf(HG_HANDLE_NULL); }},
    {"progress", HG_INVALID_ARG, [](World&) { return HG_Progress(nullptr, 0); }},
    {"trigger", HG_INVALID_ARG, [](World&) { return HG_Trigger(nullptr, 0, 1, nullptr); }},
    {"event progress", HG_INVALID_ARG, [](World&) { return HG_Event_progress(nullptr, nullptr); }},
    {"event trigger", HG_INVALID_ARG, [](World&) { return HG_Event_trigger(nullptr, 1, nullptr); }},
    {"free bulk", HG_SUCCESS, [](World&) { return HG_Bulk_free(HG_BULK_NULL); }},
    {"ref bulk", HG_INVALID_ARG, [](World&) { return HG_Bulk_ref_incr(HG_BULK_NULL); }},
    {"cancel bulk", HG_INVALID_ARG, [](World&) { return HG_Bulk_cancel(HG_OP_ID_NULL); }},
    {"transfer, no origin", HG_INVALID_ARG,
     [](World& w) { return transfer(w, HG_BULK_PULL, HG_BULK_NULL, 0, w.writable, 0, 1); }},
    {"transfer, no local", HG_INVALID_ARG,
     [](World& w) { return transfer(w, HG_BULK_PULL, w.readable, 0, HG_BULK_NULL, 0, 1); }},
};

const std::vector<Row> rows = {
    {"create with an unknown id", HG_NOENTRY,
     [](World& w) {
         hg_handle_t handle;
         return HG_Create(w.context, w.to, unknown, &handle);
     }},
    {"register data of an unknown id", HG_NOENTRY,
     [](World& w) { return HG_Register_data(w.cls, unknown, nullptr, nullptr); }},
    {"disable the response of an unknown id", HG_NOENTRY,
     [](World& w) { return HG_Registered_disable_response(w.cls, unknown, 1); }},
    {"ask for the response of an unknown id", HG_NOENTRY,
     [](World& w) {
         std::uint8_t flag;
         return HG_Registered_disabled_response(w.cls, unknown, &flag);
     }},
    {"deregister an unknown id", HG_NOENTRY,
     [](World& w) { return HG_Deregister(w.cls, unknown); }},
    {"ask for an unknown id", HG_SUCCESS,
     [](World& w) {
         std::uint8_t flag = 1;
         const hg_return_t ret = HG_Registered(w.cls, unknown, &flag);
         return flag == 0 ? ret : HG_OTHER_ERROR;
     }},
    {"register id 0", HG_INVALID_ARG,
     [](World& w) { return HG_Register(w.cls, 0, nullptr, nullptr, nullptr); }},
    {"reset to an unknown id leaves the handle without address", HG_NOENTRY,
     [](World& w) {
         const hg_return_t ret = HG_Reset(w.handle, w.to, unknown);
         CHECK(HG_Get_info(w.handle)->addr == HG_ADDR_NULL);
         CHECK(HG_Reset(w.handle, w.to, w.known) == HG_SUCCESS);
         return ret;
     }},
    {"forward without id", HG_FAULT,
     [](World& w) {
         CHECK(HG_Reset(w.handle, w.to, 0) == HG_SUCCESS);
         const hg_return_t ret = HG_Forward(w.handle, ignore, nullptr, nullptr);
         CHECK(HG_Reset(w.handle, w.to, w.known) == HG_SUCCESS);
         return ret;
     }},
    {"get output without proc", HG_FAULT,
     [](World& w) {
         int nothing = 0;
         return HG_Get_output(w.handle, &nothing);
     }},
    {"free output without proc", HG_FAULT,
     [](World& w) {
         int nothing = 0;
         return HG_Free_output(w.handle, &nothing);
     }},
    {"respond at the origin", HG_INVALID_ARG,
     [](World& w) { return HG_Respond(w.handle, ignore, nullptr, nullptr); }},
    {"cancel what is idle", HG_SUCCESS, [](World& w) { return HG_Cancel(w.handle); }},
    {"offset beyond a message", HG_INVALID_ARG,
     [](World& w) {
         return HG_Class_set_input_offset(w.cls, HG_Class_get_input_eager_size(w.cls) + 1);
     }},
    {"address string, little room", HG_OVERFLOW,
     [](World& w) {
         char text[3];
         hg_size_t size = sizeof text;
         return HG_Addr_to_string(w.cls, text, &size, w.to);
     }},
    {"a string that is no address", HG_PROTONOSUPPORT,
     [](World& w) {
         hg_addr_t addr;
         return HG_Addr_lookup2(w.cls, "no address", &addr);
     }},
    {"an address of another class", HG_PROTONOSUPPORT,
     [](World& w) {
         hg_addr_t addr;
         return HG_Addr_lookup2(w.cls, "bmi+tcp://127.0.0.1:1", &addr);
     }},
    {"describe memory, little room", HG_OVERFLOW,
     [](World& w) {
         char bytes[3];
         return HG_Bulk_serialize(bytes, sizeof bytes, 0, w.readable);
     }},
    {"a description cut short", HG_OVERFLOW,
     [](World& w) {
         std::vector<char> bytes(HG_Bulk_get_serialize_size(w.readable, 0));
         CHECK(HG_Bulk_serialize(bytes.data(), bytes.size(), 0, w.readable) == HG_SUCCESS);
         hg_bulk_t bulk = HG_BULK_NULL;
         return HG_Bulk_deserialize(w.cls, &bulk, bytes.data(), bytes.size() - 1);
     }},
    {"no segments", HG_INVALID_ARG,
     [](World& w) { return create_bulk(w, 0, HG_BULK_READWRITE, &ten); }},
    {"no sizes", HG_INVALID_ARG,
     [](World& w) { return create_bulk(w, 1, HG_BULK_READWRITE, nullptr); }},
    {"no flags", HG_INVALID_ARG, [](World& w) { return create_bulk(w, 1, 0, &ten); }},
    {"unknown flags", HG_INVALID_ARG, [](World& w) { return create_bulk(w, 1, 7, &ten); }},
    {"beyond the origin", HG_INVALID_ARG,
     [](World& w) { return transfer(w, HG_BULK_PULL, w.readable, 51, w.writable, 0, 50); }},
    {"beyond the local region", HG_INVALID_ARG,
     [](World& w) { return transfer(w, HG_BULK_PULL, w.readable, 0, w.writable, 51, 50); }},
    {"a range that wraps around", HG_INVALID_ARG,
     [](World& w) { return transfer(w, HG_BULK_PULL, w.readable, HG_SIZE_MAX, w.writable, 0, 2); }},
    {"pull what may not be read", HG_PERMISSION,
     [](World& w) { return transfer(w, HG_BULK_PULL, w.writable, 0, w.writable, 0, 1); }},
    {"push to what may not be written", HG_PERMISSION,
     [](World& w) { return transfer(w, HG_BULK_PUSH, w.readable, 0, w.readable, 0, 1); }},
    {"bound transfer of what is not bound", HG_INVALID_ARG,
     [](World& w) {
         return HG_Bulk_bind_transfer(w.context, ignore, nullptr, HG_BULK_PULL, w.readable, 0,
                                      w.writable, 0, 1, HG_OP_ID_IGNORE);
     }},
    {"access beyond the region", HG_INVALID_ARG,
     [](World& w) {
         void* base;
         hg_size_t size;
         std::uint32_t count;
         return HG_Bulk_access(w.readable, 60, 41, HG_BULK_READ_ONLY, 1, &base, &size, &count);
     }},
    {"access to nothing", HG_SUCCESS,
     [](World& w) {
         return HG_Bulk_access(w.readable, 0, 0, HG_BULK_READ_ONLY, 1, nullptr, nullptr, nullptr);
     }},
    {"nothing to progress", HG_TIMEOUT, [](World& w) { return HG_Progress(w.context, 0); }},
    {"nothing to trigger", HG_TIMEOUT,
     [](World& w) {
         unsigned count = 1;
         const hg_return_t ret = HG_Trigger(w.context, 0, 1, &count);
         return count == 0 ? ret : HG_OTHER_ERROR;
     }},
    {"nothing to trigger, as an event", HG_SUCCESS,
     [](World& w) {
         unsigned count = 1;
         const hg_return_t ret = HG_Event_trigger(w.context, 1, &count);
         return count == 0 ? ret : HG_OTHER_ERROR;
     }},
};

}  // namespace

CINNABAR_INTEGRATION("each situation has its code", all_setups) {
    allow_log("");
    Pair pair(setup);
    char memory[100] = {};
    void* base = memory;
    const hg_size_t size = sizeof memory;
    World world{
        pair,          pair.client.cls(), pair.client.context(),
        pair.to.get(), HG_HANDLE_NULL,    HG_HANDLE_NULL,
        HG_BULK_NULL,  HG_BULK_NULL,      pair.add("known", nullptr, nullptr, serve_nothing)};
    REQUIRE(HG_Create(world.context, world.to, world.known, &world.handle) == HG_SUCCESS);
    REQUIRE(HG_Create(world.context, HG_ADDR_NULL, 0, &world.blank) == HG_SUCCESS);
    REQUIRE(HG_Bulk_create(world.cls, 1, &base, &size, HG_BULK_READ_ONLY, &world.readable) ==
            HG_SUCCESS);
    REQUIRE(HG_Bulk_create(world.cls, 1, &base, &size, HG_BULK_WRITE_ONLY, &world.writable) ==
            HG_SUCCESS);
    for (const auto* table : {&null_rows, &rows})
        for (const Row& row : *table) {
            CAPTURE(std::string(row.situation));
            CHECK(row.act(world) == row.expected);
        }
    // None of it has left anything behind.
    Call call(pair.client, pair.to, world.known);
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(HG_Destroy(world.handle) == HG_SUCCESS);
    CHECK(HG_Destroy(world.blank) == HG_SUCCESS);
    CHECK(HG_Bulk_free(world.readable) == HG_SUCCESS);
    CHECK(HG_Bulk_free(world.writable) == HG_SUCCESS);
}

TEST_CASE("getters of nothing give nothing") {
    CHECK(HG_Class_get_name(nullptr) == nullptr);
    CHECK(HG_Class_get_protocol(nullptr) == nullptr);
    CHECK_FALSE(HG_Class_is_listening(nullptr));
    CHECK(HG_Class_get_input_eager_size(nullptr) == 0);
    CHECK(HG_Class_get_data(nullptr) == nullptr);
    CHECK(HG_Context_create(nullptr) == nullptr);
    CHECK(HG_Context_get_class(nullptr) == nullptr);
    CHECK(HG_Context_get_id(nullptr) == 0);
    CHECK(HG_Context_get_data(nullptr) == nullptr);
    CHECK(HG_Get_info(HG_HANDLE_NULL) == nullptr);
    CHECK(HG_Get_data(HG_HANDLE_NULL) == nullptr);
    CHECK(HG_Ref_get(HG_HANDLE_NULL) == 0);
    CHECK(HG_Get_input_payload_size(HG_HANDLE_NULL) == 0);
    CHECK(HG_Register_name(nullptr, "x", nullptr, nullptr, nullptr) == 0);
    CHECK(HG_Registered_data(nullptr, 1) == nullptr);
    CHECK(HG_Event_get_wait_fd(nullptr) == -1);
    CHECK_FALSE(HG_Event_ready(nullptr));
    CHECK(HG_Bulk_get_size(HG_BULK_NULL) == 0);
    CHECK(HG_Bulk_get_segment_count(HG_BULK_NULL) == 0);
    CHECK(HG_Bulk_get_flags(HG_BULK_NULL) == 0);
    CHECK(HG_Bulk_get_addr(HG_BULK_NULL) == HG_ADDR_NULL);
    CHECK(HG_Addr_cmp(nullptr, HG_ADDR_NULL, HG_ADDR_NULL) != 0);
}

TEST_CASE("codes have the names of their constants") {
#define X(name) CHECK(std::string(HG_Error_to_string(name)) == #name);
    HG_RETURN_VALUES
#undef X
    CHECK(HG_Error_to_string(static_cast<hg_return_t>(HG_RETURN_MAX + 1)) == nullptr);
}
