// SPDX-License-Identifier: BSD-3-Clause
// Situation by situation, the code that a conversation gives: the other half of error_table_test,
// whose rows need a peer, a handle in flight or options of their own. Over every net.
#include <cstring>
#include <functional>
#include <string>

#include "mercury_core.h"
#include "tests/integration/rogue.hpp"
#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

namespace {

// A call that the server keeps while `act` looks at its handle. Afterwards it is answered.
hg_return_t while_in_flight(const Setup& setup,
                            const std::function<hg_return_t(Pair&, Call&)>& act) {
    Pair pair(setup);
    hg_handle_t kept = HG_HANDLE_NULL;
    const hg_id_t id =
        pair.add("keep", nullptr, nullptr, [&](hg_handle_t handle) { kept = handle; });
    Call call(pair.client, pair.to, id);
    REQUIRE(call.forward() == HG_SUCCESS);
    pair.wait([&] { return kept != HG_HANDLE_NULL; });
    const hg_return_t ret = act(pair, call);
    serve_nothing(kept);
    pair.wait([&] { return call.done(); });
    return ret;
}

hg_return_t forward_in_flight(const Setup& setup) {
    return while_in_flight(setup, [](Pair&, Call& call) {
        return HG_Forward(call.handle(), nullptr, nullptr, nullptr);
    });
}

hg_return_t reset_in_flight(const Setup& setup) {
    return while_in_flight(setup, [](Pair& pair, Call& call) {
        return HG_Reset(call.handle(), pair.to.get(), HG_Get_info(call.handle())->id);
    });
}

hg_return_t finalize_with_context(const Setup& setup) {
    const Side side(setup);
    return HG_Finalize(side.cls());
}

hg_return_t finalize_with_region(const Setup& setup) {
    Side side(setup);
    const hg_size_t size = 10;
    hg_bulk_t bulk = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(side.cls(), 1, nullptr, &size, HG_BULK_READ_ONLY, &bulk) == HG_SUCCESS);
    REQUIRE(HG_Context_destroy(side.context()) == HG_SUCCESS);
    const hg_return_t ret = HG_Finalize(side.cls());
    CHECK(HG_Bulk_free(bulk) == HG_SUCCESS);
    REQUIRE(HG_Finalize(side.cls()) == HG_SUCCESS);
    side.forget();
    return ret;
}

hg_return_t finalize_with_address(const Setup& setup) {
    Side side(setup);
    REQUIRE(HG_Context_destroy(side.context()) == HG_SUCCESS);
    hg_return_t ret = HG_SUCCESS;
    {
        const Address self = side.self();
        ret = HG_Finalize(side.cls());
    }
    REQUIRE(HG_Finalize(side.cls()) == HG_SUCCESS);
    side.forget();
    return ret;
}

SideOptions without_overflow() {
    SideOptions options;
    options.init.no_overflow = true;
    return options;
}

hg_return_t arguments_too_large(const Setup& setup) {
    Pair pair(setup, without_overflow(), without_overflow());
    Call call(pair.client, pair.to, pair.add("echo", proc_blob, proc_blob, serve_echo));
    Blob in(100000, 1);
    return call.forward(&in);
}

hg_return_t result_too_large(const Setup& setup) {
    Pair pair(setup, without_overflow(), without_overflow());
    hg_return_t ret = HG_RETURN_MAX;
    Call call(pair.client, pair.to, pair.add("large", nullptr, proc_blob, [&](hg_handle_t handle) {
        Blob out(100000, 1);
        ret = HG_Respond(handle, nullptr, nullptr, &out);
        (void)HG_Destroy(handle);
    }));
    // The origin is told too.
    CHECK(pair.run(call) == HG_OVERFLOW);
    return ret;
}

hg_return_t core_payload_too_large(const Setup& setup) {
    Pair pair(setup);
    Call call(pair.client, pair.to, pair.add("null", nullptr, nullptr, serve_nothing));
    auto* core = reinterpret_cast<hg_core_handle_t>(call.handle());
    return HG_Core_forward(core, nullptr, nullptr, 0, 1 << 20);
}

hg_return_t respond_to_one_way(const Setup& setup) {
    Pair pair(setup);
    hg_return_t ret = HG_RETURN_MAX;
    const hg_id_t id = pair.add("one way", nullptr, nullptr, [&](hg_handle_t handle) {
        ret = HG_Respond(handle, nullptr, nullptr, nullptr);
        (void)HG_Destroy(handle);
    });
    REQUIRE(HG_Registered_disable_response(pair.client.cls(), id, 1) == HG_SUCCESS);
    Call call(pair.client, pair.to, id);
    REQUIRE(call.forward() == HG_SUCCESS);
    pair.wait([&] { return call.done() && ret != HG_RETURN_MAX; });
    return ret;
}

hg_return_t cancel_to_self(const Setup& setup) {
    Side side(setup);
    const Address self = side.self();
    Call call(side, self, side.add("null", nullptr, nullptr, serve_nothing));
    REQUIRE(call.forward() == HG_SUCCESS);
    const hg_return_t ret = HG_Cancel(call.handle());
    side.wait([&] { return call.done(); });
    CHECK(call.ret() == HG_SUCCESS);
    return ret;
}

hg_return_t post_without_listening(const Setup& setup) {
    SideOptions options;
    options.listen = false;
    const Side side(setup, options);
    return HG_Core_context_post(reinterpret_cast<hg_core_context_t*>(side.context()));
}

hg_return_t cancelled(const Setup& setup) {
    if (setup.self) return HG_CANCELED;  // it cannot be: see above
    hg_return_t ret = HG_RETURN_MAX;
    while_in_flight(setup, [&](Pair& pair, Call& call) {
        CHECK(HG_Cancel(call.handle()) == HG_SUCCESS);
        pair.wait([&] { return call.done(); });
        return ret = call.ret();
    });
    return ret;
}

hg_return_t unknown_at_target(const Setup& setup) {
    Pair pair(setup);
    const hg_id_t id = pair.client.add("unknown", nullptr, nullptr);
    Call call(pair.client, pair.to, id);
    if (!setup.self) return pair.run(call);
    // One's own: gone between the forward and the trigger.
    REQUIRE(call.forward() == HG_SUCCESS);
    REQUIRE(HG_Deregister(pair.client.cls(), id) == HG_SUCCESS);
    pair.wait([&] { return call.done(); });
    return call.ret();
}

hg_return_t without_callback(const Setup& setup) {
    Pair pair(setup);
    Call call(pair.client, pair.to, pair.add("no callback", nullptr, nullptr));
    return pair.run(call);
}

// A call to a server that answers with these bytes.
hg_return_t answered_with(const Setup& setup, const std::string& bytes,
                          hg_checksum_level_t level = HG_CHECKSUM_NONE) {
    Rogue server(setup, true);
    na_addr_t* self = nullptr;
    REQUIRE(NA_Addr_self(server.cls, &self) == NA_SUCCESS);
    char name[256];
    std::size_t size = sizeof name;
    REQUIRE(NA_Addr_to_string(server.cls, name, &size, self) == NA_SUCCESS);
    NA_Addr_free(server.cls, self);
    SideOptions options;
    options.init.checksum_level = level;
    options.listen = false;
    hg_return_t ret = HG_RETURN_MAX;
    {
        Side side(setup, options);
        Message in(server,
                   NA_Msg_get_max_unexpected_size(server.cls) -
                       NA_Msg_get_unexpected_header_size(server.cls),
                   true);
        Message out(server, bytes.size(), false);
        std::memcpy(out.payload(), bytes.data(), bytes.size());
        REQUIRE(NA_Msg_recv_unexpected(server.cls, server.context, Message::take, &in, in.buffer,
                                       in.size, in.plugin_data, in.op) == NA_SUCCESS);
        const Address to = side.lookup(name);
        Call call(side, to, side.add("any", nullptr, nullptr));
        REQUIRE(call.forward() == HG_SUCCESS);
        bool answered = false;
        while (!call.done() || out.ended == 0) {
            side.step();
            server.step();
            if (in.ended == 0 || answered) continue;
            answered = true;
            REQUIRE(in.ret == NA_SUCCESS);
            REQUIRE(NA_Msg_send_expected(server.cls, server.context, Message::take, &out,
                                         out.buffer, out.size, out.plugin_data, in.source, 0,
                                         in.tag, out.op) == NA_SUCCESS);
        }
        NA_Addr_free(server.cls, in.source);
        ret = call.ret();
    }
    return ret;
}

// A response: u16 magic, u8 version, u8 flags, u32 payload size, i32 code, and 12 bytes more.
std::string response(char version = 1, char flags = 0) {
    std::string bytes(24, '\0');
    bytes[0] = 0x43;
    bytes[1] = 0x52;
    bytes[2] = version;
    bytes[3] = flags;
    return bytes;
}

struct Row {
    const char* situation;
    hg_return_t expected;
    std::function<hg_return_t(const Setup&)> act;
};

const std::vector<Row> rows = {
    {"forward what is in flight", HG_BUSY, forward_in_flight},
    {"reset what is in flight", HG_BUSY, reset_in_flight},
    {"finalize with a context", HG_BUSY, finalize_with_context},
    {"finalize with a region", HG_BUSY, finalize_with_region},
    {"finalize with an address", HG_BUSY, finalize_with_address},
    {"arguments too large, and no overflow", HG_OVERFLOW, arguments_too_large},
    {"a result too large, and no overflow", HG_OVERFLOW, result_too_large},
    {"a payload of the core level too large", HG_MSGSIZE, core_payload_too_large},
    {"respond to a one-way call", HG_OPNOTSUPPORTED, respond_to_one_way},
    {"cancel a call to oneself", HG_OPNOTSUPPORTED, cancel_to_self},
    {"post a context that does not listen", HG_OPNOTSUPPORTED, post_without_listening},
    {"a call that is cancelled", HG_CANCELED, cancelled},
    {"a procedure that the target does not know", HG_NOENTRY, unknown_at_target},
    {"a procedure that has no callback at the target", HG_INVALID_ARG, without_callback},
};

// With auto_sm a server of one's own making would need both nets.
const std::vector<Row> response_rows = {
    {"a response as it should be", HG_SUCCESS,
     [](const Setup& setup) { return answered_with(setup, response()); }},
    {"no bytes at all", HG_PROTOCOL_ERROR,
     [](const Setup& setup) { return answered_with(setup, ""); }},
    {"another magic", HG_PROTOCOL_ERROR,
     [](const Setup& setup) { return answered_with(setup, "X" + response().substr(1)); }},
    {"another version", HG_PROTONOSUPPORT,
     [](const Setup& setup) { return answered_with(setup, response(2)); }},
    {"unknown flags", HG_PROTONOSUPPORT,
     [](const Setup& setup) { return answered_with(setup, response(1, '\x40')); }},
    {"a checksum that is wrong", HG_CHECKSUM_ERROR,
     [](const Setup& setup) { return answered_with(setup, response(1, 4)); }},
    {"no checksum where one is asked for", HG_CHECKSUM_ERROR,
     [](const Setup& setup) { return answered_with(setup, response(), HG_CHECKSUM_RPC_HEADERS); }},
};

}  // namespace

CINNABAR_INTEGRATION("each situation between two has its code", all_setups) {
    allow_log("");
    for (const Row& row : rows) {
        CAPTURE(std::string(row.situation));
        CHECK(row.act(setup) == row.expected);
    }
}

CINNABAR_INTEGRATION("each fault of a response has its code", peer_setups) {
    allow_log("");
    if (setup.auto_sm) return;
    for (const Row& row : response_rows) {
        CAPTURE(std::string(row.situation));
        CHECK(row.act(setup) == row.expected);
    }
}
