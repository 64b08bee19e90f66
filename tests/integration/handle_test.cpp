// SPDX-License-Identifier: BSD-3-Clause
// Handles and classes: custom header areas, the create callback, objects of another class, and what
// must be given back before a class ends.
#include <chrono>
#include <cstring>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::expect_log;

CINNABAR_INTEGRATION("custom header areas travel in front of the payload", all_setups) {
    SideOptions options;
    options.in_offset = 24;
    options.out_offset = 40;
    Pair pair(setup, options, options);
    std::string seen;
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, [&](hg_handle_t handle) {
        void* area = nullptr;
        hg_size_t size = 0;
        REQUIRE(HG_Get_input_buf(handle, &area, &size) == HG_SUCCESS);
        seen.assign(static_cast<char*>(area), 24);
        REQUIRE(HG_Get_output_buf(handle, &area, &size) == HG_SUCCESS);
        REQUIRE(size >= 40);
        std::memset(area, 'r', 40);
        serve_echo(handle);
    });
    Call call(pair.client, pair.to, id);
    // Also when the payload itself goes another way.
    for (const std::size_t size : {0, 100, 100000}) {
        void* area = nullptr;
        hg_size_t room = 0;
        REQUIRE(HG_Get_input_buf(call.handle(), &area, &room) == HG_SUCCESS);
        REQUIRE(room >= 24);
        std::memset(area, 'q', 24);
        Blob in(size, 3);
        REQUIRE(pair.run(call, &in) == HG_SUCCESS);
        CHECK(seen == std::string(24, 'q'));
        REQUIRE(HG_Get_output_buf(call.handle(), &area, &room) == HG_SUCCESS);
        CHECK(std::string(static_cast<char*>(area), 40) == std::string(40, 'r'));
        CHECK(HG_Get_output_payload_size(call.handle()) == in.encoded());
        Blob out;
        REQUIRE(HG_Get_output(call.handle(), &out) == HG_SUCCESS);
        CHECK(out == in);
        REQUIRE(HG_Free_output(call.handle(), &out) == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("a request without the custom area that the target expects is refused",
                     peer_setups) {
    SideOptions options;
    options.in_offset = 1000;
    Pair pair(setup, {}, options);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    expect_log("refused");
    Call call(pair.client, pair.to, id);
    for (const std::size_t size : {10, 985, 1005}) {
        Blob in(size, 1);
        CHECK(pair.run(call, &in) == HG_PROTOCOL_ERROR);
    }
}

CINNABAR_INTEGRATION("a custom area larger than a message is refused", all_setups) {
    const Side side(setup);
    CHECK(HG_Class_set_input_offset(side.cls(), HG_Class_get_input_eager_size(side.cls()) + 1) ==
          HG_INVALID_ARG);
    CHECK(HG_Class_set_output_offset(side.cls(), HG_Class_get_output_eager_size(side.cls()) + 1) ==
          HG_INVALID_ARG);
}

namespace {

struct Attached {
    int created = 0;
    int freed = 0;
};

hg_return_t attach(hg_handle_t handle, void* arg) {
    auto* attached = static_cast<Attached*>(arg);
    ++attached->created;
    return HG_Set_data(handle, arg, [](void* data) { ++static_cast<Attached*>(data)->freed; });
}

}  // namespace

CINNABAR_INTEGRATION("the create callback sees every handle, at both ends", peer_setups) {
    Attached client_data, server_data;
    {
        SideOptions client_options, server_options;
        client_options.listen = false;
        client_options.prepare = [&](hg_class_t* cls) {
            REQUIRE(HG_Class_set_handle_create_callback(cls, attach, &client_data) == HG_SUCCESS);
        };
        server_options.init.request_post_init = 16;
        server_options.prepare = [&](hg_class_t* cls) {
            REQUIRE(HG_Class_set_handle_create_callback(cls, attach, &server_data) == HG_SUCCESS);
        };
        Pair pair(setup, client_options, server_options);
        CHECK(client_data.created == 0);
        CHECK(server_data.created == (setup.auto_sm ? 2 * 16 : 16));
        int with_data = 0;
        const hg_id_t id = pair.add("null", nullptr, nullptr, [&](hg_handle_t handle) {
            if (HG_Get_data(handle) == &server_data) ++with_data;
            serve_nothing(handle);
        });
        for (int i = 0; i < 50; ++i) {
            Call call(pair.client, pair.to, id);
            CHECK(HG_Get_data(call.handle()) == &client_data);
            CHECK(pair.run(call) == HG_SUCCESS);
        }
        CHECK(with_data == 50);
    }
    CHECK(client_data.freed == client_data.created);
    CHECK(server_data.freed == server_data.created);
}

CINNABAR_INTEGRATION("a create callback that refuses makes the creation fail", all_setups) {
    SideOptions options;
    bool refuse = false;
    options.prepare = [&](hg_class_t* cls) {
        REQUIRE(HG_Class_set_handle_create_callback(
                    cls,
                    [](hg_handle_t, void* arg) {
                        return *static_cast<bool*>(arg) ? HG_NOMEM : HG_SUCCESS;
                    },
                    &refuse) == HG_SUCCESS);
    };
    options.listen = setup.self;
    Pair pair(setup, options, setup.self ? options : SideOptions{});
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    refuse = true;
    hg_handle_t handle = HG_HANDLE_NULL;
    CHECK(HG_Create(pair.client.context(), pair.to.get(), id, &handle) == HG_NOMEM);
    CHECK(handle == HG_HANDLE_NULL);
    refuse = false;
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("objects of another class are refused", peer_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    hg_handle_t handle = HG_HANDLE_NULL;
    expect_log("another class");
    CHECK(HG_Create(pair.server.context(), pair.to.get(), id, &handle) == HG_INVALID_ARG);
    CHECK(handle == HG_HANDLE_NULL);
    Call call(pair.server, pair.server.self(), id);
    CHECK(HG_Reset(call.handle(), pair.to.get(), id) == HG_INVALID_ARG);
}

CINNABAR_INTEGRATION("a class ends only when everything was given back", blocking_setups) {
    Side side(setup);
    expect_log("still alive");
    CHECK(HG_Finalize(side.cls()) == HG_BUSY);
    const hg_id_t id = side.add("null", nullptr, nullptr, serve_nothing);
    {
        const Address self = side.self();
        expect_log("is not destroyed");
        const Call call(side, self, id);
        // Five seconds for what may still end.
        const auto before = std::chrono::steady_clock::now();
        CHECK(HG_Context_destroy(side.context()) == HG_BUSY);
        CHECK(std::chrono::steady_clock::now() - before >= std::chrono::seconds(5));
    }
    int freed = 0;
    REQUIRE(HG_Class_set_data(side.cls(), &freed, [](void* data) { ++*static_cast<int*>(data); }) ==
            HG_SUCCESS);
    REQUIRE(HG_Context_set_data(side.context(), &freed,
                                [](void* data) { ++*static_cast<int*>(data); }) == HG_SUCCESS);
    CHECK(HG_Class_get_data(side.cls()) == &freed);
    CHECK(HG_Context_get_data(side.context()) == &freed);
    side.close();
    CHECK(freed == 2);
}

CINNABAR_INTEGRATION("callbacks that are due run when the context is destroyed", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    auto call = std::make_unique<Call>(pair.client, pair.to, id);
    bool served = false;
    call->then([&](const hg_cb_info&) { served = true; });
    REQUIRE(call->forward() == HG_SUCCESS);
    // Everything happens here except the client's trigger.
    while (HG_Progress(pair.client.context(), 0) != HG_SUCCESS)
        if (!setup.self) pair.server.step();
    CHECK_FALSE(served);
    call->destroy();
    pair.to = Address();
    pair.client.close();
    CHECK(served);
}

CINNABAR_INTEGRATION("an unposted context receives nothing more, and what it has can end",
                     peer_setups) {
    Pair pair(setup);
    hg_handle_t kept = HG_HANDLE_NULL;
    const hg_id_t id =
        pair.add("keep", nullptr, nullptr, [&](hg_handle_t handle) { kept = handle; });
    Call first(pair.client, pair.to, id), second(pair.client, pair.to, id);
    REQUIRE(first.forward() == HG_SUCCESS);
    pair.wait([&] { return kept != HG_HANDLE_NULL; });
    REQUIRE(HG_Context_unpost(pair.server.context()) == HG_SUCCESS);
    REQUIRE(HG_Context_unpost(pair.server.context()) == HG_SUCCESS);
    hg_handle_t request = std::exchange(kept, HG_HANDLE_NULL);
    REQUIRE(second.forward() == HG_SUCCESS);
    for (int i = 0; i < 50; ++i)
        pair.step();
    CHECK(kept == HG_HANDLE_NULL);
    serve_nothing(request);
    pair.wait([&] { return first.done(); });
    CHECK(first.ret() == HG_SUCCESS);
    REQUIRE(HG_Cancel(second.handle()) == HG_SUCCESS);
    pair.wait([&] { return second.done(); });
    CHECK(second.ret() == HG_CANCELED);
}
