// SPDX-License-Identifier: BSD-3-Clause
// Defaults and limits, one row each, over every net: what Mercury's are is what a program gets
// here, or more.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;

namespace {

hg_diag_counters counters_of(const Side& side) {
    hg_diag_counters counters;
    REQUIRE(HG_Class_get_counters(side.cls(), &counters) == HG_SUCCESS);
    return counters;
}

// Requests that are kept until they are answered.
struct Kept {
    std::vector<hg_handle_t> handles{};
    Serve serve() {
        return [this](hg_handle_t handle) { handles.push_back(handle); };
    }
    void answer() {
        for (hg_handle_t handle : std::exchange(handles, {}))
            serve_nothing(handle);
    }
};

struct Calls {
    Calls(const Pair& pair, hg_id_t id, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
            REQUIRE(calls.back()->forward() == HG_SUCCESS);
        }
    }
    bool done() const {
        return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->done(); });
    }
    bool well() const {
        return std::all_of(calls.begin(), calls.end(),
                           [](auto& call) { return call->ret() == HG_SUCCESS; });
    }
    std::vector<std::unique_ptr<Call>> calls{};
};

void size_of_a_message(const Setup& setup) {
    Pair pair(setup);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    const hg_size_t in_room = HG_Class_get_input_eager_size(pair.client.cls());
    const hg_size_t out_room = HG_Class_get_output_eager_size(pair.client.cls());
    // Over sm and tcp 64 KiB of arguments, with their length, are one message.
    const std::string_view info = setup.info;
    const bool ours = !info.starts_with("ofi+") && !info.starts_with("ucx+");
    for (const hg_size_t room : {in_room, out_room}) {
        CHECK(room <= (ours ? 68 * 1024 : 4096));
        CHECK(room >= (ours ? 64 * 1024 + 8 : 4096 - 128));
    }
    // What is said to fit goes in one message, and one byte more does not.
    const hg_size_t room = std::min(in_room, out_room) - sizeof(std::uint64_t);
    Call call(pair.client, pair.to, id);
    Blob fits(room, 1), larger(std::max(in_room, out_room) - sizeof(std::uint64_t) + 1, 2);
    REQUIRE(pair.run(call, &fits) == HG_SUCCESS);
    CHECK(counters_of(pair.client).rpc_req_extra_count == 0);
    CHECK(counters_of(pair.server).rpc_resp_extra_count == 0);
    REQUIRE(pair.run(call, &larger) == HG_SUCCESS);
    if (setup.self) return;
    CHECK(counters_of(pair.client).rpc_req_extra_count == 1);
    CHECK(counters_of(pair.server).rpc_resp_extra_count == 1);
}

void more_than_512_requests(const Setup& setup) {
    Pair pair(setup);
    Kept kept;
    Calls calls(pair, pair.add("keep", nullptr, nullptr, kept.serve()), 700);
    pair.wait([&] { return kept.handles.size() == 700; });
    kept.answer();
    pair.wait([&] { return calls.done(); });
    CHECK(calls.well());
}

void never_more_than_posted(const Setup& setup) {
    SideOptions options;
    options.init.request_post_init = 4;
    options.init.request_post_incr = -1;
    Pair pair(setup, {}, options);
    Kept kept;
    Calls calls(pair, pair.add("keep", nullptr, nullptr, kept.serve()), 40);
    std::size_t most = 0;
    pair.wait([&] {
        most = std::max(most, kept.handles.size());
        if (kept.handles.size() >= 4) kept.answer();
        return calls.done();
    });
    CHECK(calls.well());
    // A call to oneself needs no receive; with auto_sm each of the nets has its own.
    if (!setup.self) CHECK(most <= (setup.auto_sm ? 8u : 4u));
}

void completions_beyond_1024_in_order(const Setup& setup) {
    Pair pair(setup);
    struct Look {
        hg_class_t* cls;
        std::vector<int>* order;
        int number;
    };
    std::vector<int> order, expected(3000);
    std::iota(expected.begin(), expected.end(), 0);
    std::vector<Look> looks;
    for (const int number : expected)
        looks.push_back({pair.client.cls(), &order, number});
    const std::string name = pair.client.self().text();
    for (Look& look : looks)
        REQUIRE(HG_Addr_lookup1(
                    pair.client.context(),
                    [](const hg_cb_info* info) {
                        const auto& done = *static_cast<Look*>(info->arg);
                        done.order->push_back(done.number);
                        return HG_Addr_free(done.cls, info->info.lookup.addr);
                    },
                    &look, name.c_str(), HG_OP_ID_IGNORE) == HG_SUCCESS);
    unsigned count = 0;
    while (HG_Trigger(pair.client.context(), 0, 100, &count) == HG_SUCCESS)
        continue;
    CHECK(order == expected);
}

// A region of the client as the server has it.
hg_bulk_t at_server(const Pair& pair, hg_bulk_t region) {
    std::vector<char> bytes(HG_Bulk_get_serialize_size(region, 0));
    REQUIRE(HG_Bulk_serialize(bytes.data(), bytes.size(), 0, region) == HG_SUCCESS);
    hg_bulk_t remote = HG_BULK_NULL;
    REQUIRE(HG_Bulk_deserialize(pair.server.cls(), &remote, bytes.data(), bytes.size()) ==
            HG_SUCCESS);
    return remote;
}

hg_bulk_t region_of(const Side& side, std::vector<unsigned char>& bytes, std::size_t segments) {
    std::vector<void*> bases(segments);
    std::vector<hg_size_t> sizes(segments, bytes.size() / segments);
    for (std::size_t i = 0; i < segments; ++i)
        bases[i] = bytes.data() + i * sizes[i];
    hg_bulk_t region = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(side.cls(), static_cast<std::uint32_t>(segments), bases.data(),
                           sizes.data(), HG_BULK_READWRITE, &region) == HG_SUCCESS);
    return region;
}

struct Outcome {
    int callbacks = 0, successes = 0;
    static hg_return_t take(const hg_cb_info* info) {
        auto& outcome = *static_cast<Outcome*>(info->arg);
        ++outcome.callbacks;
        if (info->ret == HG_SUCCESS) ++outcome.successes;
        return HG_SUCCESS;
    }
};

// Pulls `parts` equal parts of a region with `segments` segments, all at once.
void pull(const Setup& setup, std::size_t size, std::size_t segments, int parts) {
    CAPTURE(segments, parts);
    Pair pair(setup);
    const Address to_client =
        setup.self ? pair.client.self() : pair.server.lookup(pair.client.self().text());
    std::vector<unsigned char> from = content_of(size, 1), into(size);
    const hg_bulk_t origin = region_of(pair.client, from, segments);
    const hg_bulk_t local = region_of(pair.server, into, 1);
    const hg_bulk_t remote = at_server(pair, origin);
    CHECK(HG_Bulk_get_segment_count(remote) == segments);
    Outcome outcome;
    const hg_size_t part = size / static_cast<std::size_t>(parts);
    for (hg_size_t at = 0; at < size; at += part)
        REQUIRE(HG_Bulk_transfer(pair.server.context(), Outcome::take, &outcome, HG_BULK_PULL,
                                 to_client.get(), remote, at, local, at, part,
                                 HG_OP_ID_IGNORE) == HG_SUCCESS);
    pair.wait([&] { return outcome.callbacks == parts; });
    CHECK(outcome.successes == parts);
    CHECK(into == from);
    for (hg_bulk_t each : {origin, local, remote})
        CHECK(HG_Bulk_free(each) == HG_SUCCESS);
}

void more_than_256_transfers(const Setup& setup) {
    pull(setup, 600 * 50, 1, 600);
}

void more_segments_than_a_vector(const Setup& setup) {
    for (const std::size_t segments : {8, 9, 1024, 1025})
        pull(setup, segments * 16, segments, 1);
}

void context_id_255(const Setup& setup) {
    if (setup.self) return;
    SideOptions options;
    options.init.request_post_init = 4;
    options.init.na_init_info.max_contexts = 255;
    Pair pair(setup, {}, options);
    hg_context_t* last = HG_Context_create_id(pair.server.cls(), 255);
    REQUIRE(last != nullptr);
    CHECK(HG_Context_get_id(last) == 255);
    hg_context_t* served_in = nullptr;
    const hg_id_t id = pair.add("where", nullptr, nullptr, [&](hg_handle_t handle) {
        served_in = HG_Get_info(handle)->context;
        serve_nothing(handle);
    });
    Call call(pair.client, pair.to, id);
    REQUIRE(HG_Set_target_id(call.handle(), 255) == HG_SUCCESS);
    REQUIRE(call.forward() == HG_SUCCESS);
    pair.wait([&] {
        (void)HG_Progress(last, 0);
        (void)HG_Trigger(last, 0, 8, nullptr);
        return call.done();
    });
    CHECK(call.ret() == HG_SUCCESS);
    CHECK(served_in == last);
    CHECK(HG_Context_destroy(last) == HG_SUCCESS);
}

void ids_of_names_have_32_bits(const Setup& setup) {
    const Side side(setup);
    hg_id_t id = 0;
    std::uint8_t known = 1;
    REQUIRE(HG_Registered_name(side.cls(), std::string(1000, 'x').c_str(), &id, &known) ==
            HG_SUCCESS);
    CHECK(known == 0);
    CHECK(id <= UINT32_MAX);
    REQUIRE(HG_Registered_name(side.cls(), "a", &id, &known) == HG_SUCCESS);
    CHECK(id == 5381 * 33 + 'a');
}

void long_strings_are_refused(const Setup& setup) {
    allow_log("");
    const Side side(setup);
    const std::string own = side.self().text();
    const std::string scheme = own.substr(0, own.find("://") + 3);
    for (const std::size_t length : {256, 4096, 100000}) {
        const std::string name = scheme + std::string(length, '1');
        hg_addr_t addr = HG_ADDR_NULL;
        CHECK(HG_Addr_lookup2(side.cls(), name.c_str(), &addr) != HG_SUCCESS);
        CHECK(addr == HG_ADDR_NULL);
    }
}

struct Row {
    const char* limit;
    void (*check)(const Setup& setup);
};

constexpr Row rows[] = {
    {"the size of a message", size_of_a_message},
    {"512 requests and more wait to be served", more_than_512_requests},
    {"no more are taken than receives are posted, if there may not be more",
     never_more_than_posted},
    {"1024 completions and more wait for their trigger, in order",
     completions_beyond_1024_in_order},
    {"256 transfers and more are in flight", more_than_256_transfers},
    {"8 segments, 1024 and more", more_segments_than_a_vector},
    {"ids of contexts go to 255", context_id_255},
    {"ids of names have 32 bits", ids_of_names_have_32_bits},
    {"strings of addresses may have any length, and are refused", long_strings_are_refused},
};

}  // namespace

CINNABAR_INTEGRATION("each default and limit is what Mercury's is, or more", all_setups) {
    for (const Row& row : rows) {
        CAPTURE(std::string(row.limit));
        row.check(setup);
    }
}

// The code of a response is one signed byte there.
static_assert(HG_RETURN_MAX <= INT8_MAX);

TEST_CASE("more subsystems of the log, with longer names, than 16 of 16 characters") {
    std::string names;
    for (int i = 0; i < 40; ++i)
        names += std::string(40, static_cast<char>('a' + i % 26)) + std::to_string(i) + ",";
    const auto open = [] { return HG_Init("no such net", HG_FALSE); };
    HG_Set_log_subsys(names.c_str());
    CHECK(open() == nullptr);  // none of these speaks
    HG_Set_log_subsys((names + "na_cls").c_str());
    expect_log("no such net");
    CHECK(open() == nullptr);
    HG_Set_log_subsys("");
}

TEST_CASE("more than 256 endpoints of shared memory in a process, each with its own address") {
    SideOptions options;
    options.listen = false;
    Setup setup = setup_named("sm");
    Side server(setup);
    const Address self = server.self();
    (void)server.add("null", nullptr, nullptr, serve_nothing);
    const std::string name = self.text();
    std::vector<std::unique_ptr<Side>> clients;
    std::vector<std::string> names;
    for (int i = 0; i < 260; ++i) {
        clients.push_back(std::make_unique<Side>(setup, options));
        Side& client = *clients.back();
        names.push_back(client.self().text());
        const hg_id_t id = client.add("null", nullptr, nullptr);
        const Address to = client.lookup(name);
        Call call(client, to, id);
        REQUIRE(call.forward() == HG_SUCCESS);
        while (!call.done()) {
            server.step();
            client.step();
        }
        REQUIRE(call.ret() == HG_SUCCESS);
    }
    std::sort(names.begin(), names.end());
    CHECK(std::unique(names.begin(), names.end()) == names.end());
}
