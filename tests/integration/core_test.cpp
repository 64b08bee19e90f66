// SPDX-License-Identifier: BSD-3-Clause
// The core level: calls whose payloads the program writes itself, contexts that begin to receive
// when told, payloads that are completed by the program, addresses as bytes.
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "mercury_core.h"
#include "tests/integration/setup.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::expect_log;

namespace {

constexpr hg_id_t echo_id = 0x123456789abcdef0;

struct CoreSide {
    explicit CoreSide(const Setup& setup, bool posted = true) {
        hg_init_info init{};
        init.na_init_info.progress_mode = setup.busy ? NA_NO_BLOCK : 0;
        init.request_post_init = 16;
        cls = HG_Core_init_opt2(setup.info, 1, HG_VERSION(2, 4), &init);
        REQUIRE(cls != nullptr);
        context = HG_Core_context_create(cls);
        REQUIRE(context != nullptr);
        if (posted) REQUIRE(HG_Core_context_post(context) == HG_SUCCESS);
    }
    CoreSide(const CoreSide&) = delete;
    CoreSide& operator=(const CoreSide&) = delete;
    ~CoreSide() {
        CHECK(HG_Core_context_unpost(context) == HG_SUCCESS);
        CHECK(HG_Core_context_destroy(context) == HG_SUCCESS);
        CHECK(HG_Core_finalize(cls) == HG_SUCCESS);
    }
    void step() const {
        const hg_return_t ret = HG_Core_progress(context, 0);
        if (ret != HG_TIMEOUT) REQUIRE(ret == HG_SUCCESS);
        unsigned count = 0;
        do {
            (void)HG_Core_trigger(context, 0, 1, &count);
        } while (count > 0);
    }
    hg_core_class_t* cls;
    hg_core_context_t* context;
};

// A client and a server; one and the same if it calls itself.
struct CorePair {
    explicit CorePair(const Setup& setup, bool posted = true) : own(setup, posted) {
        if (!setup.self) other = std::make_unique<CoreSide>(setup);
        if (setup.self) {
            REQUIRE(HG_Core_addr_self(own.cls, &to) == HG_SUCCESS);
            return;
        }
        hg_core_addr_t self = nullptr;
        REQUIRE(HG_Core_addr_self(own.cls, &self) == HG_SUCCESS);
        char name[256];
        hg_size_t size = sizeof name;
        REQUIRE(HG_Core_addr_to_string(name, &size, self) == HG_SUCCESS);
        REQUIRE(HG_Core_addr_free(self) == HG_SUCCESS);
        REQUIRE(HG_Core_addr_lookup2(client().cls, name, &to) == HG_SUCCESS);
    }
    ~CorePair() { CHECK(HG_Core_addr_free(to) == HG_SUCCESS); }
    CoreSide& client() { return other ? *other : own; }
    CoreSide& server() { return own; }
    template <class Condition>
    void wait(Condition&& condition) {
        while (!condition()) {
            own.step();
            if (other) other->step();
        }
    }
    CoreSide own;
    std::unique_ptr<CoreSide> other;
    hg_core_addr_t to = nullptr;
};

struct Done {
    int count = 0;
    hg_return_t ret = HG_RETURN_MAX;
    hg_cb_type_t type = HG_CB_BULK;
    hg_core_handle_t handle = nullptr;
};

hg_return_t on_done(const hg_core_cb_info* info) {
    auto& done = *static_cast<Done*>(info->arg);
    ++done.count;
    done.ret = info->ret;
    done.type = info->type;
    done.handle =
        info->type == HG_CB_RESPOND ? info->info.respond.handle : info->info.forward.handle;
    return HG_SUCCESS;
}

std::string input_of(hg_core_handle_t handle) {
    void* data = nullptr;
    hg_size_t room = 0;
    REQUIRE(HG_Core_get_input(handle, &data, &room) == HG_SUCCESS);
    return {static_cast<char*>(data), HG_Core_get_input_payload_size(handle)};
}

std::string output_of(hg_core_handle_t handle) {
    void* data = nullptr;
    REQUIRE(HG_Core_get_output(handle, &data, nullptr) == HG_SUCCESS);
    return {static_cast<char*>(data), HG_Core_get_output_payload_size(handle)};
}

hg_return_t forward(hg_core_handle_t handle, const std::string& text, Done& done,
                    std::uint8_t flags = 0) {
    void* data = nullptr;
    hg_size_t room = 0;
    REQUIRE(HG_Core_get_input(handle, &data, &room) == HG_SUCCESS);
    REQUIRE(text.size() <= room);
    std::memcpy(data, text.data(), text.size());
    return HG_Core_forward(handle, on_done, &done, flags, text.size());
}

hg_return_t respond(hg_core_handle_t handle, const std::string& text, Done* done,
                    std::uint8_t flags = 0) {
    void* data = nullptr;
    hg_size_t room = 0;
    REQUIRE(HG_Core_get_output(handle, &data, &room) == HG_SUCCESS);
    std::memcpy(data, text.data(), text.size());
    return HG_Core_respond(handle, done == nullptr ? nullptr : on_done, done, flags, text.size());
}

Done responded;

hg_return_t serve_echo_raw(hg_core_handle_t handle) {
    const hg_core_info* info = HG_Core_get_info(handle);
    CHECK(info->id == echo_id);
    CHECK(info->context != nullptr);
    CHECK(HG_Core_get_rpc_data(handle) == HG_Core_registered_data(info->core_class, echo_id));
    CHECK(respond(handle, input_of(handle) + "!", &responded) == HG_SUCCESS);
    CHECK(HG_Core_destroy(handle) == HG_SUCCESS);
    return HG_SUCCESS;
}

}  // namespace

CINNABAR_INTEGRATION("core: payloads that the program writes arrive as they are", all_setups) {
    CorePair pair(setup);
    int data = 0;
    REQUIRE(HG_Core_register(pair.client().cls, echo_id, nullptr) == HG_SUCCESS);
    REQUIRE(HG_Core_register(pair.server().cls, echo_id, serve_echo_raw) == HG_SUCCESS);
    REQUIRE(HG_Core_register_data(pair.server().cls, echo_id, &data, nullptr) == HG_SUCCESS);
    responded = {};
    hg_core_handle_t handle = nullptr;
    REQUIRE(HG_Core_create(pair.client().context, pair.to, echo_id, &handle) == HG_SUCCESS);
    const hg_size_t largest = HG_Core_class_get_input_eager_size(pair.client().cls);
    int calls = 0;
    // The answer is longer by one, and the response header shorter.
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{largest}}) {
        Done done;
        const std::string text(size, static_cast<char>('a' + calls));
        REQUIRE(forward(handle, text, done) == HG_SUCCESS);
        CHECK(HG_Core_forward(handle, on_done, &done, 0, 0) == HG_BUSY);
        pair.wait([&] { return done.count > 0; });
        ++calls;
        CHECK(done.ret == HG_SUCCESS);
        CHECK(done.type == HG_CB_FORWARD);
        CHECK(done.handle == handle);
        CHECK(output_of(handle) == text + "!");
    }
    pair.wait([&] { return responded.count == calls; });
    CHECK(responded.type == HG_CB_RESPOND);
    CHECK(responded.ret == HG_SUCCESS);
    Done done;
    expect_log("exceed");
    CHECK(HG_Core_forward(handle, on_done, &done, 0, largest + 1) == HG_MSGSIZE);
    CHECK(HG_Core_forward(handle, on_done, &done, 0x80, 0) == HG_INVALID_ARG);
    CHECK(done.count == 0);
    CHECK(HG_Core_ref_get(handle) == 1);
    CHECK(HG_Core_ref_incr(handle) == HG_SUCCESS);
    CHECK(HG_Core_destroy(handle) == HG_SUCCESS);
    CHECK(HG_Core_reset(handle, pair.to, echo_id) == HG_SUCCESS);
    CHECK(HG_Core_destroy(handle) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("core: a context receives from its posting on", peer_setups) {
    CorePair pair(setup, false);
    REQUIRE(HG_Core_register(pair.client().cls, echo_id, nullptr) == HG_SUCCESS);
    REQUIRE(HG_Core_register(pair.server().cls, echo_id, serve_echo_raw) == HG_SUCCESS);
    hg_core_handle_t handle = nullptr;
    REQUIRE(HG_Core_create(pair.client().context, pair.to, echo_id, &handle) == HG_SUCCESS);
    Done done;
    REQUIRE(forward(handle, "early", done) == HG_SUCCESS);
    for (int i = 0; i < 200; ++i) {
        pair.client().step();
        pair.server().step();
    }
    CHECK(done.count == 0);
    REQUIRE(HG_Core_context_post(pair.server().context) == HG_SUCCESS);
    pair.wait([&] { return done.count == 1; });
    CHECK(done.ret == HG_SUCCESS);
    CHECK(HG_Core_destroy(handle) == HG_SUCCESS);

    hg_core_class_t* mute = HG_Core_init(setup.info, 0);
    REQUIRE(mute != nullptr);
    hg_core_context_t* context = HG_Core_context_create_id(mute, 0);
    CHECK(HG_Core_context_post(context) == HG_OPNOTSUPPORTED);
    CHECK(HG_Core_context_get_class(context) == mute);
    CHECK(HG_Core_context_destroy(context) == HG_SUCCESS);
    CHECK(HG_Core_finalize(mute) == HG_SUCCESS);
    CHECK(HG_Core_context_destroy(nullptr) == HG_SUCCESS);
    CHECK(HG_Core_finalize(nullptr) == HG_SUCCESS);
}

namespace {

// What the more-data callbacks see, by the handle.
struct MoreData {
    std::deque<hg_op_t> acquired;
    int released = 0;
    hg_return_t verdict = HG_SUCCESS;
    hg_core_handle_t waiting = nullptr;
    void (*go_on)(hg_core_handle_t, hg_return_t) = nullptr;
} more;

hg_return_t acquire(hg_core_handle_t handle, hg_op_t op,
                    void (*done)(hg_core_handle_t, hg_return_t)) {
    more.acquired.push_back(op);
    more.waiting = handle;
    more.go_on = done;
    return HG_SUCCESS;
}

void release(hg_core_handle_t) {
    ++more.released;
}

hg_return_t serve_more(hg_core_handle_t handle) {
    CHECK(input_of(handle) == "where it is");
    CHECK(respond(handle, "there too", nullptr, HG_CORE_MORE_DATA) == HG_SUCCESS);
    CHECK(HG_Core_destroy(handle) == HG_SUCCESS);
    return HG_SUCCESS;
}

}  // namespace

CINNABAR_INTEGRATION("core: the program completes payloads that were cut", peer_setups) {
    more = {};
    CorePair pair(setup);
    for (CoreSide* side : {&pair.client(), &pair.server()})
        REQUIRE(HG_Core_set_more_data_callback(side->cls, acquire, release) == HG_SUCCESS);
    REQUIRE(HG_Core_register(pair.client().cls, echo_id, nullptr) == HG_SUCCESS);
    REQUIRE(HG_Core_register(pair.server().cls, echo_id, serve_more) == HG_SUCCESS);
    hg_core_handle_t handle = nullptr;
    REQUIRE(HG_Core_create(pair.client().context, pair.to, echo_id, &handle) == HG_SUCCESS);
    SECTION("both ways") {
        Done done;
        REQUIRE(forward(handle, "where it is", done, HG_CORE_MORE_DATA) == HG_SUCCESS);
        pair.wait([&] { return more.acquired.size() == 1; });
        CHECK(more.acquired.back() == HG_INPUT);
        more.go_on(more.waiting, HG_SUCCESS);
        pair.wait([&] { return more.acquired.size() == 2; });
        CHECK(more.acquired.back() == HG_OUTPUT);
        CHECK(done.count == 0);
        more.go_on(more.waiting, HG_SUCCESS);
        pair.wait([&] { return done.count == 1; });
        CHECK(done.ret == HG_SUCCESS);
        CHECK(output_of(handle) == "there too");
        // The target's, when the origin has acknowledged; the origin's, when the handle goes.
        pair.wait([&] { return more.released == 1; });
    }
    SECTION("what cannot be got is an error of the call") {
        Done done;
        expect_log("the rest of the input is missing");
        REQUIRE(forward(handle, "where it is", done, HG_CORE_MORE_DATA) == HG_SUCCESS);
        pair.wait([&] { return more.acquired.size() == 1; });
        more.go_on(more.waiting, HG_NOMEM);
        pair.wait([&] { return done.count == 1; });
        CHECK(done.ret == HG_NOMEM);
    }
    CHECK(HG_Core_destroy(handle) == HG_SUCCESS);
    pair.wait([&] { return more.released == 2; });
}

CINNABAR_INTEGRATION("core: addresses travel as bytes", all_setups) {
    CorePair pair(setup);
    hg_core_addr_t copy = nullptr;
    REQUIRE(HG_Core_addr_dup(pair.to, &copy) == HG_SUCCESS);
    CHECK(HG_Core_addr_cmp(copy, pair.to) != 0);
    CHECK(HG_Core_addr_is_self(pair.to) == setup.self);
    const hg_size_t size = HG_Core_addr_get_serialize_size(copy, HG_CORE_SM);
    std::vector<char> bytes(size);
    REQUIRE(HG_Core_addr_serialize(bytes.data(), size, HG_CORE_SM, copy) == HG_SUCCESS);
    CHECK(HG_Core_addr_free(copy) == HG_SUCCESS);
    REQUIRE(HG_Core_addr_deserialize(pair.client().cls, &copy, bytes.data(), size, HG_CORE_SM) ==
            HG_SUCCESS);
    CHECK(HG_Core_addr_cmp(copy, pair.to) != 0);
    CHECK(HG_Core_addr_get_na(copy) != nullptr);
    CHECK(HG_Core_addr_free(copy) == HG_SUCCESS);
    CHECK(HG_Core_addr_free(nullptr) == HG_SUCCESS);

    struct Found {
        int count = 0;
        hg_core_addr_t addr = nullptr;
    } found;
    char name[256];
    hg_size_t room = sizeof name;
    REQUIRE(HG_Core_addr_to_string(name, &room, pair.to) == HG_SUCCESS);
    const hg_core_cb_t on_found = [](const hg_core_cb_info* info) {
        auto& result = *static_cast<Found*>(info->arg);
        CHECK(info->type == HG_CB_LOOKUP);
        ++result.count;
        result.addr = info->info.lookup.addr;
        return HG_SUCCESS;
    };
    REQUIRE(HG_Core_addr_lookup1(pair.client().context, on_found, &found, name, nullptr) ==
            HG_SUCCESS);
    CHECK(HG_Core_context_get_completion_count(pair.client().context) > 0);
    pair.wait([&] { return found.count == 1; });
    CHECK(HG_Core_addr_set_remove(found.addr) == HG_SUCCESS);
    CHECK(HG_Core_addr_free(found.addr) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("core: the create callback sees the handles of its context", all_setups) {
    CoreSide side(setup, false);
    int seen = 0;
    REQUIRE(HG_Core_context_set_handle_create_callback(
                side.context,
                [](hg_core_handle_t handle, void* arg) {
                    ++*static_cast<int*>(arg);
                    return HG_Core_set_data(handle, arg, nullptr);
                },
                &seen) == HG_SUCCESS);
    REQUIRE(HG_Core_context_post(side.context) == HG_SUCCESS);
    CHECK(seen == 16);
    hg_core_handle_t handle = nullptr;
    REQUIRE(HG_Core_create(side.context, nullptr, 0, &handle) == HG_SUCCESS);
    CHECK(seen == 17);
    CHECK(HG_Core_get_data(handle) == &seen);
    CHECK(HG_Core_destroy(handle) == HG_SUCCESS);
}
