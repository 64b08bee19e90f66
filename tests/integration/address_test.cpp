// SPDX-License-Identifier: BSD-3-Clause
// Addresses: lookups of both kinds, strings, comparison, and strings that name nobody.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;

CINNABAR_INTEGRATION("an address string leads back to its peer", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    const Address server_self = pair.server.self();
    if (setup.auto_sm)
        CHECK(server_self.text().find(pair.to.text()) != std::string::npos);
    else
        CHECK(pair.to.text() == server_self.text());
    const Address again = pair.client.lookup(pair.to.text());
    CHECK(again.text() == pair.to.text());
    Call call(pair.client, again, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    // Without the part before '+', too.
    const std::string text = pair.to.text();
    const Address bare = pair.client.lookup(text.substr(text.find('+') + 1));
    Call second(pair.client, bare, id);
    CHECK(pair.run(second) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("an address string asks for its room", all_setups) {
    const Side side(setup);
    const Address self = side.self();
    const std::string text = self.text();
    hg_size_t size = 0;
    REQUIRE(HG_Addr_to_string(side.cls(), nullptr, &size, self.get()) == HG_SUCCESS);
    CHECK(size == text.size() + 1);
    std::string room(size, 'x');
    size = text.size();
    allow_log("");
    CHECK(HG_Addr_to_string(side.cls(), room.data(), &size, self.get()) == HG_OVERFLOW);
}

CINNABAR_INTEGRATION("addresses are compared by peer", all_setups) {
    Pair pair(setup);
    hg_class_t* cls = pair.client.cls();
    const Address self = pair.client.self(), again = pair.client.lookup(pair.server.self().text());
    hg_addr_t duplicate = HG_ADDR_NULL;
    REQUIRE(HG_Addr_dup(cls, pair.to.get(), &duplicate) == HG_SUCCESS);
    const Address dup(cls, duplicate);
    CHECK(HG_Addr_cmp(cls, pair.to.get(), dup.get()) != 0);
    if (!setup.self) {
        CHECK(HG_Addr_cmp(cls, pair.to.get(), again.get()) != 0);
        CHECK(HG_Addr_cmp(cls, pair.to.get(), self.get()) == 0);
    }
    CHECK(HG_Addr_cmp(cls, HG_ADDR_NULL, HG_ADDR_NULL) != 0);
    CHECK(HG_Addr_cmp(cls, self.get(), HG_ADDR_NULL) == 0);
    CHECK(HG_Addr_cmp(cls, self.get(), pair.client.self().get()) != 0);
    CHECK(HG_Addr_free(cls, HG_ADDR_NULL) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("the old lookup reports through a callback", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    struct Found {
        hg_class_t* cls;
        Address address;
        int callbacks = 0;
    } found{pair.client.cls(), {}, 0};
    const auto callback = [](const hg_cb_info* info) {
        auto& result = *static_cast<Found*>(info->arg);
        ++result.callbacks;
        if (info->type == HG_CB_LOOKUP && info->ret == HG_SUCCESS)
            result.address = Address(result.cls, info->info.lookup.addr);
        return HG_SUCCESS;
    };
    REQUIRE(HG_Addr_lookup1(pair.client.context(), callback, &found, pair.to.text().c_str(),
                            HG_OP_ID_IGNORE) == HG_SUCCESS);
    CHECK(found.callbacks == 0);
    pair.wait([&] { return found.callbacks > 0; });
    CHECK(found.callbacks == 1);
    REQUIRE(found.address.get() != HG_ADDR_NULL);
    Call call(pair.client, found.address, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(HG_Addr_lookup1(pair.client.context(), callback, &found, nullptr, nullptr) ==
          HG_INVALID_ARG);
    expect_log("");
    CHECK(HG_Addr_lookup1(pair.client.context(), callback, &found, "gibberish", nullptr) !=
          HG_SUCCESS);
    for (int i = 0; i < 10; ++i)
        pair.step();
    CHECK(found.callbacks == 1);
}

CINNABAR_INTEGRATION("a peer said to be gone can be looked up again", peer_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    const std::string text = pair.to.text();
    for (int i = 0; i < 10; ++i) {
        Address address = pair.client.lookup(text);
        {
            Call call(pair.client, address, id);
            CHECK(pair.run(call) == HG_SUCCESS);
        }
        REQUIRE(HG_Addr_set_remove(pair.client.cls(), address.get()) == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("strings that name nobody are refused with a cause", peer_setups) {
    const Side side(setup);
    const char* bad[] = {"",
                         "x",
                         "://",
                         "tcp",
                         "tcp://",
                         "tcp://:",
                         "tcp://127.0.0.1",
                         "tcp://127.0.0.1:",
                         "tcp://127.0.0.1:x",
                         "tcp://127.0.0.1:99999",
                         "tcp://127.0.0.1:1:2",
                         "sm://a/b",
                         "ofi+verbs://x",
                         "carrier-pigeon://roof",
                         "tcp://host.invalid:1234",
                         "tcp://300.1.1.1:80",
                         "tcp://[::1:80"};
    for (const char* text : bad) {
        CAPTURE(text);
        expect_log("");
        hg_addr_t addr = HG_ADDR_NULL;
        CHECK(HG_Addr_lookup2(side.cls(), text, &addr) != HG_SUCCESS);
        CHECK(addr == HG_ADDR_NULL);
    }
}

TEST_CASE("a lookup that fails says which string and why") {
    const Side side(setup_named("tcp"));
    hg_addr_t addr = HG_ADDR_NULL;
    expect_log("host.invalid");
    CHECK(HG_Addr_lookup2(side.cls(), "tcp://host.invalid:1234", &addr) != HG_SUCCESS);
    expect_log("127.0.0.1:x");
    CHECK(HG_Addr_lookup2(side.cls(), "tcp://127.0.0.1:x", &addr) != HG_SUCCESS);
    expect_log("pigeon");
    CHECK(HG_Addr_lookup2(side.cls(), "carrier-pigeon://roof", &addr) != HG_SUCCESS);
}

TEST_CASE("strings that name no network open no class, and say so") {
    for (const char* text :
         {"", "x", "://", "carrier-pigeon://", "tcp://999.1.1.1:0", "tcp://127.0.0.1:99999",
          "tcp://host.invalid:0", "sm://a/b", "ofi+carrier-pigeon://", "tcp+sm://"}) {
        CAPTURE(text);
        hg_class_t* cls = nullptr;
        expect_log("");
        CHECK((cls = HG_Init(text, 1)) == nullptr);
        if (cls != nullptr) (void)HG_Finalize(cls);
    }
    CHECK(HG_Init(nullptr, 1) == nullptr);
}

TEST_CASE("a network that is in use already is not opened") {
    for (const Setup* setup : peer_setups()) {
        CAPTURE(std::string(setup->name));
        const Side side(*setup);
        expect_log("");
        hg_class_t* cls = nullptr;
        CHECK((cls = HG_Init(side.self().text().c_str(), 1)) == nullptr);
        if (cls != nullptr) (void)HG_Finalize(cls);
    }
}

TEST_CASE("options of a version are read as that version had them") {
    hg_init_info info = HG_INIT_INFO_INITIALIZER;
    expect_log("version 0");
    CHECK(HG_Init_opt2("na+sm://", 1, 0, &info) == nullptr);
    info.multi_recv_copy_threshold = 9;
    expect_log("multi_recv_copy_threshold");
    CHECK(HG_Init_opt2("na+sm://", 1, HG_VERSION(2, 4), &info) == nullptr);
    // An older caller does not have this member.
    hg_class_t* cls = HG_Init_opt2("na+sm://", 1, HG_VERSION(2, 3), &info);
    REQUIRE(cls != nullptr);
    CHECK(HG_Finalize(cls) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a call to where nobody listens ends with an error", peer_setups) {
    std::string gone;
    {
        const Side short_lived(setup);
        gone = short_lived.self().text();
    }
    Side side(setup);
    const hg_id_t id = side.add("null", proc_blob, nullptr);
    // Of a composite string, the part through which it is tried.
    const std::size_t name = gone.find('+') + 1;
    allow_log(gone.substr(name, gone.find('#', name) - name));
    allow_log("refused");
    const Address to = side.lookup(gone);
    for (const std::size_t size : {10, 100000}) {
        Call call(side, to, id);
        Blob in(size, 1);
        for (int i = 0; i < 3; ++i) {
            REQUIRE(call.forward(&in) == HG_SUCCESS);
            side.wait([&] { return call.done(); });
            CHECK(call.ret() == HG_HOSTUNREACH);
            CHECK(call.callbacks() == i + 1);
        }
    }
    REQUIRE(HG_Registered_disable_response(side.cls(), id, 1) == HG_SUCCESS);
    for (const std::size_t size : {10, 100000}) {
        Call call(side, to, id);
        Blob in(size, 1);
        const hg_return_t ret = call.forward(&in);
        if (ret == HG_SUCCESS) side.wait([&] { return call.done(); });
        CHECK((ret == HG_SUCCESS ? call.ret() : ret) == HG_HOSTUNREACH);
    }
}
