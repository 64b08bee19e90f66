// SPDX-License-Identifier: BSD-3-Clause
// What a typed blocking call between units costs beside the bare HG_Forward: two processes over sm,
// both polling, 1 and 16 calls in flight, the two kinds in turns. It prints figures and judges only
// that all answers are right. CINNABAR_TEST_COST_ROUNDS asks for more rounds than one.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <mercury.h>
#include <mercury_proc.h>

#include "cinnabar/cinnabar.hpp"
#include "tests/support/process.hpp"

using namespace cinnabar;

namespace {

struct SumIn {
    std::int32_t a, b;
};

hg_return_t code_in(hg_proc_t proc, void* data) {
    auto& in = *static_cast<SumIn*>(data);
    const hg_return_t ret = hg_proc_int32_t(proc, &in.a);
    return ret == HG_SUCCESS ? hg_proc_int32_t(proc, &in.b) : ret;
}

hg_return_t code_out(hg_proc_t proc, void* data) {
    return hg_proc_int32_t(proc, static_cast<std::int32_t*>(data));
}

hg_return_t on_sum(hg_handle_t handle) {
    SumIn in{};
    (void)HG_Get_input(handle, &in);
    std::int32_t sum = in.a + in.b;
    (void)HG_Respond(handle, nullptr, nullptr, &sum);
    (void)HG_Free_input(handle, &in);
    return HG_Destroy(handle);
}

bool stopped = false;

hg_return_t on_stop(hg_handle_t handle) {
    stopped = true;
    return HG_Destroy(handle);
}

// The C API, by itself.
struct Bare {
    explicit Bare(bool listen) {
        hg_init_info info = HG_INIT_INFO_INITIALIZER;
        info.na_init_info.progress_mode = NA_NO_BLOCK;
        cls = HG_Init_opt2("na+sm", listen ? 1 : 0, HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR),
                           &info);
        context = HG_Context_create(cls);
        sum = HG_Register_name(cls, "sum", code_in, code_out, on_sum);
        stop = HG_Register_name(cls, "stop", nullptr, nullptr, on_stop);
        (void)HG_Registered_disable_response(cls, stop, 1);
    }
    Bare(const Bare&) = delete;
    Bare& operator=(const Bare&) = delete;
    ~Bare() {
        (void)HG_Context_destroy(context);
        (void)HG_Finalize(cls);
    }
    void poll() {
        unsigned count = 0;
        if (HG_Progress(context, 0) == HG_SUCCESS) {
            (void)HG_Trigger(context, 0, 256, &count);
            idle_ = 0;
        } else if (++idle_ % 1000 == 0) {
            std::this_thread::yield();
        }
    }
    std::string address() {
        hg_addr_t self = HG_ADDR_NULL;
        char text[256];
        hg_size_t size = sizeof text;
        (void)HG_Addr_self(cls, &self);
        (void)HG_Addr_to_string(cls, text, &size, self);
        (void)HG_Addr_free(cls, self);
        return text;
    }
    hg_class_t* cls;
    hg_context_t* context;
    hg_id_t sum;
    hg_id_t stop;

private:
    unsigned idle_ = 0;
};

EngineOptions busy_options(bool listen) {
    EngineOptions options;
    options.listen = listen;
    options.busy = true;
    options.progress = Progress::shared;
    return options;
}

struct Loop;
struct Slot {
    Loop* loop;
    hg_handle_t handle;
    SumIn in;
};
struct Loop {
    std::vector<Slot> slots;
    long begun = 0, ended = 0, goal = 0, wrong = 0;
    static hg_return_t on_end(const hg_cb_info* info) {
        auto& slot = *static_cast<Slot*>(info->arg);
        std::int32_t sum = 0;
        if (HG_Get_output(slot.handle, &sum) == HG_SUCCESS) (void)HG_Free_output(slot.handle, &sum);
        Loop& loop = *slot.loop;
        if (sum != slot.in.a + slot.in.b) ++loop.wrong;
        ++loop.ended;
        if (loop.begun < loop.goal) loop.forward(slot);
        return HG_SUCCESS;
    }
    void forward(Slot& slot) {
        slot.in = {static_cast<std::int32_t>(begun++ & 0xffff), 3};
        (void)HG_Forward(slot.handle, on_end, &slot, &slot.in);
    }
};

using Seconds = std::chrono::duration<double>;

double per_call(TimePoint begin, long calls) {
    return Seconds(Clock::now() - begin).count() * 1e9 / static_cast<double>(calls);
}

// Nanoseconds a call.
double bare_cost(std::size_t window, long calls) {
    cinnabar::test::Process server("cost_bare_server");
    Bare client(false);
    hg_addr_t peer = HG_ADDR_NULL;
    REQUIRE(HG_Addr_lookup2(client.cls, server.listen().c_str(), &peer) == HG_SUCCESS);
    Loop loop;
    loop.slots.resize(window);
    for (Slot& slot : loop.slots) {
        slot.loop = &loop;
        (void)HG_Create(client.context, peer, client.sum, &slot.handle);
    }
    double cost = 0;
    for (const long goal : {calls / 10 + 100, calls}) {
        loop.begun = loop.ended = 0;
        loop.goal = goal;
        const TimePoint begin = Clock::now();
        for (Slot& slot : loop.slots)
            if (loop.begun < goal) loop.forward(slot);
        while (loop.ended < goal)
            client.poll();
        cost = per_call(begin, goal);
    }
    CHECK(loop.wrong == 0);
    for (Slot& slot : loop.slots)
        (void)HG_Destroy(slot.handle);
    hg_handle_t stop = HG_HANDLE_NULL;
    bool sent = false;
    (void)HG_Create(client.context, peer, client.stop, &stop);
    (void)HG_Forward(
        stop,
        [](const hg_cb_info* info) {
            *static_cast<bool*>(info->arg) = true;
            return HG_SUCCESS;
        },
        &sent, nullptr);
    while (!sent)
        client.poll();
    (void)HG_Destroy(stop);
    CHECK(server.wait() == 0);
    (void)HG_Addr_free(client.cls, peer);
    return cost;
}

double typed_cost(std::size_t window, long calls) {
    cinnabar::test::Process server("cost_typed_server");
    double cost = 0;
    std::atomic<long> wrong{0};
    {
        Engine client("na+sm", busy_options(false));
        const Endpoint peer = client.lookup(server.listen());
        auto sum = client.procedure<int(int, int)>("sum").on(peer);
        const auto work = [&](long count) {
            for (int i = 0; i < count; ++i)
                if (sum(i, 3).value() != i + 3) ++wrong;
        };
        const long share = calls / static_cast<long>(window);
        for (const long goal : {share / 10 + 10, share}) {
            std::vector<std::shared_ptr<Eventual<void>>> units;
            const TimePoint begin = Clock::now();
            for (std::size_t i = 0; i < window; ++i)
                units.push_back(spawn(client.pool(), [&work, goal] { work(goal); }));
            for (auto& unit : units)
                unit->wait();
            cost = per_call(begin, goal * static_cast<long>(window));
        }
    }
    CHECK(wrong == 0);
    server.finish();
    CHECK(server.wait() == 0);
    return cost;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace

CINNABAR_ROLE(cost_bare_server) {
    Bare server(true);
    cinnabar::test::say(server.address());
    while (!stopped)
        server.poll();
    return 0;
}

CINNABAR_ROLE(cost_typed_server) {
    Engine server("na+sm", busy_options(true));
    server.define("sum", [](int x, int y) { return x + y; }).value();
    cinnabar::test::say(server.address());
    while (cinnabar::test::hear()) {
    }
    return 0;
}

TEST_CASE("a typed blocking call beside the bare one") {
    const char* more = std::getenv("CINNABAR_TEST_COST_ROUNDS");
    const int rounds = more != nullptr ? std::max(1, std::atoi(more)) : 1;
    const long calls = more != nullptr ? 100000 : 200;
    for (const std::size_t window : {1U, 16U}) {
        std::vector<double> bare, typed, ratios;
        for (int i = 0; i < rounds; ++i) {
            bare.push_back(bare_cost(window, calls));
            typed.push_back(typed_cost(window, calls));
            ratios.push_back(typed.back() / bare.back());
        }
        std::printf("%zu in flight: bare %.0f ns, typed %.0f ns a call, %.2f times\n", window,
                    median(bare), median(typed), median(ratios));
    }
}
