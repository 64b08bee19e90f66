// SPDX-License-Identifier: BSD-3-Clause
// auto_sm: what its address strings say, who takes which part of them, and how those with and
// without a second net understand each other. All other tests run over it too (setup.cpp).
#include <unistd.h>

#include <string>
#include <vector>

#include "na.h"
#include "na_sm.h"
#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;

namespace {

const Setup& with_two() {
    return setup_named("auto_sm");
}

const Setup& with_one() {
    return setup_named("tcp");
}

struct Parts {
    std::string host, second, first;
};

Parts parts_of(const std::string& text) {
    const std::size_t one = text.find('#');
    const std::size_t two = text.find('#', one + 1);
    REQUIRE(two != std::string::npos);
    return {text.substr(0, one), text.substr(one + 1, two - one - 1), text.substr(two + 1)};
}

// Calls from `client` to `to`; where the server saw the calls come from.
std::string seen_from(Side& client, Side& server, const Address& to) {
    std::string origin;
    (void)client.add("whence", proc_blob, proc_blob);
    const hg_id_t id = server.add("whence", proc_blob, proc_blob, [&](hg_handle_t handle) {
        char text[256];
        hg_size_t size = sizeof text;
        REQUIRE(HG_Addr_to_string(server.cls(), text, &size, HG_Get_info(handle)->addr) ==
                HG_SUCCESS);
        origin = text;
        serve_echo(handle);
    });
    for (const std::size_t size : {10, 100}) {
        Call call(client, to, id);
        Blob in(size, 1);
        REQUIRE(call.forward(&in) == HG_SUCCESS);
        while (!call.done()) {
            client.step(1);
            server.step(1);
        }
        CHECK(call.ret() == HG_SUCCESS);
    }
    // A pair of sides may ask twice; the data of a procedure is freed with it.
    CHECK(HG_Deregister(server.cls(), id) == HG_SUCCESS);
    return origin;
}

}  // namespace

TEST_CASE("auto_sm: one's own address has a part for each net") {
    const Side side(with_two());
    const Parts parts = parts_of(side.self().text());
    na_sm_id_t id = 0;
    REQUIRE(NA_SM_Host_id_get(&id) == NA_SUCCESS);
    CHECK(parts.host == "uid://" + std::to_string(id));
    CHECK(parts.second.starts_with("na+sm://"));
    CHECK(parts.first.starts_with("na+tcp://127.0.0.1:"));
    // The class is still called after the net that was asked for.
    CHECK(std::string(HG_Class_get_name(side.cls())) == "na");
    CHECK(std::string(HG_Class_get_protocol(side.cls())) == "tcp");
}

TEST_CASE("auto_sm: peers on this host are reached through shared memory, others are not") {
    Side client(with_two());
    Side server(with_two());
    const Parts parts = parts_of(server.self().text());
    const Parts client_parts = parts_of(client.self().text());
    {
        const Address here = client.lookup(server.self().text());
        CHECK(here.text() == parts.second);
        CHECK(seen_from(client, server, here) == client_parts.second);
        // The string of what was found leads to the same peer.
        const Address again = client.lookup(here.text());
        CHECK(HG_Addr_cmp(client.cls(), here.get(), again.get()) != 0);
    }
    {
        const Address elsewhere = client.lookup("uid://1#" + parts.second + "#" + parts.first);
        CHECK(elsewhere.text() == parts.first);
        CHECK(seen_from(client, server, elsewhere) == client_parts.first);
    }
}

TEST_CASE("auto_sm: a peer with one net calls and is called through that one") {
    Side two(with_two());
    Side one(with_one());
    const Parts parts = parts_of(two.self().text());
    const Address to_two = one.lookup(parts.first);
    CHECK(seen_from(one, two, to_two) == one.self().text());
    const Address to_one = two.lookup(one.self().text());
    CHECK(seen_from(two, one, to_one) == parts.first);
    // It cannot read a composite string, and says so.
    hg_addr_t addr = HG_ADDR_NULL;
    expect_log("uid://");
    CHECK(HG_Addr_lookup2(one.cls(), two.self().text().c_str(), &addr) == HG_PROTONOSUPPORT);
    // The memory of one is read by two.
    std::vector<char> source(100000, 's');
    std::vector<char> target(100000);
    void* from = source.data();
    void* into = target.data();
    const hg_size_t size = source.size();
    hg_bulk_t origin = HG_BULK_NULL;
    hg_bulk_t local = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(one.cls(), 1, &from, &size, HG_BULK_READ_ONLY, &origin) == HG_SUCCESS);
    REQUIRE(HG_Bulk_create(two.cls(), 1, &into, &size, HG_BULK_WRITE_ONLY, &local) == HG_SUCCESS);
    std::vector<char> description(HG_Bulk_get_serialize_size(origin, 0));
    REQUIRE(HG_Bulk_serialize(description.data(), description.size(), 0, origin) == HG_SUCCESS);
    hg_bulk_t remote = HG_BULK_NULL;
    REQUIRE(HG_Bulk_deserialize(two.cls(), &remote, description.data(), description.size()) ==
            HG_SUCCESS);
    hg_return_t result = HG_RETURN_MAX;
    REQUIRE(HG_Bulk_transfer(
                two.context(),
                [](const hg_cb_info* info) {
                    *static_cast<hg_return_t*>(info->arg) = info->ret;
                    return HG_SUCCESS;
                },
                &result, HG_BULK_PULL, to_one.get(), remote, 0, local, 0, size,
                HG_OP_ID_IGNORE) == HG_SUCCESS);
    while (result == HG_RETURN_MAX) {
        one.step(1);
        two.step(1);
    }
    CHECK(result == HG_SUCCESS);
    CHECK(target == source);
    for (hg_bulk_t each : {origin, local, remote})
        CHECK(HG_Bulk_free(each) == HG_SUCCESS);
}

TEST_CASE("auto_sm: strings that are cut or empty are refused") {
    const Side side(with_two());
    allow_log("is not an address");
    for (const char* text :
         {"uid://", "uid://1", "uid://1#", "uid://1##", "uid://1#na+sm://x", "uid://1#na+sm://x#",
          "uid://#na+sm://x#na+tcp://127.0.0.1:1", "uid://1##na+tcp://127.0.0.1:1"}) {
        CAPTURE(text);
        hg_addr_t addr = HG_ADDR_NULL;
        CHECK(HG_Addr_lookup2(side.cls(), text, &addr) == HG_PROTONOSUPPORT);
    }
    char buf[16];
    hg_size_t size = sizeof buf;
    const Address self = side.self();
    CHECK(HG_Addr_to_string(side.cls(), buf, &size, self.get()) == HG_OVERFLOW);
    CHECK(size == self.text().size() + 1);
}

TEST_CASE("auto_sm: bytes that are cut are no address") {
    const Side side(with_two());
    const Address self = side.self();
    auto* cls = reinterpret_cast<hg_core_class_t*>(side.cls());
    auto* addr = reinterpret_cast<hg_core_addr_t>(self.get());
    std::vector<char> bytes(HG_Core_addr_get_serialize_size(addr, 0));
    REQUIRE(HG_Core_addr_serialize(bytes.data(), bytes.size(), 0, addr) == HG_SUCCESS);
    CHECK(HG_Core_addr_serialize(bytes.data(), bytes.size() - 1, 0, addr) == HG_OVERFLOW);
    allow_log("");
    hg_core_addr_t made = nullptr;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
        CHECK(HG_Core_addr_deserialize(cls, &made, cut.data(), size, 0) != HG_SUCCESS);
    }
    // Flipped bits give an error or some address.
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::vector<char> bad = bytes;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        if (HG_Core_addr_deserialize(cls, &made, bad.data(), bad.size(), 0) == HG_SUCCESS)
            CHECK(HG_Core_addr_free(made) == HG_SUCCESS);
    }
}

TEST_CASE("auto_sm: the second net bears the name that is asked for") {
    SideOptions options;
    const std::string name = "named-" + std::to_string(::getpid());
    options.init.sm_info_string = name.c_str();
    const Side side(with_two(), options);
    CHECK(parts_of(side.self().text()).second == "na+sm://" + name);
}

TEST_CASE("auto_sm: where it makes no sense it is left out, with a warning") {
    hg_init_info init{};
    init.auto_sm = 1;
    expect_log("auto_sm is ignored");
    hg_class_t* cls = HG_Init_opt2("na+sm://", 1, HG_VERSION(2, 4), &init);
    REQUIRE(cls != nullptr);
    hg_addr_t self = HG_ADDR_NULL;
    REQUIRE(HG_Addr_self(cls, &self) == HG_SUCCESS);
    char text[256];
    hg_size_t size = sizeof text;
    CHECK(HG_Addr_to_string(cls, text, &size, self) == HG_SUCCESS);
    CHECK(std::string(text).starts_with("na+sm://"));
    CHECK(HG_Addr_free(cls, self) == HG_SUCCESS);
    CHECK(HG_Finalize(cls) == HG_SUCCESS);

    na_class_t* na = NA_Initialize("na+tcp://127.0.0.1:0", true);
    REQUIRE(na != nullptr);
    init.na_class = na;
    cls = HG_Init_opt2(nullptr, 0, HG_VERSION(2, 4), &init);
    REQUIRE(cls != nullptr);
    // What listens is what was opened, and it stays open.
    CHECK(HG_Class_is_listening(cls));
    CHECK(HG_Finalize(cls) == HG_SUCCESS);
    CHECK(NA_Is_listening(na));
    CHECK(NA_Finalize(na) == NA_SUCCESS);
}
