// SPDX-License-Identifier: BSD-3-Clause
// Calls as programs make them: with and without arguments, many at once, one-way, again and again
// with one handle; and what the rules about handles give.
#include <algorithm>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::expect_log;

namespace {

// Decodes the result of a finished echo.
Blob output_of(const Call& call) {
    Blob blob;
    REQUIRE(HG_Get_output(call.handle(), &blob) == HG_SUCCESS);
    Blob result = blob;
    REQUIRE(HG_Free_output(call.handle(), &blob) == HG_SUCCESS);
    return result;
}

}  // namespace

CINNABAR_INTEGRATION("a call without arguments and result", all_setups) {
    Pair pair(setup);
    int served = 0;
    hg_size_t input_size = 99;
    const hg_id_t id = pair.add("null", nullptr, nullptr, [&](hg_handle_t handle) {
        ++served;
        input_size = HG_Get_input_payload_size(handle);
        serve_nothing(handle);
    });
    Call call(pair.client, pair.to, id);
    call.then([&](const hg_cb_info& info) {
        CHECK(info.type == HG_CB_FORWARD);
        CHECK(info.info.forward.handle == call.handle());
    });
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(served == 1);
    CHECK(call.callbacks() == 1);
    CHECK(input_size == 0);
    CHECK(HG_Get_output_payload_size(call.handle()) == 0);
    std::uint64_t number = 0;
    expect_log("no output proc");
    CHECK(HG_Get_output(call.handle(), &number) == HG_FAULT);
}

CINNABAR_INTEGRATION("arguments and results arrive, and their sizes are exact", all_setups) {
    Pair pair(setup);
    std::vector<hg_size_t> sizes_in;
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, [&](hg_handle_t handle) {
        sizes_in.push_back(HG_Get_input_payload_size(handle));
        serve_echo(handle);
    });
    Call call(pair.client, pair.to, id);
    for (const std::size_t size : {0, 1, 7, 8, 100, 1000, 3000}) {
        Blob in(size, static_cast<unsigned>(size));
        REQUIRE(pair.run(call, &in) == HG_SUCCESS);
        CHECK(sizes_in.back() == in.encoded());
        CHECK(HG_Get_input_payload_size(call.handle()) == in.encoded());
        CHECK(HG_Get_output_payload_size(call.handle()) == in.encoded());
        CHECK(output_of(call) == in);
        // A second time.
        CHECK(output_of(call) == in);
    }
}

CINNABAR_INTEGRATION("arguments may change as soon as forward returns", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    Call call(pair.client, pair.to, id);
    Blob in(500, 1);
    REQUIRE(call.forward(&in) == HG_SUCCESS);
    in = Blob(500, 2);
    pair.wait([&] { return call.done(); });
    CHECK(output_of(call) == Blob(500, 1));
}

CINNABAR_INTEGRATION("256 calls in flight are all answered, each with its own result", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    std::vector<std::unique_ptr<Call>> calls;
    for (int round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < 256; ++i) {
            if (round == 0) calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
            Blob in(i * 8, i);
            REQUIRE(calls[i]->forward(&in) == HG_SUCCESS);
        }
        pair.wait([&] {
            return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->done(); });
        });
        for (unsigned i = 0; i < 256; ++i) {
            REQUIRE(calls[i]->ret() == HG_SUCCESS);
            REQUIRE(calls[i]->callbacks() == round + 1);
            REQUIRE(output_of(*calls[i]) == Blob(i * 8, i));
        }
    }
}

CINNABAR_INTEGRATION("requests wait for a server that comes to them late", all_setups) {
    SideOptions small;
    small.init.request_post_init = 4;
    small.init.request_post_incr = -1;
    Pair pair(setup, {}, small);
    std::vector<hg_handle_t> kept;
    const hg_id_t id =
        pair.add("keep", nullptr, nullptr, [&](hg_handle_t handle) { kept.push_back(handle); });
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 40; ++i) {
        calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
        REQUIRE(calls.back()->forward() == HG_SUCCESS);
    }
    const auto done = [&] {
        return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->done(); });
    };
    while (!done()) {
        pair.wait([&] { return !kept.empty() || done(); });
        for (hg_handle_t handle : std::exchange(kept, {}))
            serve_nothing(handle);
    }
    for (const auto& call : calls)
        CHECK(call->ret() == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a one-way call completes and is served, and cannot be responded to",
                     all_setups) {
    Pair pair(setup);
    int served = 0;
    hg_return_t responded = HG_RETURN_MAX;
    const hg_id_t id = pair.add("one-way", proc_blob, nullptr, [&](hg_handle_t handle) {
        Blob in;
        if (HG_Get_input(handle, &in) == HG_SUCCESS) {
            if (in == Blob(100, 3)) ++served;
            (void)HG_Free_input(handle, &in);
        }
        responded = HG_Respond(handle, nullptr, nullptr, nullptr);
        (void)HG_Destroy(handle);
    });
    uint8_t disabled = 9;
    REQUIRE(HG_Registered_disabled_response(pair.client.cls(), id, &disabled) == HG_SUCCESS);
    CHECK(disabled == 0);
    REQUIRE(HG_Registered_disable_response(pair.client.cls(), id, 1) == HG_SUCCESS);
    REQUIRE(HG_Registered_disabled_response(pair.client.cls(), id, &disabled) == HG_SUCCESS);
    CHECK(disabled != 0);
    expect_log("one-way");
    Call call(pair.client, pair.to, id);
    Blob in(100, 3);
    for (int i = 1; i <= 5; ++i) {
        CHECK(pair.run(call, &in) == HG_SUCCESS);
        pair.wait([&] { return served == i; });
        CHECK(responded == HG_OPNOTSUPPORTED);
    }
    CHECK(call.callbacks() == 5);
}

CINNABAR_INTEGRATION("a call without callback is served, and its handle is given back",
                     all_setups) {
    Pair pair(setup);
    int served = 0;
    const hg_id_t id = pair.add("null", nullptr, nullptr, [&](hg_handle_t handle) {
        ++served;
        serve_nothing(handle);
    });
    hg_handle_t handle = HG_HANDLE_NULL;
    REQUIRE(HG_Create(pair.client.context(), pair.to.get(), id, &handle) == HG_SUCCESS);
    REQUIRE(HG_Forward(handle, nullptr, nullptr, nullptr) == HG_SUCCESS);
    REQUIRE(HG_Destroy(handle) == HG_SUCCESS);
    pair.wait([&] { return served == 1; });
}

CINNABAR_INTEGRATION("a handle may be destroyed right after forward", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    for (int i = 0; i < 20; ++i) {
        Call call(pair.client, pair.to, id);
        Blob in(100, 7);
        Blob out;
        call.then([&](const hg_cb_info& info) {
            REQUIRE(info.ret == HG_SUCCESS);
            CHECK(HG_Get_info(info.info.forward.handle)->id == id);
            Blob decoded;
            REQUIRE(HG_Get_output(info.info.forward.handle, &decoded) == HG_SUCCESS);
            out = decoded;
            REQUIRE(HG_Free_output(info.info.forward.handle, &decoded) == HG_SUCCESS);
        });
        REQUIRE(call.forward(&in) == HG_SUCCESS);
        call.destroy();
        pair.wait([&] { return call.done(); });
        CHECK(out == in);
    }
}

CINNABAR_INTEGRATION("an address may be freed as soon as a handle has it", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    Call call(pair.client, pair.to, id);
    pair.to = Address();
    CHECK(pair.run(call) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a callback may forward its handle again", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    Call call(pair.client, pair.to, id);
    int left = 50;
    call.then([&](const hg_cb_info& info) {
        CHECK(info.ret == HG_SUCCESS);
        if (left-- > 0) REQUIRE(call.forward() == HG_SUCCESS);
    });
    REQUIRE(call.forward() == HG_SUCCESS);
    pair.wait([&] { return call.done(); });
    CHECK(call.callbacks() == 51);
}

CINNABAR_INTEGRATION("reset gives a handle another procedure and another peer", peer_setups) {
    Pair pair(setup);
    Side other(setup);
    int here = 0, there = 0;
    const hg_id_t first = pair.add("first", nullptr, nullptr, [&](hg_handle_t handle) {
        ++here;
        serve_nothing(handle);
    });
    const hg_id_t echo = pair.add("echo", proc_blob, proc_blob, serve_echo);
    (void)other.add("first", nullptr, nullptr, [&](hg_handle_t handle) {
        ++there;
        serve_nothing(handle);
    });
    const Address to_other = pair.client.lookup(other.self().text());
    Call call(pair.client, pair.to, first);
    int data = 0;
    REQUIRE(HG_Set_data(call.handle(), &data, nullptr) == HG_SUCCESS);
    for (int i = 0; i < 5; ++i) {
        CHECK(pair.run(call) == HG_SUCCESS);
        REQUIRE(HG_Reset(call.handle(), HG_Get_info(call.handle())->addr, echo) == HG_SUCCESS);
        Blob in(10, 1);
        CHECK(pair.run(call, &in) == HG_SUCCESS);
        CHECK(output_of(call) == in);
        REQUIRE(HG_Reset(call.handle(), to_other.get(), first) == HG_SUCCESS);
        REQUIRE(call.forward() == HG_SUCCESS);
        while (!call.done()) {
            pair.step();
            other.step();
        }
        CHECK(call.ret() == HG_SUCCESS);
        REQUIRE(HG_Reset(call.handle(), pair.to.get(), first) == HG_SUCCESS);
        CHECK(HG_Get_data(call.handle()) == &data);
    }
    CHECK(here == 5);
    CHECK(there == 5);
}

CINNABAR_INTEGRATION("an empty handle is bound by reset, and refuses to go before", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    hg_handle_t handle = HG_HANDLE_NULL;
    REQUIRE(HG_Create(pair.client.context(), HG_ADDR_NULL, 0, &handle) == HG_SUCCESS);
    expect_log("no address");
    CHECK(HG_Forward(handle, nullptr, nullptr, nullptr) == HG_INVALID_ARG);
    REQUIRE(HG_Reset(handle, pair.to.get(), 0) == HG_SUCCESS);
    expect_log("no RPC id");
    CHECK(HG_Forward(handle, nullptr, nullptr, nullptr) == HG_FAULT);
    expect_log("is not registered");
    CHECK(HG_Reset(handle, pair.to.get(), 12345) == HG_NOENTRY);
    REQUIRE(HG_Reset(handle, pair.to.get(), id) == HG_SUCCESS);
    bool done = false;
    REQUIRE(HG_Forward(
                handle,
                [](const hg_cb_info* info) {
                    *static_cast<bool*>(info->arg) = info->ret == HG_SUCCESS;
                    return HG_SUCCESS;
                },
                &done, nullptr) == HG_SUCCESS);
    pair.wait([&] { return done; });
    CHECK(HG_Destroy(handle) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a handle in flight is busy until its callback has begun", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    Call call(pair.client, pair.to, id);
    REQUIRE(call.forward() == HG_SUCCESS);
    CHECK(call.forward() == HG_BUSY);
    CHECK(HG_Reset(call.handle(), pair.to.get(), id) == HG_BUSY);
    pair.wait([&] { return call.done(); });
    CHECK(HG_Reset(call.handle(), pair.to.get(), id) == HG_SUCCESS);
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(call.callbacks() == 2);
}

CINNABAR_INTEGRATION("references are counted", all_setups) {
    Pair pair(setup);
    std::vector<int> at_target;
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, [&](hg_handle_t handle) {
        Blob in;
        at_target.push_back(HG_Ref_get(handle));
        if (HG_Get_input(handle, &in) == HG_SUCCESS) {
            at_target.push_back(HG_Ref_get(handle));
            (void)HG_Respond(handle, nullptr, nullptr, &in);
            (void)HG_Free_input(handle, &in);
        }
        (void)HG_Destroy(handle);
    });
    Call call(pair.client, pair.to, id);
    CHECK(HG_Ref_get(call.handle()) == 1);
    REQUIRE(HG_Ref_incr(call.handle()) == HG_SUCCESS);
    CHECK(HG_Ref_get(call.handle()) == 2);
    REQUIRE(HG_Destroy(call.handle()) == HG_SUCCESS);
    Blob in(10, 1);
    REQUIRE(call.forward(&in) == HG_SUCCESS);
    CHECK(HG_Ref_get(call.handle()) == 2);
    pair.wait([&] { return call.done(); });
    CHECK(HG_Ref_get(call.handle()) == 1);
    Blob out;
    REQUIRE(HG_Get_output(call.handle(), &out) == HG_SUCCESS);
    CHECK(HG_Ref_get(call.handle()) == 2);
    REQUIRE(HG_Free_output(call.handle(), &out) == HG_SUCCESS);
    CHECK(HG_Ref_get(call.handle()) == 1);
    REQUIRE(at_target.size() == 2);
    CHECK(at_target[1] == at_target[0] + 1);
    CHECK(HG_Destroy(HG_HANDLE_NULL) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a request is responded to once", all_setups) {
    Pair pair(setup);
    std::vector<hg_return_t> codes;
    int respond_callbacks = 0;
    const hg_id_t id = pair.add("twice", nullptr, proc_blob, [&](hg_handle_t handle) {
        Blob out(10, 4);
        codes.push_back(HG_Respond(
            handle,
            [](const hg_cb_info* info) {
                if (info->type == HG_CB_RESPOND && info->ret == HG_SUCCESS)
                    ++*static_cast<int*>(info->arg);
                return HG_SUCCESS;
            },
            &respond_callbacks, &out));
        codes.push_back(HG_Respond(handle, nullptr, nullptr, &out));
        (void)HG_Destroy(handle);
    });
    expect_log("it has been responded to");
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(output_of(call) == Blob(10, 4));
    pair.wait([&] { return respond_callbacks > 0; });
    CHECK(respond_callbacks == 1);
    CHECK(codes == std::vector{HG_SUCCESS, HG_INVALID_ARG});
    CHECK(call.callbacks() == 1);
}

CINNABAR_INTEGRATION("input is decoded as often as asked, also after the response", all_setups) {
    Pair pair(setup);
    int right = 0;
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, [&](hg_handle_t handle) {
        Blob first, second, third;
        if (HG_Get_input(handle, &first) == HG_SUCCESS) ++right;
        if (HG_Get_input(handle, &second) == HG_SUCCESS && first == second) ++right;
        (void)HG_Respond(handle, nullptr, nullptr, &first);
        if (HG_Get_input(handle, &third) == HG_SUCCESS && first == third) ++right;
        for (Blob* blob : {&first, &second, &third})
            (void)HG_Free_input(handle, blob);
        (void)HG_Destroy(handle);
    });
    Call call(pair.client, pair.to, id);
    for (const std::size_t size : {10, 100000}) {
        Blob in(size, 5);
        right = 0;
        CHECK(pair.run(call, &in) == HG_SUCCESS);
        CHECK(right == 3);
        CHECK(output_of(call) == in);
    }
}

CINNABAR_INTEGRATION("a request may be answered later, from outside its callback", all_setups) {
    Pair pair(setup);
    hg_handle_t kept = HG_HANDLE_NULL;
    const hg_id_t id =
        pair.add("echo", proc_blob, proc_blob, [&](hg_handle_t handle) { kept = handle; });
    Call call(pair.client, pair.to, id);
    Blob in(300, 6);
    REQUIRE(call.forward(&in) == HG_SUCCESS);
    pair.wait([&] { return kept != HG_HANDLE_NULL; });
    for (int i = 0; i < 10; ++i)
        pair.step();
    CHECK_FALSE(call.done());
    serve_echo(kept);
    pair.wait([&] { return call.done(); });
    CHECK(output_of(call) == in);
}

CINNABAR_INTEGRATION("the target learns who calls, and can call back", peer_setups) {
    Pair pair(setup);
    int called_back = 0;
    const hg_id_t back = pair.client.add("back", nullptr, nullptr, [&](hg_handle_t handle) {
        ++called_back;
        serve_nothing(handle);
    });
    (void)pair.server.add("back", nullptr, nullptr);
    std::string origin;
    std::unique_ptr<Call> call_back;
    const hg_id_t id = pair.add("null", nullptr, nullptr, [&](hg_handle_t handle) {
        hg_addr_t addr = HG_ADDR_NULL;
        REQUIRE(HG_Addr_dup(pair.server.cls(), HG_Get_info(handle)->addr, &addr) == HG_SUCCESS);
        const Address address(pair.server.cls(), addr);
        origin = address.text();
        call_back = std::make_unique<Call>(pair.server, address, back);
        REQUIRE(call_back->forward() == HG_SUCCESS);
        serve_nothing(handle);
    });
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    pair.wait([&] { return call_back->done(); });
    CHECK(call_back->ret() == HG_SUCCESS);
    CHECK(called_back == 1);
    // With two nets it is the part of the string that the request came through.
    const std::string self = pair.client.self().text();
    CHECK((setup.auto_sm ? self.find(origin) != std::string::npos : origin == self));
}
