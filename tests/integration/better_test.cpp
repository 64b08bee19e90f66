// SPDX-License-Identifier: BSD-3-Clause
// Where Mercury loses calls, memory or its way and Cinnabar does not, as far as no other test shows
// it; docs/compatibility.md lists all of these points and their tests.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <memory>
#include <thread>

#include "mercury_proc.h"
#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/memory_plugin.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;
namespace memory_net = cinnabar::test::memory_net;

namespace {

hg_return_t mark(const hg_cb_info* info) {
    *static_cast<hg_return_t*>(info->arg) = info->ret;
    return HG_SUCCESS;
}

hg_bulk_t region_of(const Side& side, std::vector<unsigned char>& bytes, std::size_t segments,
                    std::uint8_t flags = HG_BULK_READWRITE) {
    std::vector<void*> bases(segments);
    std::vector<hg_size_t> sizes(segments, bytes.size() / segments);
    for (std::size_t i = 0; i < segments; ++i)
        bases[i] = bytes.data() + i * sizes[i];
    hg_bulk_t region = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(side.cls(), static_cast<std::uint32_t>(segments), bases.data(),
                           sizes.data(), flags, &region) == HG_SUCCESS);
    return region;
}

hg_bulk_t described_to(const Side& side, hg_bulk_t region) {
    std::vector<char> bytes(HG_Bulk_get_serialize_size(region, 0));
    REQUIRE(HG_Bulk_serialize(bytes.data(), bytes.size(), 0, region) == HG_SUCCESS);
    hg_bulk_t remote = HG_BULK_NULL;
    REQUIRE(HG_Bulk_deserialize(side.cls(), &remote, bytes.data(), bytes.size()) == HG_SUCCESS);
    return remote;
}

void free_all(std::initializer_list<hg_bulk_t> regions) {
    for (hg_bulk_t region : regions)
        CHECK(HG_Bulk_free(region) == HG_SUCCESS);
}

}  // namespace

CINNABAR_INTEGRATION("procedures come and go while requests for them arrive", peer_setups) {
    allow_log("is refused: not registered");
    Pair pair(setup);
    const hg_id_t id = pair.client.add("coming and going", proc_blob, proc_blob);
    const auto offer = [&] {
        return HG_Register(pair.server.cls(), id, proc_blob, proc_blob, [](hg_handle_t handle) {
            serve_echo(handle);
            return HG_SUCCESS;
        });
    };
    REQUIRE(offer() == HG_SUCCESS);
    std::atomic<bool> end{false};
    std::atomic<int> changes{0};
    std::thread changer([&] {
        while (!end.load()) {
            (void)HG_Deregister(pair.server.cls(), id);
            std::this_thread::yield();
            (void)offer();
            changes.fetch_add(1);
            std::this_thread::yield();
        }
    });
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 16; ++i)
        calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
    int served = 0, unknown = 0, other = 0;
    for (unsigned round = 0; round < 50 || changes.load() < 20; ++round) {
        for (auto& call : calls) {
            Blob in(round % 10 == 0 ? 10000 : 100, round);
            REQUIRE(call->forward(&in) == HG_SUCCESS);
        }
        for (auto& call : calls) {
            pair.wait([&] { return call->done(); });
            // A procedure that is gone between the callback's beginning and its decoding has none.
            (call->ret() == HG_SUCCESS                                    ? served
             : call->ret() == HG_NOENTRY || call->ret() == HG_INVALID_ARG ? unknown
                                                                          : other)++;
        }
    }
    end.store(true);
    changer.join();
    CAPTURE(served, unknown);
    CHECK(other == 0);
    CHECK(served + unknown > 0);
}

TEST_CASE("a transfer of which one part fails ends once, when all of its parts have") {
    allow_log("");
    cinnabar::test::register_memory_plugin();
    const Setup setup{"mem", "na+mem://better", "", false, false};
    const Side origin_side(setup);
    SideOptions options;
    options.info = "na+mem://better-local";
    Side side(setup, options);
    // A handle of this net has 4096 segments at most: three parts.
    constexpr std::size_t size = 3 * 4096;
    std::vector<unsigned char> from = content_of(size, 1), into(size);
    const hg_bulk_t origin = region_of(origin_side, from, size);
    const hg_bulk_t local = region_of(side, into, 1);
    const hg_bulk_t remote = described_to(side, origin);
    const Address to = side.lookup(origin_side.self().text());
    memory_net::hold();
    int callbacks = 0;
    REQUIRE(HG_Bulk_transfer(
                side.context(),
                [](const hg_cb_info* info) {
                    ++*static_cast<int*>(info->arg);
                    CHECK(info->ret == HG_IO_ERROR);
                    return HG_SUCCESS;
                },
                &callbacks, HG_BULK_PULL, to.get(), remote, 0, local, 0, size,
                HG_OP_ID_IGNORE) == HG_SUCCESS);
    side.step();
    REQUIRE(memory_net::in_flight() == 3);
    REQUIRE(memory_net::fail_one(NA_IO_ERROR));
    while (memory_net::in_flight() > 0) {
        side.step();
        // Memory that a part still writes to is not given back to the user.
        CHECK(callbacks == 0);
        REQUIRE(memory_net::deliver_one());
    }
    memory_net::release();
    while (callbacks == 0)
        side.step();
    for (int i = 0; i < 10; ++i)
        side.step();
    CHECK(callbacks == 1);
    free_all({origin, local, remote});
}

CINNABAR_INTEGRATION("the id of a transfer is known before its callback, whichever thread runs it",
                     peer_setups) {
    Pair pair(setup);
    const Address to_client = pair.server.lookup(pair.client.self().text());
    std::vector<unsigned char> from = content_of(64, 1), into(64);
    const hg_bulk_t origin = region_of(pair.client, from, 1);
    const hg_bulk_t local = region_of(pair.server, into, 1);
    const hg_bulk_t remote = described_to(pair.server, origin);
    struct Transfer {
        std::atomic<hg_op_id_t> id{HG_OP_ID_NULL};
        std::atomic<int> callbacks{0};
        std::atomic<bool> unknown{false};
    } transfer;
    static_assert(sizeof transfer.id == sizeof(hg_op_id_t));
    std::atomic<bool> end{false};
    std::thread trigger([&] {
        while (!end.load()) {
            (void)HG_Progress(pair.server.context(), setup.busy ? 0 : 1);
            (void)HG_Trigger(pair.server.context(), 0, 1, nullptr);
            (void)HG_Progress(pair.client.context(), 0);
        }
    });
    for (int i = 1; i <= 80; ++i) {
        transfer.id.store(HG_OP_ID_NULL);
        REQUIRE(HG_Bulk_transfer(
                    pair.server.context(),
                    [](const hg_cb_info* info) {
                        auto& done = *static_cast<Transfer*>(info->arg);
                        if (done.id.load() == HG_OP_ID_NULL) done.unknown.store(true);
                        done.callbacks.fetch_add(1);
                        return HG_SUCCESS;
                    },
                    &transfer, HG_BULK_PULL, to_client.get(), remote, 0, local, 0, 64,
                    reinterpret_cast<hg_op_id_t*>(&transfer.id)) == HG_SUCCESS);
        while (transfer.callbacks.load() < i)
            std::this_thread::yield();
    }
    end.store(true);
    trigger.join();
    CHECK_FALSE(transfer.unknown.load());
    CHECK(into == from);
    free_all({origin, local, remote});
}

CINNABAR_INTEGRATION("a region that came as an argument is passed on when its message is gone",
                     peer_setups) {
    SideOptions options;
    options.init.request_post_init = 1;
    options.init.request_post_incr = -1;
    options.init.no_bulk_eager = GENERATE(as<std::uint8_t>{}, 0, 1);
    CAPTURE(static_cast<int>(options.init.no_bulk_eager));
    Pair pair(setup, options, options);
    hg_bulk_t kept = HG_BULK_NULL;
    const hg_id_t keep = pair.add("keep", proc_bulk_request, nullptr, [&](hg_handle_t handle) {
        BulkRequest in;
        REQUIRE(HG_Get_input(handle, &in) == HG_SUCCESS);
        kept = in.bulk;
        REQUIRE(HG_Bulk_ref_incr(kept) == HG_SUCCESS);
        REQUIRE(HG_Free_input(handle, &in) == HG_SUCCESS);
        serve_nothing(handle);
    });
    const hg_id_t echo = pair.add("echo", proc_blob, proc_blob, serve_echo);
    std::vector<unsigned char> from = content_of(500, 3), into(500);
    BulkRequest in;
    in.bulk = region_of(pair.client, from, 5, HG_BULK_READ_ONLY);
    Call call(pair.client, pair.to, keep);
    REQUIRE(pair.run(call, &in) == HG_SUCCESS);
    // The buffer that the description came in holds something else now.
    Call other(pair.client, pair.to, echo);
    Blob noise(3000, 99);
    REQUIRE(pair.run(other, &noise) == HG_SUCCESS);
    // To a third one, as bytes with and without the data.
    Side third(setup);
    const Address origin = third.lookup(pair.client.self().text());
    for (const unsigned long flags : {0UL, static_cast<unsigned long>(HG_BULK_EAGER)}) {
        std::vector<char> bytes(HG_Bulk_get_serialize_size(kept, flags));
        REQUIRE(HG_Bulk_serialize(bytes.data(), bytes.size(), flags, kept) == HG_SUCCESS);
        hg_bulk_t passed = HG_BULK_NULL;
        REQUIRE(HG_Bulk_deserialize(third.cls(), &passed, bytes.data(), bytes.size()) ==
                HG_SUCCESS);
        std::fill(into.begin(), into.end(), std::uint8_t{0});
        const hg_bulk_t local = region_of(third, into, 1);
        hg_return_t result = HG_RETURN_MAX;
        REQUIRE(HG_Bulk_transfer(third.context(), mark, &result, HG_BULK_PULL, origin.get(), passed,
                                 0, local, 0, 500, HG_OP_ID_IGNORE) == HG_SUCCESS);
        while (result == HG_RETURN_MAX) {
            third.step();
            pair.step();
        }
        CHECK(result == HG_SUCCESS);
        CHECK(into == from);
        free_all({passed, local});
    }
    free_all({kept, in.bulk});
}

namespace {

// Bytes that are read where they lie: valid until the handle gives its input up.
struct View {
    std::uint64_t size = 0;
    const unsigned char* at = nullptr;
};

hg_return_t proc_view(hg_proc_t proc, void* data) {
    auto& view = *static_cast<View*>(data);
    if (hg_proc_get_op(proc) == HG_FREE) return HG_SUCCESS;
    if (const hg_return_t ret = hg_proc_uint64_t(proc, &view.size); ret != HG_SUCCESS) return ret;
    void* place = hg_proc_save_ptr(proc, view.size);
    if (place == nullptr) return HG_OVERFLOW;
    if (hg_proc_get_op(proc) == HG_ENCODE) std::memcpy(place, view.at, view.size);
    view.at = static_cast<unsigned char*>(place);
    return hg_proc_restore_ptr(proc, place, view.size);
}

}  // namespace

CINNABAR_INTEGRATION("a large result leaves large arguments that are read in place alone",
                     all_setups) {
    Pair pair(setup);
    const std::vector<unsigned char> content = content_of(100000, 7);
    bool right = false;
    const hg_id_t id = pair.add("view", proc_view, proc_blob, [&](hg_handle_t handle) {
        View in;
        REQUIRE(HG_Get_input(handle, &in) == HG_SUCCESS);
        Blob out(100000, 8);
        REQUIRE(HG_Respond(handle, nullptr, nullptr, &out) == HG_SUCCESS);
        right = in.size == content.size() && std::equal(content.begin(), content.end(), in.at);
        REQUIRE(HG_Free_input(handle, &in) == HG_SUCCESS);
        REQUIRE(HG_Destroy(handle) == HG_SUCCESS);
    });
    Call call(pair.client, pair.to, id);
    View in{content.size(), content.data()};
    CHECK(pair.run(call, &in) == HG_SUCCESS);
    CHECK(right);
}

CINNABAR_INTEGRATION("a region is transferred through another address of its owner", peer_setups) {
    Pair pair(setup);
    std::vector<unsigned char> from = content_of(100000, 1), into(100000);
    const hg_bulk_t origin = region_of(pair.client, from, 1);
    const hg_bulk_t local = region_of(pair.server, into, 1);
    const hg_bulk_t remote = described_to(pair.server, origin);
    for (int i = 0; i < 3; ++i) {
        std::fill(into.begin(), into.end(), std::uint8_t{0});
        const Address owner = pair.server.lookup(pair.client.self().text());
        hg_return_t result = HG_RETURN_MAX;
        REQUIRE(HG_Bulk_transfer(pair.server.context(), mark, &result, HG_BULK_PULL, owner.get(),
                                 remote, 0, local, 0, 100000, HG_OP_ID_IGNORE) == HG_SUCCESS);
        pair.wait([&] { return result != HG_RETURN_MAX; });
        CHECK(result == HG_SUCCESS);
        CHECK(into == from);
        CHECK(HG_Addr_set_remove(pair.server.cls(), owner.get()) == HG_SUCCESS);
    }
    free_all({origin, local, remote});
}

CINNABAR_INTEGRATION("signals that interrupt a wait are no errors", blocking_setups) {
    struct sigaction action {
    }, before{};
    action.sa_handler = [](int) {};
    REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
    {
        const Side side(setup);
        std::atomic<int> waits{0}, wrong{0};
        std::atomic<bool> end{false};
        std::thread sleeper([&] {
            while (!end.load()) {
                const hg_return_t ret = HG_Progress(side.context(), 20);
                if (ret != HG_TIMEOUT && ret != HG_SUCCESS) wrong.fetch_add(1);
                waits.fetch_add(1);
            }
        });
        while (waits.load() < 10)
            (void)::pthread_kill(sleeper.native_handle(), SIGUSR1);
        end.store(true);
        sleeper.join();
        CHECK(wrong.load() == 0);
    }
    REQUIRE(::sigaction(SIGUSR1, &before, nullptr) == 0);
}
