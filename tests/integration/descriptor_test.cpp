// SPDX-License-Identifier: BSD-3-Clause
// Descriptions of regions as a hostile peer would send them: cut short at every place, with every
// byte changed. The answer is an error, or a region whose transfers end; never more.
#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

namespace {

std::vector<char> describe(hg_bulk_t region, unsigned long flags) {
    std::vector<char> bytes(HG_Bulk_get_serialize_size(region, flags));
    REQUIRE(HG_Bulk_serialize(bytes.data(), bytes.size(), flags, region) == HG_SUCCESS);
    return bytes;
}

}  // namespace

CINNABAR_INTEGRATION("a description needs its room, and is refused when cut short", peer_setups) {
    Pair pair(setup);
    std::vector<char> memory(300, 'm');
    void* bases[] = {memory.data(), memory.data() + 100};
    const hg_size_t sizes[] = {100, 200};
    hg_bulk_t region = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(pair.client.cls(), 2, bases, sizes, HG_BULK_READWRITE, &region) ==
            HG_SUCCESS);
    REQUIRE(HG_Bulk_bind(region, pair.client.context()) == HG_SUCCESS);
    allow_log("refused");
    for (const unsigned long flags : {0, HG_BULK_EAGER}) {
        std::vector<char> bytes = describe(region, flags);
        CHECK(HG_Bulk_serialize(bytes.data(), bytes.size() - 1, flags, region) == HG_OVERFLOW);
        for (std::size_t size = 1; size < bytes.size(); ++size) {
            hg_bulk_t read = HG_BULK_NULL;
            // A copy of its own, so that a read behind its end is noticed.
            const std::vector<char> part(bytes.begin(),
                                         bytes.begin() + static_cast<std::ptrdiff_t>(size));
            const hg_return_t ret =
                HG_Bulk_deserialize(pair.server.cls(), &read, part.data(), size);
            REQUIRE((ret == HG_OVERFLOW || ret == HG_PROTOCOL_ERROR || ret == HG_INVALID_ARG));
            REQUIRE(read == HG_BULK_NULL);
        }
    }
    CHECK(HG_Bulk_free(region) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("a forged description is refused, or its transfers fail", peer_setups) {
    Pair pair(setup);
    std::vector<char> memory(5000, 'm'), target(5000, 't');
    const hg_size_t size = memory.size();
    void *base = memory.data(), *target_base = target.data();
    hg_bulk_t region = HG_BULK_NULL, local = HG_BULK_NULL;
    REQUIRE(HG_Bulk_create(pair.client.cls(), 1, &base, &size, HG_BULK_READ_ONLY, &region) ==
            HG_SUCCESS);
    REQUIRE(HG_Bulk_create(pair.server.cls(), 1, &target_base, &size, HG_BULK_READWRITE, &local) ==
            HG_SUCCESS);
    const Address to = pair.server.lookup(pair.client.self().text());
    const std::vector<char> good = describe(region, 0);
    allow_log("");
    int refused = 0, failed = 0, accepted = 0;
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const int change : {1, 0x80, 0xff}) {
            CAPTURE(at, change);
            std::vector<char> bytes = good;
            bytes[at] = static_cast<char>(bytes[at] ^ change);
            hg_bulk_t read = HG_BULK_NULL;
            if (HG_Bulk_deserialize(pair.server.cls(), &read, bytes.data(), bytes.size()) !=
                HG_SUCCESS) {
                ++refused;
                continue;
            }
            for (const hg_bulk_op_t op : {HG_BULK_PULL, HG_BULK_PUSH}) {
                struct {
                    int callbacks = 0;
                    hg_return_t ret = HG_SUCCESS;
                } outcome;
                const hg_return_t ret = HG_Bulk_transfer(
                    pair.server.context(),
                    [](const hg_cb_info* info) {
                        auto* result = static_cast<decltype(outcome)*>(info->arg);
                        ++result->callbacks;
                        result->ret = info->ret;
                        return HG_SUCCESS;
                    },
                    &outcome, op, to.get(), read, 0, local, 0,
                    std::min<hg_size_t>(HG_Bulk_get_size(read), 5000), HG_OP_ID_IGNORE);
                if (ret == HG_SUCCESS) pair.wait([&] { return outcome.callbacks > 0; });
                ++((ret == HG_SUCCESS ? outcome.ret : ret) == HG_SUCCESS ? accepted : failed);
                // Read-only memory stays as it is, whatever the description says.
                REQUIRE(memory == std::vector<char>(5000, 'm'));
            }
            CHECK(HG_Bulk_free(read) == HG_SUCCESS);
        }
    INFO(refused << " refused, " << failed << " failed, " << accepted << " accepted");
    CHECK(refused > 0);
    CHECK(failed > 0);
    const hg_id_t id = pair.add("null", nullptr, nullptr, serve_nothing);
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    CHECK(HG_Bulk_free(region) == HG_SUCCESS);
    CHECK(HG_Bulk_free(local) == HG_SUCCESS);
}
