// SPDX-License-Identifier: BSD-3-Clause
// The mode of many threads in one client: all on one context, where any thread may run the callback
// of any call, and each on a context of its own.
#include <atomic>
#include <memory>
#include <thread>

#include "hl/tools/perf/bench.hpp"
#include "hl/tools/perf/cpu.hpp"
#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

class ThreadLoop {
public:
    ThreadLoop(Bench& bench, unsigned threads, bool context_each)
        : threads_(threads),
          context_each_(context_each),
          crowded_(bench.is_crowded(threads)),
          caller_(bench.options().endpoint, contexts()) {
        for (unsigned i = 0; i < threads * in_flight_each; ++i) {
            calls_.push_back(std::make_unique<Call>());
            Call& call = *calls_.back();
            call.loop = this;
            check(HG_Create(caller_.net().context(context_each ? i % threads : 0), caller_.server(),
                            caller_.net().sum(), &call.handle),
                  "HG_Create");
        }
    }
    ThreadLoop(const ThreadLoop&) = delete;
    ThreadLoop& operator=(const ThreadLoop&) = delete;
    ~ThreadLoop() {
        for (const auto& call : calls_)
            check(HG_Destroy(call->handle), "HG_Destroy");
    }

    void run(Row& row, double seconds) {
        const double start = now();
        deadline_ = start + seconds;
        under_way_ = calls_.size();
        for (const auto& call : calls_)
            forward(*call);
        std::vector<std::thread> others;
        for (unsigned i = 1; i < threads_; ++i)
            others.emplace_back([this, i] { drive(i); });
        drive(0);
        for (std::thread& other : others)
            other.join();
        row.seconds = now() - start;
        for (const auto& call : calls_)
            row.count += call->count;
    }

private:
    static constexpr unsigned in_flight_each = 16;
    struct alignas(64) Call {
        ThreadLoop* loop = nullptr;
        hg_handle_t handle = HG_HANDLE_NULL;
        std::uint64_t count = 0;  // of the thread that runs its callback
    };

    unsigned contexts() const { return context_each_ ? threads_ : 1; }

    void drive(unsigned thread) {
        Spinner spinner(crowded_);
        while (under_way_.load(std::memory_order_relaxed) > 0)
            caller_.net().poll(context_each_ ? thread : 0, spinner);
    }

    static void forward(Call& call) {
        SumIn in{1, 2};
        check(HG_Forward(call.handle, on_answer, &call, &in), "HG_Forward");
    }

    static hg_return_t on_answer(const hg_cb_info* info) {
        check(info->ret, "a call");
        Call& call = *static_cast<Call*>(info->arg);
        take_sum(call.handle, 3);
        ++call.count;
        if (call.count % 16 != 0 || now() < call.loop->deadline_)
            forward(call);
        else
            --call.loop->under_way_;
        return HG_SUCCESS;
    }

    const unsigned threads_;
    const bool context_each_;
    const bool crowded_;
    Caller caller_;
    std::vector<std::unique_ptr<Call>> calls_;
    std::atomic<std::size_t> under_way_{0};
    double deadline_ = 0;
};

}  // namespace

void measure_threads(Bench& bench) {
    const std::vector<int> cpus = allowed_cpus();
    for (const bool context_each : {false, true})
        for (const unsigned threads : bench.options().threads) {
            if (context_each && threads == 1) continue;
            // Two that poll on one processor wait for one another's time slices.
            pin_to_any(bench.is_crowded(threads) ? -1 : bench.server_cpu());
            Row row{.mode = "threads",
                    .note = context_each ? "a context each" : "one context",
                    .in_flight = 16ULL * threads,
                    .threads = threads};
            bench.measure(row, {}, [&](Row& filled) {
                ThreadLoop(bench, threads, context_each).run(filled, bench.options().seconds);
            });
        }
    if (cpus.size() == 1) pin_to(cpus[0]);
}

}  // namespace cinnabar::perf
