// SPDX-License-Identifier: BSD-3-Clause
// What a call costs once everything has been set up: no allocation at either side, and between
// polling peers on shared memory no system call.
#include <chrono>
#include <string>

#include "tests/integration/side.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/process.hpp"
#include "tests/support/system_calls.hpp"

using namespace cinnabar::integration;
using cinnabar::test::AllocationCounter;

namespace {

constexpr hg_id_t increment = 4711;

hg_return_t serve_increment(hg_handle_t handle) {
    std::uint64_t number = 0;
    if (HG_Get_input(handle, &number) == HG_SUCCESS) {
        ++number;
        (void)HG_Respond(handle, nullptr, nullptr, &number);
        (void)HG_Free_input(handle, &number);
    }
    return HG_Destroy(handle);
}

hg_return_t note(const hg_cb_info* info) {
    *static_cast<hg_return_t*>(info->arg) = info->ret;
    return HG_SUCCESS;
}

// Calls without any help of the fixture, which allocates.
class Caller {
public:
    explicit Caller(const Setup& setup) : pair_(setup) {
        for (hg_class_t* cls : {pair_.client.cls(), pair_.server.cls()})
            REQUIRE(HG_Register(cls, increment, proc_number, proc_number, serve_increment) ==
                    HG_SUCCESS);
    }
    hg_handle_t create() {
        hg_handle_t handle = HG_HANDLE_NULL;
        if (HG_Create(pair_.client.context(), pair_.to.get(), increment, &handle) != HG_SUCCESS)
            ++wrong;
        return handle;
    }
    void call(hg_handle_t handle, std::uint64_t number) {
        hg_return_t ret = HG_RETURN_MAX;
        if (HG_Reset(handle, pair_.to.get(), increment) != HG_SUCCESS ||
            HG_Forward(handle, note, &ret, &number) != HG_SUCCESS) {
            ++wrong;
            return;
        }
        while (ret == HG_RETURN_MAX)
            pair_.step();
        std::uint64_t out = 0;
        if (ret != HG_SUCCESS || HG_Get_output(handle, &out) != HG_SUCCESS || out != number + 1)
            ++wrong;
        else
            (void)HG_Free_output(handle, &out);
    }
    int wrong = 0;

private:
    Pair pair_;
};

}  // namespace

CINNABAR_INTEGRATION("a call allocates nothing, at either side", all_setups) {
    if (!AllocationCounter::available()) return;
    Caller caller(setup);
    hg_handle_t handle = caller.create();
    const auto again = [&] {
        for (std::uint64_t i = 0; i < 500; ++i)
            caller.call(handle, i);
    };
    const auto anew = [&] {
        for (std::uint64_t i = 0; i < 500; ++i) {
            hg_handle_t each = caller.create();
            caller.call(each, i);
            (void)HG_Destroy(each);
        }
    };
    again();
    anew();
    const AllocationCounter counter;
    again();
    CHECK(counter.count() == 0);
    const AllocationCounter second;
    anew();
    CHECK(second.count() == 0);
    CHECK(caller.wrong == 0);
    CHECK(HG_Destroy(handle) == HG_SUCCESS);
}

CINNABAR_ROLE(integration_polling_calls) {
    Caller caller(setup_named(arguments[0]));
    hg_handle_t handle = caller.create();
    for (std::uint64_t i = 0; i < 500; ++i)
        caller.call(handle, i);
    const auto begin = std::chrono::steady_clock::now();
    cinnabar::test::mark_system_calls("begin");
    for (std::uint64_t i = 0; i < 2000; ++i)
        caller.call(handle, i);
    cinnabar::test::mark_system_calls("end");
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    cinnabar::test::say(std::to_string(static_cast<unsigned>(took.count())));
    (void)HG_Destroy(handle);
    return caller.wrong;
}

TEST_CASE("calls between polling peers on shared memory make no system calls") {
    REQUIRE(cinnabar::test::can_count_system_calls());
    cinnabar::test::TracedProcess traced("integration_polling_calls", {"sm_busy"});
    const unsigned took_ms = static_cast<unsigned>(std::stoul(traced.process.listen()));
    REQUIRE(traced.process.wait() == 0);
    unsigned looks = 0;
    unsigned others = 0;
    for (const auto& [call, count] : traced.counts()) {
        UNSCOPED_INFO(call << ": " << count);
        (call == "epoll_wait" ? looks : others) += count;
    }
    // Each of the two contexts looks after its connections about once a millisecond, however many
    // calls it makes meanwhile; a call that made a system call would show as 2000.
    CAPTURE(took_ms);
    CHECK(others < 20);
    CHECK(looks < 20 + 2 * took_ms);
}
