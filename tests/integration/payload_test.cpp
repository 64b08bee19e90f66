// SPDX-License-Identifier: BSD-3-Clause
// Payloads larger than a message: arguments, results, both, one-way, at and around the limit, many
// at once, to oneself; and the option that refuses them.
#include <algorithm>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::expect_log;

namespace {

constexpr std::size_t mib = 1 << 20;

// What is asked for is a size; what comes back is a blob of it.
void serve_produce(hg_handle_t handle) {
    std::uint64_t size = 0;
    if (HG_Get_input(handle, &size) == HG_SUCCESS) {
        Blob out(size, static_cast<unsigned>(size));
        (void)HG_Respond(handle, nullptr, nullptr, &out);
        (void)HG_Free_input(handle, &size);
    }
    (void)HG_Destroy(handle);
}

// The reverse: how much of what came is what it should be.
void serve_consume(hg_handle_t handle) {
    Blob in;
    if (HG_Get_input(handle, &in) == HG_SUCCESS) {
        const auto seed = static_cast<unsigned>(in.bytes.size());
        std::uint64_t size =
            in == Blob(in.bytes.size(), seed) ? in.bytes.size() : ~std::uint64_t{0};
        (void)HG_Respond(handle, nullptr, nullptr, &size);
        (void)HG_Free_input(handle, &in);
    }
    (void)HG_Destroy(handle);
}

std::vector<std::size_t> sizes_around(std::size_t limit) {
    // A blob carries its size in 8 bytes.
    const std::size_t exact = limit - sizeof(std::uint64_t);
    return {exact - 1, exact, exact + 1, 64 << 10, mib, 16 * mib};
}

}  // namespace

CINNABAR_INTEGRATION("arguments of any size arrive", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("consume", proc_blob, proc_number, serve_consume);
    Call call(pair.client, pair.to, id);
    for (const std::size_t size : sizes_around(HG_Class_get_input_eager_size(pair.client.cls()))) {
        CAPTURE(size);
        Blob in(size, static_cast<unsigned>(size));
        REQUIRE(pair.run(call, &in) == HG_SUCCESS);
        CHECK(HG_Get_input_payload_size(call.handle()) == in.encoded());
        std::uint64_t seen = 0;
        REQUIRE(HG_Get_output(call.handle(), &seen) == HG_SUCCESS);
        CHECK(seen == size);
        REQUIRE(HG_Free_output(call.handle(), &seen) == HG_SUCCESS);
        void* extra = nullptr;
        hg_size_t extra_size = 0;
        REQUIRE(HG_Get_input_extra_buf(call.handle(), &extra, &extra_size) == HG_SUCCESS);
        const bool large = in.encoded() > HG_Class_get_input_eager_size(pair.client.cls());
        CHECK((extra != nullptr) == large);
        CHECK(extra_size == (large ? in.encoded() : 0));
    }
}

CINNABAR_INTEGRATION("results of any size arrive", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("produce", proc_number, proc_blob, serve_produce);
    Call call(pair.client, pair.to, id);
    for (const std::uint64_t size :
         sizes_around(HG_Class_get_output_eager_size(pair.client.cls()))) {
        CAPTURE(size);
        std::uint64_t in = size;
        REQUIRE(pair.run(call, &in) == HG_SUCCESS);
        CHECK(HG_Get_output_payload_size(call.handle()) == size + sizeof size);
        Blob out;
        REQUIRE(HG_Get_output(call.handle(), &out) == HG_SUCCESS);
        CHECK(out == Blob(size, static_cast<unsigned>(size)));
        REQUIRE(HG_Free_output(call.handle(), &out) == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("large payloads in both directions, many at once", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    std::vector<std::unique_ptr<Call>> calls;
    for (unsigned i = 0; i < 64; ++i) {
        calls.push_back(std::make_unique<Call>(pair.client, pair.to, id));
        Blob in(i * 5000, i);
        REQUIRE(calls.back()->forward(&in) == HG_SUCCESS);
    }
    pair.wait([&] {
        return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->done(); });
    });
    for (unsigned i = 0; i < 64; ++i) {
        CAPTURE(i);
        REQUIRE(calls[i]->ret() == HG_SUCCESS);
        CHECK(calls[i]->callbacks() == 1);
        Blob out;
        REQUIRE(HG_Get_output(calls[i]->handle(), &out) == HG_SUCCESS);
        CHECK(out == Blob(i * 5000, i));
        REQUIRE(HG_Free_output(calls[i]->handle(), &out) == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("the response callback of a large result comes when it was fetched",
                     all_setups) {
    Pair pair(setup);
    std::vector<hg_return_t> responded;
    const hg_id_t id = pair.add("produce", nullptr, proc_blob, [&](hg_handle_t handle) {
        Blob out(mib, 1);
        (void)HG_Respond(
            handle,
            [](const hg_cb_info* info) {
                static_cast<std::vector<hg_return_t>*>(info->arg)->push_back(info->ret);
                return HG_SUCCESS;
            },
            &responded, &out);
        (void)HG_Destroy(handle);
    });
    Call call(pair.client, pair.to, id);
    CHECK(pair.run(call) == HG_SUCCESS);
    pair.wait([&] { return !responded.empty(); });
    CHECK(responded == std::vector{HG_SUCCESS});
}

CINNABAR_INTEGRATION("a one-way call carries large arguments", all_setups) {
    Pair pair(setup);
    int right = 0;
    const hg_id_t id = pair.add("consume", proc_blob, nullptr, [&](hg_handle_t handle) {
        Blob in;
        if (HG_Get_input(handle, &in) == HG_SUCCESS) {
            if (in == Blob(in.bytes.size(), 9)) ++right;
            (void)HG_Free_input(handle, &in);
        }
        (void)HG_Destroy(handle);
    });
    REQUIRE(HG_Registered_disable_response(pair.client.cls(), id, 1) == HG_SUCCESS);
    Call call(pair.client, pair.to, id);
    int expected = 0;
    for (const std::size_t size : {std::size_t{10}, std::size_t{5000}, mib}) {
        Blob in(size, 9);
        CHECK(pair.run(call, &in) == HG_SUCCESS);
        ++expected;
        pair.wait([&] { return right == expected; });
    }
}

CINNABAR_INTEGRATION("large payloads are refused where the option says so", all_setups) {
    SideOptions options;
    options.init.no_overflow = true;
    Pair pair(setup, options, options);
    const hg_id_t echo = pair.add("echo", proc_blob, proc_blob, serve_echo);
    const hg_id_t produce = pair.add("produce", proc_number, proc_blob, serve_produce);
    expect_log("exceed");
    const std::size_t limit =
        HG_Class_get_input_eager_size(pair.client.cls()) - sizeof(std::uint64_t);
    Call call(pair.client, pair.to, echo);
    Blob fits(limit, 1), exceeds(limit + 1, 1);
    CHECK(call.forward(&exceeds) == HG_OVERFLOW);
    CHECK(call.done());
    // The handle is as good as before.
    CHECK(pair.run(call, &fits) ==
          (HG_Class_get_output_eager_size(pair.client.cls()) < fits.encoded() ? HG_OVERFLOW
                                                                              : HG_SUCCESS));
    REQUIRE(HG_Reset(call.handle(), pair.to.get(), produce) == HG_SUCCESS);
    std::uint64_t size = mib;
    CHECK(pair.run(call, &size) == HG_OVERFLOW);
    size = 10;
    CHECK(pair.run(call, &size) == HG_SUCCESS);
}

CINNABAR_INTEGRATION("one handle carries small and large payloads in turn", all_setups) {
    Pair pair(setup);
    const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
    Call call(pair.client, pair.to, id);
    for (unsigned i = 0; i < 40; ++i) {
        Blob in(i % 3 == 0 ? 100000 : i, i);
        REQUIRE(pair.run(call, &in) == HG_SUCCESS);
        Blob out;
        REQUIRE(HG_Get_output(call.handle(), &out) == HG_SUCCESS);
        CHECK(out == in);
        REQUIRE(HG_Free_output(call.handle(), &out) == HG_SUCCESS);
        if (i % 4 == 0) REQUIRE(HG_Reset(call.handle(), pair.to.get(), id) == HG_SUCCESS);
    }
}
