// SPDX-License-Identifier: BSD-3-Clause
// How libraries on top use the API: ids with a provider's number, registered when first needed;
// handles created empty and reset before each call; data that hangs on handles and procedures;
// procs that stop half-way, move nothing, or fail with codes of their own.
#include <cstdlib>
#include <cstring>
#include <string>

#include "mercury_proc.h"
#include "tests/integration/peer.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

namespace {

hg_return_t mark_done(const hg_cb_info* info) {
    *static_cast<hg_return_t*>(info->arg) = info->ret;
    return HG_SUCCESS;
}

// A header that says whether a body follows; a body that does not is not touched.
struct Reply {
    std::int32_t code = 0;
    char* text = nullptr;
};

hg_return_t proc_reply(hg_proc_t proc, void* data) {
    auto& reply = *static_cast<Reply*>(data);
    if (const hg_return_t ret = hg_proc_int32_t(proc, &reply.code); ret != HG_SUCCESS) return ret;
    if (reply.code != 0) return HG_SUCCESS;
    switch (hg_proc_get_op(proc)) {
        case HG_ENCODE:
            return hg_proc_memcpy(proc, reply.text, 4);
        case HG_DECODE:
            reply.text = static_cast<char*>(std::malloc(4));
            return hg_proc_memcpy(proc, reply.text, 4);
        case HG_FREE:
            std::free(reply.text);
            reply.text = nullptr;
            return HG_SUCCESS;
    }
    return HG_SUCCESS;
}

// Moves nothing, in every way there is.
hg_return_t proc_nothing(hg_proc_t proc, void*) {
    if (const hg_return_t ret = hg_proc_memcpy(proc, nullptr, 0); ret != HG_SUCCESS) return ret;
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    void* place = hg_proc_save_ptr(proc, 0);
    if (place == nullptr) return HG_OTHER_ERROR;
    return hg_proc_restore_ptr(proc, place, 0);
}

// Fails with the code that the value names.
hg_return_t proc_code(hg_proc_t proc, void* data) {
    if (const hg_return_t ret = hg_proc_uint64_t(proc, data); ret != HG_SUCCESS) return ret;
    const auto code = static_cast<hg_return_t>(*static_cast<std::uint64_t*>(data));
    return hg_proc_get_op(proc) == HG_DECODE ? code : HG_SUCCESS;
}

}  // namespace

CINNABAR_INTEGRATION("ids with a provider's number are registered when they are needed",
                     all_setups) {
    Pair pair(setup);
    const std::uint64_t name = 0xd00dfeedULL << 32;
    int served[64] = {};
    for (std::uint64_t provider = 0; provider < 64; ++provider) {
        const hg_id_t id = name | provider;
        REQUIRE(HG_Register(pair.server.cls(), id, proc_blob, proc_blob, [](hg_handle_t handle) {
                    const hg_info* info = HG_Get_info(handle);
                    ++*static_cast<int*>(HG_Registered_data(info->hg_class, info->id));
                    serve_echo(handle);
                    return HG_SUCCESS;
                }) == HG_SUCCESS);
        REQUIRE(HG_Register_data(pair.server.cls(), id, &served[provider], nullptr) == HG_SUCCESS);
    }
    hg_handle_t handle = HG_HANDLE_NULL;
    REQUIRE(HG_Create(pair.client.context(), HG_ADDR_NULL, 0, &handle) == HG_SUCCESS);
    REQUIRE(HG_Reset(handle, pair.to.get(), 0) == HG_SUCCESS);
    for (std::uint64_t i = 0; i < 256; ++i) {
        const hg_id_t id = name | i % 64;
        std::uint8_t known = 0;
        REQUIRE(HG_Registered(pair.client.cls(), id, &known) == HG_SUCCESS);
        CHECK((known != 0) == (setup.self || i >= 64));
        if (known == 0)
            REQUIRE(HG_Register(pair.client.cls(), id, proc_blob, proc_blob, nullptr) ==
                    HG_SUCCESS);
        // The handle's own address, as it is.
        REQUIRE(HG_Reset(handle, HG_Get_info(handle)->addr, id) == HG_SUCCESS);
        CHECK(HG_Get_info(handle)->id == id);
        hg_return_t result = HG_RETURN_MAX;
        Blob in(20, static_cast<unsigned>(i));
        REQUIRE(HG_Forward(handle, mark_done, &result, &in) == HG_SUCCESS);
        pair.wait([&] { return result != HG_RETURN_MAX; });
        REQUIRE(result == HG_SUCCESS);
        Blob out;
        REQUIRE(HG_Get_output(handle, &out) == HG_SUCCESS);
        CHECK(out == in);
        CHECK(HG_Free_output(handle, &out) == HG_SUCCESS);
    }
    for (const int count : served)
        CHECK(count == 4);
    CHECK(HG_Destroy(handle) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("data of handles and procedures is freed once, when they go", all_setups) {
    static int handles_freed, procedures_freed, kept;
    handles_freed = procedures_freed = kept = 0;
    {
        SideOptions options;
        options.init.request_post_init = 2;
        options.init.request_post_incr = -1;
        Pair pair(setup, options, options);
        const hg_id_t id = pair.client.add("data", nullptr, nullptr);
        REQUIRE(HG_Register(pair.server.cls(), id, nullptr, nullptr, [](hg_handle_t handle) {
                    // What an earlier request has left, or something new.
                    if (HG_Get_data(handle) == nullptr)
                        REQUIRE(HG_Set_data(handle, &kept, [](void*) { ++handles_freed; }) ==
                                HG_SUCCESS);
                    else
                        ++kept;
                    serve_nothing(handle);
                    return HG_SUCCESS;
                }) == HG_SUCCESS);
        REQUIRE(HG_Register_data(pair.server.cls(), id, &kept, [](void*) { ++procedures_freed; }) ==
                HG_SUCCESS);
        for (int i = 0; i < 20; ++i) {
            Call call(pair.client, pair.to, id);
            CHECK(pair.run(call) == HG_SUCCESS);
        }
        CHECK(kept > 0);
        CHECK(handles_freed == 0);
        CHECK(HG_Registered_data(pair.server.cls(), id) == &kept);
        hg_handle_t own = HG_HANDLE_NULL;
        REQUIRE(HG_Create(pair.client.context(), HG_ADDR_NULL, 0, &own) == HG_SUCCESS);
        int freed = 0;
        REQUIRE(HG_Set_data(own, &freed, [](void* data) { ++*static_cast<int*>(data); }) ==
                HG_SUCCESS);
        CHECK(HG_Get_data(own) == &freed);
        CHECK(HG_Ref_get(own) == 1);
        CHECK(HG_Destroy(own) == HG_SUCCESS);
        CHECK(freed == 1);
    }
    CHECK(handles_freed == 20 - kept);
    CHECK(procedures_freed == 1);
}

CINNABAR_INTEGRATION("a reply without body is freed like one with it", all_setups) {
    Pair pair(setup);
    std::int32_t code = 0;
    const hg_id_t id = pair.add("reply", nullptr, proc_reply, [&](hg_handle_t handle) {
        char text[] = "abc";
        Reply reply{code, code == 0 ? text : nullptr};
        CHECK(HG_Respond(handle, nullptr, nullptr, &reply) == HG_SUCCESS);
        CHECK(HG_Destroy(handle) == HG_SUCCESS);
    });
    for (code = 0; code < 2; ++code) {
        Call call(pair.client, pair.to, id);
        REQUIRE(pair.run(call) == HG_SUCCESS);
        Reply reply;
        REQUIRE(HG_Get_output(call.handle(), &reply) == HG_SUCCESS);
        CHECK(reply.code == code);
        CHECK((reply.text != nullptr) == (code == 0));
        CHECK(HG_Free_output(call.handle(), &reply) == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("procs that move nothing work", all_setups) {
    Pair pair(setup);
    int nothing = 0;
    const hg_id_t id = pair.add("nothing", proc_nothing, proc_nothing, [&](hg_handle_t handle) {
        CHECK(HG_Get_input_payload_size(handle) == 0);
        CHECK(HG_Get_input(handle, &nothing) == HG_SUCCESS);
        CHECK(HG_Free_input(handle, &nothing) == HG_SUCCESS);
        CHECK(HG_Respond(handle, nullptr, nullptr, &nothing) == HG_SUCCESS);
        CHECK(HG_Destroy(handle) == HG_SUCCESS);
    });
    Call call(pair.client, pair.to, id);
    REQUIRE(pair.run(call, &nothing) == HG_SUCCESS);
    CHECK(HG_Get_output(call.handle(), &nothing) == HG_SUCCESS);
    CHECK(HG_Free_output(call.handle(), &nothing) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("whatever a proc fails with is what the origin gets", all_setups) {
    allow_log("");
    Pair pair(setup);
    const hg_id_t id = pair.add("code", proc_code, nullptr, [](hg_handle_t handle) {
        std::uint64_t value = 0;
        const hg_return_t ret = HG_Get_input(handle, &value);
        CHECK(ret == static_cast<hg_return_t>(value));
        CHECK(HG_Destroy(handle) == HG_SUCCESS);
    });
    for (std::uint64_t code = 1; code < HG_RETURN_MAX; ++code) {
        CAPTURE(code);
        Call call(pair.client, pair.to, id);
        CHECK(pair.run(call, &code) == static_cast<hg_return_t>(code));
    }
}

CINNABAR_INTEGRATION("one's own string is the same wherever it is asked for", all_setups) {
    Pair pair(setup);
    const std::string text = pair.server.self().text();
    CHECK(pair.server.self().text() == text);
    hg_addr_t copy = HG_ADDR_NULL;
    const Address self = pair.server.self();
    REQUIRE(HG_Addr_dup(pair.server.cls(), self.get(), &copy) == HG_SUCCESS);
    const Address duplicate(pair.server.cls(), copy);
    CHECK(duplicate.text() == text);
    if (!setup.self && !setup.auto_sm) CHECK(pair.to.text() == text);
}

CINNABAR_INTEGRATION("progress says success or timeout, whatever becomes of calls and peers",
                     peer_setups) {
    allow_log("");
    Peer server(setup);
    Side side(setup);
    const Offers offers(side);
    const Address to = side.lookup(server.address());
    REQUIRE(echo(side, to, offers, 100) == HG_SUCCESS);
    int other = 0;
    const auto drive = [&] {
        const hg_return_t ret = HG_Progress(side.context(), setup.busy ? 0 : 5);
        if (ret != HG_SUCCESS && ret != HG_TIMEOUT) ++other;
        // As the libraries on top do: one by one until there is none.
        unsigned count = 0;
        do {
            (void)HG_Trigger(side.context(), 0, 1, &count);
        } while (count > 0);
    };
    Blob in(100, 1);
    Call cancelled(side, to, offers.keep), lost(side, to, offers.keep), late(side, to, offers.echo);
    REQUIRE(cancelled.forward(&in) == HG_SUCCESS);
    REQUIRE(lost.forward(&in) == HG_SUCCESS);
    REQUIRE(HG_Cancel(cancelled.handle()) == HG_SUCCESS);
    while (!cancelled.done())
        drive();
    CHECK(cancelled.ret() == HG_CANCELED);
    // Until the server has it, in order behind another one.
    REQUIRE(echo(side, to, offers, 100) == HG_SUCCESS);
    server.process().kill();
    (void)server.process().wait();
    while (!lost.done())
        drive();
    CHECK(lost.ret() != HG_SUCCESS);
    if (late.forward(&in) == HG_SUCCESS)
        while (!late.done())
            drive();
    CHECK(late.ret() != HG_SUCCESS);
    for (int i = 0; i < 20; ++i)
        drive();
    CHECK(other == 0);
}

TEST_CASE(
    "a struct of zeros with a few members set is enough, and the log may be set at any time") {
    hg_init_info info;
    std::memset(&info, 0, sizeof info);
    info.request_post_init = info.request_post_incr = 256;
    HG_Set_log_level("warning");
    HG_Set_log_subsys("hg,na");
    hg_class_t* cls = HG_Init_opt("na+tcp://127.0.0.1:0", HG_TRUE, &info);
    REQUIRE(cls != nullptr);
    hg_context_t* context = HG_Context_create(cls);
    REQUIRE(context != nullptr);
    CHECK(HG_Context_get_class(context) == cls);
    HG_Set_log_subsys("");
    CHECK(HG_Progress(context, 0) == HG_TIMEOUT);
    CHECK(HG_Context_destroy(context) == HG_SUCCESS);
    CHECK(HG_Finalize(cls) == HG_SUCCESS);
}
