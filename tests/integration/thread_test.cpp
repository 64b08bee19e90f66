// SPDX-License-Identifier: BSD-3-Clause
// Eight threads that call, progress and trigger, all on one context, or each on its own of eight:
// every forward calls back once, with the right result, and is served once. The duration is
// CINNABAR_TEST_THREAD_SECONDS, a fraction of a second unless it is given.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/integration/side.hpp"
#include "tests/support/watchdog.hpp"

using namespace cinnabar::integration;

namespace {

constexpr unsigned thread_count = 8;
constexpr unsigned width = 4;  // calls in flight of each thread

std::chrono::milliseconds duration() {
    const char* text = std::getenv("CINNABAR_TEST_THREAD_SECONDS");
    return text == nullptr ? std::chrono::milliseconds(700)
                           : std::chrono::seconds(std::strtol(text, nullptr, 10));
}

// A handle that is forwarded again and again. Its thread owns it between the callbacks, which run
// in any thread.
struct Flight {
    hg_handle_t handle = HG_HANDLE_NULL;
    int forwards = 0;
    std::atomic<int> callbacks{0};
    std::atomic<hg_return_t> ret{HG_RETURN_MAX};
    Blob sent{};

    static hg_return_t take(const hg_cb_info* info) {
        auto& flight = *static_cast<Flight*>(info->arg);
        flight.ret.store(info->ret);
        flight.callbacks.fetch_add(1);
        return HG_SUCCESS;
    }
    bool home() const { return callbacks.load() >= forwards; }
};

using Flights = std::array<Flight, width>;

// Two classes with the same number of contexts each; whatever a thread drives, it drives at both.
class Arena {
public:
    Arena(const Setup& setup, unsigned contexts)
        : pair_(setup, options(contexts), options(contexts)), timeout_ms_(setup.busy ? 0 : 2) {
        id_ = pair_.client.add("echo", proc_blob, proc_blob);
        REQUIRE(HG_Register(pair_.server.cls(), id_, proc_blob, proc_blob, [](hg_handle_t handle) {
                    const hg_info* info = HG_Get_info(handle);
                    static_cast<std::atomic<int>*>(HG_Registered_data(info->hg_class, info->id))
                        ->fetch_add(1);
                    serve_echo(handle);
                    return HG_SUCCESS;
                }) == HG_SUCCESS);
        REQUIRE(HG_Register_data(pair_.server.cls(), id_, &served_, nullptr) == HG_SUCCESS);
        clients_.push_back(pair_.client.context());
        servers_.push_back(pair_.server.context());
        for (unsigned i = 1; i < contexts; ++i) {
            const auto context_id = static_cast<std::uint8_t>(i);
            clients_.push_back(HG_Context_create_id(pair_.client.cls(), context_id));
            servers_.push_back(HG_Context_create_id(pair_.server.cls(), context_id));
            REQUIRE((clients_[i] != nullptr && servers_[i] != nullptr));
        }
    }
    Arena(const Arena&) = delete;
    ~Arena() {
        for (std::size_t i = 1; i < clients_.size(); ++i) {
            CHECK(HG_Context_destroy(clients_[i]) == HG_SUCCESS);
            CHECK(HG_Context_destroy(servers_[i]) == HG_SUCCESS);
        }
    }

    // Thread `number` calls until the time is over, and drives its contexts until all threads have
    // stopped calling.
    void work(unsigned number, Flights& flights) {
        const std::size_t own = number % clients_.size();
        for (Flight& flight : flights) {
            const hg_return_t made = HG_Create(clients_[own], pair_.to.get(), id_, &flight.handle);
            const hg_return_t aimed =
                HG_Set_target_id(flight.handle, static_cast<std::uint8_t>(own));
            if (made != HG_SUCCESS || aimed != HG_SUCCESS) wrong_.fetch_add(1);
        }
        const auto end = std::chrono::steady_clock::now() + duration();
        unsigned round = 0;
        while (std::chrono::steady_clock::now() < end) {
            ++round;
            for (Flight& flight : flights)
                forward(flight, round * thread_count + number);
            while (!std::all_of(flights.begin(), flights.end(),
                                [](const Flight& flight) { return flight.home(); }))
                drive(own);
            for (Flight& flight : flights)
                check(flight);
        }
        stopped_.fetch_add(1);
        while (stopped_.load() < thread_count)
            drive(own);
    }

    void step() {
        for (std::size_t i = 0; i < clients_.size(); ++i)
            drive(i);
    }
    int served() const { return served_.load(); }
    int wrong() const { return wrong_.load(); }

private:
    static SideOptions options(unsigned contexts) {
        SideOptions options;
        options.init.na_init_info.max_contexts = static_cast<std::uint8_t>(contexts);
        return options;
    }
    void forward(Flight& flight, unsigned seed) {
        flight.sent = Blob(seed % 101 == 0 ? 10000 : seed % 97, seed);
        ++flight.forwards;
        if (HG_Forward(flight.handle, Flight::take, &flight, &flight.sent) != HG_SUCCESS)
            wrong_.fetch_add(1);
    }
    void check(Flight& flight) {
        Blob got;
        if (flight.ret.load() != HG_SUCCESS || HG_Get_output(flight.handle, &got) != HG_SUCCESS) {
            wrong_.fetch_add(1);
            return;
        }
        if (got != flight.sent) wrong_.fetch_add(1);
        (void)HG_Free_output(flight.handle, &got);
    }
    void drive(std::size_t own) {
        for (hg_context_t* context : {clients_[own], servers_[own]}) {
            const hg_return_t ret = HG_Progress(context, timeout_ms_);
            if (ret != HG_SUCCESS && ret != HG_TIMEOUT) wrong_.fetch_add(1);
            (void)HG_Trigger(context, 0, 3, nullptr);
        }
    }

    Pair pair_;
    unsigned timeout_ms_;
    hg_id_t id_ = 0;
    std::vector<hg_context_t*> clients_{}, servers_{};
    std::atomic<int> served_{0}, wrong_{0};
    std::atomic<unsigned> stopped_{0};
};

void run_threads(const Setup& setup, unsigned contexts) {
    cinnabar::test::arm_watchdog(60 + 2 * static_cast<int>(duration().count() / 1000), "threads");
    Arena arena(setup, contexts);
    std::array<Flights, thread_count> flights;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < thread_count; ++i)
        threads.emplace_back([&, i] { arena.work(i, flights[i]); });
    for (std::thread& thread : threads)
        thread.join();
    // A callback too many would come now.
    for (int i = 0; i < 20; ++i)
        arena.step();
    int forwards = 0;
    for (Flights& each : flights)
        for (Flight& flight : each) {
            CHECK(flight.callbacks.load() == flight.forwards);
            forwards += flight.forwards;
            CHECK(HG_Destroy(flight.handle) == HG_SUCCESS);
        }
    CHECK(forwards > 0);
    CHECK(arena.served() == forwards);
    CHECK(arena.wrong() == 0);
}

}  // namespace

CINNABAR_INTEGRATION("eight threads on one context: each call ends once, and is served once",
                     blocking_setups) {
    run_threads(setup, 1);
}

CINNABAR_INTEGRATION("eight threads on eight contexts: each call ends once, and is served once",
                     blocking_setups) {
    run_threads(setup, thread_count);
}
