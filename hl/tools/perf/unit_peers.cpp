// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/unit_peers.hpp"

#include <unistd.h>

#include <atomic>
#include <cinnabar/cinnabar.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "hl/tools/perf/cpu.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/net.hpp"

namespace cinnabar::perf {
namespace {

void say(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

void wait_for_end_of_input() {
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

bool is_bare(UnitKind kind) {
    return kind == UnitKind::bare || kind == UnitKind::bare_threads;
}

// A thread that does nothing, while it lives and after.
void have_had_a_thread(UnitKind kind) {
    if (kind == UnitKind::bare_threads) std::thread([] {}).join();
}

EngineOptions options_for(UnitKind kind, bool listen) {
    EngineOptions options;
    options.listen = listen;
    options.busy = true;
    options.progress = kind == UnitKind::typed_shared ? Progress::shared : Progress::own_stream;
    return options;
}

class BareLoop {
public:
    BareLoop(const UnitRun& run, Net& net, hg_addr_t server) : net_(net), calls_(run.in_flight) {
        for (Call& call : calls_) {
            call.loop = this;
            check(HG_Create(net.context(), server, net.sum(), &call.handle), "HG_Create");
        }
    }
    BareLoop(const BareLoop&) = delete;
    BareLoop& operator=(const BareLoop&) = delete;
    ~BareLoop() {
        for (Call& call : calls_)
            check(HG_Destroy(call.handle), "HG_Destroy");
    }
    // Nanoseconds a call.
    double run(double seconds) {
        const double begin = now();
        ended_ = 0;
        stop_ = false;
        under_way_ = calls_.size();
        for (Call& call : calls_)
            forward(call);
        while (under_way_ != 0) {
            net_.poll();
            if (!stop_ && ended_ - looked_ > 256) stop_ = look(begin + seconds);
        }
        return (now() - begin) * 1e9 / static_cast<double>(ended_);
    }

private:
    struct Call {
        BareLoop* loop = nullptr;
        hg_handle_t handle = HG_HANDLE_NULL;
    };
    bool look(double end) {
        looked_ = ended_;
        return now() >= end;
    }
    static void forward(Call& call) {
        SumIn in{1, 2};
        check(HG_Forward(call.handle, on_answer, &call, &in), "HG_Forward");
    }
    static hg_return_t on_answer(const hg_cb_info* info) {
        check(info->ret, "a call");
        Call& call = *static_cast<Call*>(info->arg);
        take_sum(call.handle, 3);
        ++call.loop->ended_;
        if (call.loop->stop_)
            --call.loop->under_way_;
        else
            forward(call);
        return HG_SUCCESS;
    }

    Net& net_;
    std::vector<Call> calls_;
    std::uint64_t ended_ = 0;
    std::uint64_t looked_ = 0;
    std::size_t under_way_ = 0;
    bool stop_ = false;
};

double call_bare(const UnitRun& run) {
    have_had_a_thread(run.kind);
    Net net(run.info, false, true);
    hg_addr_t server = HG_ADDR_NULL;
    check(HG_Addr_lookup2(net.hg_class(), run.server.c_str(), &server), "HG_Addr_lookup2");
    double cost = 0;
    {
        BareLoop loop(run, net, server);
        (void)loop.run(run.seconds / 10);
        cost = loop.run(run.seconds);
    }
    check(HG_Addr_free(net.hg_class(), server), "HG_Addr_free");
    return cost;
}

double call_typed(const UnitRun& run) {
    Engine client(run.info, options_for(run.kind, false));
    const auto sum = client.procedure<int(int, int)>("sum").on(client.lookup(run.server).value());
    double cost = 0;
    for (const double seconds : {run.seconds / 10, run.seconds}) {
        std::atomic<std::uint64_t> ended{0};
        std::vector<std::shared_ptr<Eventual<void>>> units;
        const double begin = now();
        for (std::size_t i = 0; i < run.in_flight; ++i) {
            units.push_back(spawn(client.pool(), [&] {
                std::uint64_t count = 0;
                do {
                    if (sum(1, 2).value() != 3) fail("a call gave a wrong sum");
                } while (++count % 256 != 0 || now() < begin + seconds);
                ended += count;
            }));
        }
        for (const auto& unit : units)
            unit->wait();
        cost = (now() - begin) * 1e9 / static_cast<double>(ended.load());
    }
    return cost;
}

template <class Run>
double each(long count, Run run) {
    const double begin = now();
    run();
    return (now() - begin) * 1e9 / static_cast<double>(count);
}

double wake_cost(bool awake) {
    constexpr long rounds = 1000;
    Pool left, right;
    const Stream left_stream({left}), right_stream({right});
    Semaphore ping(0), pong(0);
    std::atomic<bool> stop{false};
    std::vector<std::shared_ptr<Eventual<void>>> awake_units;
    if (awake) {
        for (const Pool& pool : {left, right})
            awake_units.push_back(spawn(pool, [&stop] {
                while (!stop)
                    yield();
            }));
    }
    auto answering = spawn(right, [&] {
        for (long i = 0; i < rounds; ++i) {
            ping.acquire();
            pong.release();
        }
    });
    const double cost = each(2 * rounds, [&] {
        spawn(left, [&] {
            for (long i = 0; i < rounds; ++i) {
                ping.release();
                pong.acquire();
            }
        })->wait();
    });
    answering->wait();
    stop = true;
    for (const auto& unit : awake_units)
        unit->wait();
    return cost;
}

}  // namespace

int run_unit_server(const UnitRun& run) {
    if (run.cpu >= 0) pin_to(run.cpu);
    if (is_bare(run.kind)) {
        have_had_a_thread(run.kind);
        Net net(run.info, true, true);
        say(net.self());
        net.serve();
        return 0;
    }
    Engine server(run.info, options_for(run.kind, true));
    server.define("sum", [](int x, int y) { return x + y; }).value();
    say(server.address());
    wait_for_end_of_input();
    return 0;
}

int run_unit_client(const UnitRun& run) {
    if (run.cpu >= 0) pin_to(run.cpu);
    const double cost = is_bare(run.kind) ? call_bare(run) : call_typed(run);
    say(fmt::format("{:.1f}", cost));
    return 0;
}

UnitCosts measure_units() {
    UnitCosts costs{};
    constexpr long switches = 200000;
    constexpr long units = 50000;
    {
        Pool pool;
        const Stream stream({pool});
        costs.switch_ns = each(switches, [&] {
            const auto half = [] {
                for (long i = 0; i < switches / 2; ++i)
                    yield();
            };
            auto first = spawn(pool, half), second = spawn(pool, half);
            first->wait();
            second->wait();
        });
        costs.create_ns = each(units, [&] {
            spawn(pool, [&pool] {
                for (long i = 0; i < units; ++i) {
                    pool.post([] {});
                    yield();
                }
            })->wait();
        });
        // Each turn of the one that creates is a switch there and back.
        costs.create_ns -= costs.switch_ns;
    }
    costs.wake_awake_ns = wake_cost(true);
    costs.wake_asleep_ns = wake_cost(false);
    return costs;
}

}  // namespace cinnabar::perf
