// SPDX-License-Identifier: BSD-3-Clause
// Options that reach the net, which options a version of the struct has, defaults, and contexts by
// their ids.
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "na.h"
#include "na_plugin.h"
#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;

namespace {

// A net that takes down what it is opened with, and refuses.
struct Seen {
    na_init_info init{};
    std::string subnet, key;
    bool listen = false;
} seen;

const na_plugin* spy(const na_host*) {
    static const na_plugin_class_ops class_ops = {
        sizeof(na_plugin_class_ops),
        [](const char* protocol) { return std::strcmp(protocol, "spy") == 0; },
        nullptr,
        [](void*, const na_plugin_open* info) {
            seen.init = *info->init;
            seen.subnet = info->init->ip_subnet == nullptr ? "" : info->init->ip_subnet;
            seen.key = info->init->auth_key == nullptr ? "" : info->init->auth_key;
            seen.listen = info->listen;
            return NA_OPNOTSUPPORTED;
        },
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        nullptr};
    static na_plugin plugin = [] {
        na_plugin made{};
        made.size = sizeof made;
        made.abi_version = NA_PLUGIN_ABI_VERSION;
        made.name = made.class_name = "spy";
        made.class_ops = &class_ops;
        return made;
    }();
    return &plugin;
}

int handles_made(hg_init_info init) {
    static int made;
    made = 0;
    SideOptions options;
    options.init = init;
    options.prepare = [](hg_class_t* cls) {
        REQUIRE(HG_Class_set_handle_create_callback(
                    cls,
                    [](hg_handle_t, void*) {
                        ++made;
                        return HG_SUCCESS;
                    },
                    nullptr) == HG_SUCCESS);
    };
    const Side side(setup_named("sm"), options);
    return made;
}

}  // namespace

TEST_CASE("the options of the net reach it, as far as the caller's version has them") {
    static const na_return_t registered = NA_Plugin_register(spy);
    REQUIRE(registered == NA_SUCCESS);
    hg_init_info info{};
    info.na_init_info.ip_subnet = "10.1.0.0/16";
    info.na_init_info.auth_key = "secret";
    info.na_init_info.max_unexpected_size = 1111;
    info.na_init_info.max_expected_size = 2222;
    info.na_init_info.progress_mode = NA_NO_BLOCK | NA_NO_RETRY;
    info.na_init_info.addr_format = NA_ADDR_IPV6;
    info.na_init_info.max_contexts = 7;
    info.na_init_info.thread_mode = NA_THREAD_MODE_SINGLE_CTX;
    info.na_init_info.request_mem_device = true;
    info.traffic_class = NA_TC_BULK_DATA;
    expect_log("spy://");
    for (const unsigned version : {HG_VERSION(2, 2), HG_VERSION(2, 3), HG_VERSION(2, 4)}) {
        CAPTURE(version);
        seen = {};
        CHECK(HG_Init_opt2("spy://", 1, version, &info) == nullptr);
        CHECK(seen.listen);
        CHECK(seen.subnet == "10.1.0.0/16");
        CHECK(seen.key == "secret");
        CHECK(seen.init.max_unexpected_size == 1111);
        CHECK(seen.init.max_expected_size == 2222);
        CHECK(seen.init.progress_mode == (NA_NO_BLOCK | NA_NO_RETRY));
        CHECK(seen.init.addr_format == NA_ADDR_IPV6);
        CHECK(seen.init.max_contexts == 7);
        CHECK(seen.init.thread_mode == NA_THREAD_MODE_SINGLE_CTX);
        CHECK(seen.init.request_mem_device);
        CHECK(seen.init.traffic_class ==
              (version == HG_VERSION(2, 4) ? NA_TC_BULK_DATA : NA_TC_UNSPEC));
    }
    seen = {};
    info.na_init_info.max_contexts = 0;
    CHECK(HG_Init_opt("spy://", 0, &info) == nullptr);
    CHECK_FALSE(seen.listen);
    CHECK(seen.init.max_contexts == 1);
    CHECK(seen.init.traffic_class == NA_TC_UNSPEC);
    CHECK(HG_Init("spy://", 1) == nullptr);
    CHECK(seen.subnet.empty());
}

TEST_CASE("a version's members are read and no byte behind them") {
    // A struct of 2.3 at the end of its memory: the address sanitizer sees a read behind it.
    const std::size_t size = offsetof(hg_init_info, traffic_class);
    const std::unique_ptr<char[]> old(new char[size]());
    auto* info = reinterpret_cast<hg_init_info*>(old.get());
    hg_class_t* cls = HG_Init_opt2("na+sm", 0, HG_VERSION(2, 3), info);
    REQUIRE(cls != nullptr);
    CHECK(HG_Finalize(cls) == HG_SUCCESS);
    // What 2.2 does not have is not looked at either: release_input_early is of 2.3.
    hg_init_info full{};
    full.no_overflow = true;
    full.release_input_early = 1;
    cls = HG_Init_opt("na+sm", 0, &full);
    REQUIRE(cls != nullptr);
    CHECK(HG_Finalize(cls) == HG_SUCCESS);
}

TEST_CASE("512 requests can be received before any is served, or as many as asked for") {
    CHECK(handles_made({}) == 512);
    hg_init_info init{};
    init.request_post_init = 33;
    CHECK(handles_made(init) == 33);
}

TEST_CASE("a message has 4096 bytes at least, less the headers") {
    for (const Setup* setup : peer_setups()) {
        CAPTURE(std::string(setup->name));
        const Side side(*setup);
        CHECK(HG_Class_get_input_eager_size(side.cls()) > 4000);
        CHECK(HG_Class_get_output_eager_size(side.cls()) > 4000);
    }
}

TEST_CASE("the size of messages can be raised") {
    SideOptions options;
    options.init.na_init_info.max_unexpected_size = 16384;
    options.init.na_init_info.max_expected_size = 16384;
    Pair pair(setup_named("tcp"), options, options);
    const hg_size_t room = HG_Class_get_input_eager_size(pair.client.cls());
    CHECK(room > 16384 - 100);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    Call call(pair.client, pair.to, id);
    Blob in(room - 8, 1);
    CHECK(pair.run(call, &in) == HG_SUCCESS);
    hg_diag_counters counters;
    REQUIRE(HG_Class_get_counters(pair.client.cls(), &counters) == HG_SUCCESS);
    CHECK(counters.rpc_req_extra_count == 0);
}

TEST_CASE("a subnet chooses the interface") {
    hg_init_info info{};
    info.na_init_info.ip_subnet = "127.0.0.0/8";
    hg_class_t* cls = HG_Init_opt("na+tcp", 1, &info);
    REQUIRE(cls != nullptr);
    hg_addr_t self = HG_ADDR_NULL;
    REQUIRE(HG_Addr_self(cls, &self) == HG_SUCCESS);
    char text[256];
    hg_size_t size = sizeof text;
    REQUIRE(HG_Addr_to_string(cls, text, &size, self) == HG_SUCCESS);
    CHECK(std::string(text).starts_with("na+tcp://127."));
    CHECK(HG_Addr_free(cls, self) == HG_SUCCESS);
    CHECK(HG_Finalize(cls) == HG_SUCCESS);
    info.na_init_info.ip_subnet = "198.51.100.0/24";
    expect_log("198.51.100.0/24");
    allow_log("NA_NODEV");
    CHECK(HG_Init_opt("na+tcp", 1, &info) == nullptr);
}

TEST_CASE("the format of addresses chooses among those of an interface") {
    std::ifstream six("/proc/net/if_inet6");
    const bool has_six = six.peek() != std::ifstream::traits_type::eof();
    for (const na_addr_format format : {NA_ADDR_IPV4, NA_ADDR_IPV6}) {
        if (format == NA_ADDR_IPV6 && !has_six) continue;
        SideOptions options;
        options.info = "na+tcp://lo:0";
        options.init.na_init_info.addr_format = format;
        const Side side(setup_named("tcp"), options);
        CHECK(side.self().text().starts_with(format == NA_ADDR_IPV6 ? "na+tcp://[::1]:"
                                                                    : "na+tcp://127.0.0.1:"));
    }
}

TEST_CASE("a class works over a net that the program opened") {
    na_class_t* na = NA_Initialize("na+tcp://127.0.0.1:0", true);
    REQUIRE(na != nullptr);
    {
        SideOptions options;
        options.init.na_class = na;
        // Neither of these is looked at then.
        options.info = "nonsense";
        options.listen = false;
        Pair pair(setup_named("tcp"), {}, options);
        const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
        Call call(pair.client, pair.to, id);
        Blob in(100000, 1);
        CHECK(pair.run(call, &in) == HG_SUCCESS);
    }
    CHECK(NA_Finalize(na) == NA_SUCCESS);
}

CINNABAR_INTEGRATION("a call goes to the context that it names, and back to its own", peer_setups) {
    SideOptions options;
    options.init.na_init_info.max_contexts = 3;
    Pair pair(setup, options, options);
    hg_context_t* other = HG_Context_create_id(pair.server.cls(), 2);
    hg_context_t* own = HG_Context_create_id(pair.client.cls(), 1);
    REQUIRE((other != nullptr && own != nullptr));
    CHECK(HG_Context_get_id(other) == 2);
    int origin_id = -1;
    hg_context_t* served_in = nullptr;
    const hg_id_t id = pair.add("where", nullptr, nullptr, [&](hg_handle_t handle) {
        origin_id = HG_Get_info(handle)->context_id;
        served_in = HG_Get_info(handle)->context;
        serve_nothing(handle);
    });
    const auto call = [&](hg_context_t* from, std::uint8_t target) {
        hg_handle_t handle = HG_HANDLE_NULL;
        REQUIRE(HG_Create(from, pair.to.get(), id, &handle) == HG_SUCCESS);
        REQUIRE(HG_Set_target_id(handle, target) == HG_SUCCESS);
        int done = 0;
        REQUIRE(HG_Forward(
                    handle,
                    [](const hg_cb_info* info) {
                        CHECK(info->ret == HG_SUCCESS);
                        ++*static_cast<int*>(info->arg);
                        return HG_SUCCESS;
                    },
                    &done, nullptr) == HG_SUCCESS);
        while (done == 0) {
            pair.step();
            for (hg_context_t* context : {other, own}) {
                (void)HG_Progress(context, 0);
                (void)HG_Trigger(context, 0, 8, nullptr);
            }
        }
        // A reset goes to the first context again.
        REQUIRE(HG_Reset(handle, pair.to.get(), id) == HG_SUCCESS);
        CHECK(HG_Get_info(handle)->context_id == 0);
        CHECK(HG_Destroy(handle) == HG_SUCCESS);
    };
    call(pair.client.context(), 0);
    CHECK(served_in == pair.server.context());
    CHECK(origin_id == 0);
    call(pair.client.context(), 2);
    CHECK(served_in == other);
    CHECK(origin_id == 0);
    call(own, 2);
    CHECK(served_in == other);
    CHECK(origin_id == 1);
    call(own, 0);
    CHECK(served_in == pair.server.context());
    CHECK(HG_Context_destroy(other) == HG_SUCCESS);
    CHECK(HG_Context_destroy(own) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("with any options of multi-receive no request is lost, and no more are held",
                     all_setups) {
    struct Choice {
        std::uint8_t off;
        unsigned op_max, copy_threshold;
    };
    static int made;
    for (const Choice& choice :
         {Choice{0, 0, 0}, Choice{1, 0, 0}, Choice{0, 1, 1}, Choice{0, 8, 0}}) {
        CAPTURE(static_cast<int>(choice.off), choice.op_max, choice.copy_threshold);
        made = 0;
        SideOptions options;
        options.init.no_multi_recv = choice.off;
        options.init.multi_recv_op_max = choice.op_max;
        options.init.multi_recv_copy_threshold = choice.copy_threshold;
        options.init.request_post_init = 4;
        options.init.request_post_incr = -1;
        SideOptions counted = options;
        counted.prepare = [](hg_class_t* cls) {
            REQUIRE(HG_Class_set_handle_create_callback(
                        cls,
                        [](hg_handle_t, void*) {
                            ++made;
                            return HG_SUCCESS;
                        },
                        nullptr) == HG_SUCCESS);
        };
        Pair pair(setup, options, counted);
        const int receives = made;
        CHECK(receives == (setup.auto_sm ? 8 : 4));
        int served = 0;
        const hg_id_t id = pair.add("count", nullptr, nullptr, [&](hg_handle_t handle) {
            ++served;
            serve_nothing(handle);
        });
        std::vector<std::unique_ptr<Call>> calls;
        for (int i = 0; i < 50; ++i) {
            calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
            REQUIRE(calls.back()->forward() == HG_SUCCESS);
        }
        for (const auto& call : calls) {
            pair.wait([&] { return call->done(); });
            CHECK(call->ret() == HG_SUCCESS);
        }
        CHECK(served == 50);
        // The memory that waits for requests is that of the receives, whatever comes.
        if (!setup.self) CHECK(made == receives);
        hg_diag_counters counters;
        REQUIRE(HG_Class_get_counters(pair.server.cls(), &counters) == HG_SUCCESS);
        CHECK(counters.rpc_multi_recv_copy_count == 0);
    }
}
