// SPDX-License-Identifier: BSD-3-Clause
// Cancels from a thread with timers, as libraries on top have one, while another thread triggers:
// transfers and responses end once, whichever comes first. progress_test has the same for calls.
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/watchdog.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

namespace {

hg_bulk_t region_of(const Side& side, std::vector<unsigned char>& bytes) {
    void* base = bytes.data();
    const hg_size_t size = bytes.size();
    hg_bulk_t region = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(side.cls(), 1, &base, &size, HG_BULK_READWRITE, &region) == HG_SUCCESS);
    return region;
}

hg_bulk_t described_to(const Side& side, hg_bulk_t region) {
    std::vector<char> bytes(HG_Bulk_get_serialize_size(region, 0));
    REQUIRE(HG_Bulk_serialize(bytes.data(), bytes.size(), 0, region) == HG_SUCCESS);
    hg_bulk_t remote = HG_BULK_NULL;
    REQUIRE(HG_Bulk_deserialize(side.cls(), &remote, bytes.data(), bytes.size()) == HG_SUCCESS);
    return remote;
}

// A transfer with a deadline. Its id is valid until the callback runs, which takes the lock too.
struct Timed {
    std::mutex mutex{};
    hg_op_id_t id = HG_OP_ID_NULL;
    std::atomic<int> callbacks{0}, cancelled{0}, other{0};

    static hg_return_t take(const hg_cb_info* info) {
        auto& timed = *static_cast<Timed*>(info->arg);
        {
            const std::lock_guard lock(timed.mutex);
            timed.id = HG_OP_ID_NULL;
        }
        if (info->ret == HG_CANCELED) timed.cancelled.fetch_add(1);
        if (info->ret != HG_CANCELED && info->ret != HG_SUCCESS) timed.other.fetch_add(1);
        timed.callbacks.fetch_add(1);
        return HG_SUCCESS;
    }
};

}  // namespace

CINNABAR_INTEGRATION("transfers that a timer cancels while another thread triggers end once",
                     peer_setups) {
    allow_log("");
    Pair pair(setup);
    const Address origin_address = pair.server.lookup(pair.client.self().text());
    std::vector<unsigned char> from = content_of(300000, 1), into(300000);
    const hg_bulk_t origin = region_of(pair.client, from);
    const hg_bulk_t local = region_of(pair.server, into);
    const hg_bulk_t remote = described_to(pair.server, origin);
    Timed timed;
    std::atomic<bool> end{false};
    std::thread timer([&] {
        unsigned spins = 0;
        while (!end.load()) {
            // Sooner or later from round to round.
            for (std::atomic<unsigned> i = 0; i < spins % 8192; ++i)
                continue;
            spins += 97;
            const std::lock_guard lock(timed.mutex);
            if (timed.id != HG_OP_ID_NULL) (void)HG_Bulk_cancel(timed.id);
        }
    });
    const int rounds = 1000 / (cinnabar::test::slowdown() > 1 ? 5 : 1);
    for (int i = 1; i <= rounds; ++i) {
        {
            const std::lock_guard lock(timed.mutex);
            REQUIRE(HG_Bulk_transfer(pair.server.context(), Timed::take, &timed,
                                     i % 2 == 0 ? HG_BULK_PULL : HG_BULK_PUSH, origin_address.get(),
                                     remote, 0, local, 0, 300000, &timed.id) == HG_SUCCESS);
        }
        pair.wait([&] { return timed.callbacks.load() >= i; });
    }
    end.store(true);
    timer.join();
    for (int i = 0; i < 20; ++i)
        pair.step();
    CHECK(timed.callbacks.load() == rounds);
    CHECK(timed.other.load() == 0);
    for (hg_bulk_t each : {origin, local, remote})
        CHECK(HG_Bulk_free(each) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a large response that nobody fetches is cancelled by its target, once",
                     peer_setups) {
    allow_log("");
    Pair pair(setup);
    hg_handle_t responding = HG_HANDLE_NULL;
    std::vector<hg_return_t> responded;
    const hg_id_t id = pair.add("large", nullptr, proc_blob, [&](hg_handle_t handle) {
        Blob out(300000, 1);
        REQUIRE(HG_Respond(
                    handle,
                    [](const hg_cb_info* info) {
                        static_cast<std::vector<hg_return_t>*>(info->arg)->push_back(info->ret);
                        return HG_SUCCESS;
                    },
                    &responded, &out) == HG_SUCCESS);
        responding = handle;
    });
    Call call(pair.client, pair.to, id);
    REQUIRE(call.forward() == HG_SUCCESS);
    while (responding == HG_HANDLE_NULL)
        pair.step();
    const bool ucx = std::string(setup.info).starts_with("ucx+");
    // The origin does nothing meanwhile; UCX takes no send back, and needs it to end one.
    REQUIRE(HG_Cancel(responding) == HG_SUCCESS);
    while (responded.empty()) {
        pair.server.step(setup.busy ? 0 : 1);
        if (ucx) pair.client.step();
    }
    if (!ucx) CHECK(responded == std::vector{HG_CANCELED});
    CHECK(HG_Destroy(responding) == HG_SUCCESS);
    // It had the response, whose result is gone (but for shared memory, where the kernel reads it
    // all the same), or had none and gives up itself.
    for (int i = 0; i < 50; ++i)
        pair.step();
    if (!call.done()) REQUIRE(HG_Cancel(call.handle()) == HG_SUCCESS);
    pair.wait([&] { return call.done(); });
    if (setup.tcp()) CHECK(call.ret() != HG_SUCCESS);
    for (int i = 0; i < 20; ++i)
        pair.step();
    CHECK(responded.size() == 1);
    CHECK(call.callbacks() == 1);
}
