// SPDX-License-Identifier: BSD-3-Clause
// Waiting: sleeping progress and trigger in one thread or in several, woken by messages and by
// other threads; the event interface with poll(2); and cancels that race with completions.
#include <poll.h>
#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "tests/integration/side.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/watchdog.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

namespace {

// A server that its own thread drives, sleeping for as long as it takes.
class ServerThread {
public:
    explicit ServerThread(const Setup& setup) : side_(setup), busy_(setup.busy) {
        (void)side_.add("echo", proc_blob, proc_blob, serve_echo);
        (void)side_.add("null", nullptr, nullptr, serve_nothing);
        address_ = side_.self().text();
        thread_ = std::thread([this] {
            unsigned count = 0;
            while (!stop_.load()) {
                while (HG_Trigger(side_.context(), 0, 1, &count) == HG_SUCCESS)
                    continue;
                (void)HG_Progress(side_.context(), busy_ ? 0 : 100);
            }
        });
    }
    ~ServerThread() {
        stop_.store(true);
        thread_.join();
    }
    const std::string& address() const { return address_; }

private:
    Side side_;
    bool busy_;
    std::string address_{};
    std::atomic<bool> stop_{false};
    std::thread thread_{};
};

hg_return_t count_up(const hg_cb_info* info) {
    static_cast<std::atomic<int>*>(info->arg)->fetch_add(1);
    return HG_SUCCESS;
}

double thread_seconds() {
    timespec time{};
    (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

CINNABAR_INTEGRATION("sleeping progress is woken by messages", blocking_setups) {
    ServerThread server(setup);
    Side side(setup);
    const hg_id_t id = side.add("echo", proc_blob, proc_blob);
    const Address to = side.lookup(server.address());
    Call call(side, to, id);
    for (int i = 0; i < 300; ++i) {
        Blob in(i % 50 == 0 ? 20000 : 100, 1);
        REQUIRE(call.forward(&in) == HG_SUCCESS);
        while (!call.done()) {
            // An hour: only a message ends it.
            REQUIRE(HG_Progress(side.context(), HG_MAX_IDLE_TIME) == HG_SUCCESS);
            REQUIRE(HG_Trigger(side.context(), 0, 64, nullptr) == HG_SUCCESS);
        }
        REQUIRE(call.ret() == HG_SUCCESS);
    }
}

CINNABAR_INTEGRATION("sleeping progress is woken by a call to self from another thread",
                     blocking_setups) {
    Side side(setup);
    std::atomic<int> served{0}, done{0};
    const hg_id_t id = side.add("count", nullptr, nullptr, [&](hg_handle_t handle) {
        served.fetch_add(1);
        serve_nothing(handle);
    });
    const Address self = side.self();
    Call call(side, self, id);
    std::atomic<bool> end{false};
    std::thread sleeper([&] {
        while (!end.load() || done.load() < 50) {
            (void)HG_Progress(side.context(), HG_MAX_IDLE_TIME);
            (void)HG_Trigger(side.context(), 0, 64, nullptr);
            if (done.load() >= 50) break;
        }
    });
    for (int i = 1; i <= 50; ++i) {
        REQUIRE(HG_Forward(call.handle(), count_up, &done, nullptr) == HG_SUCCESS);
        while (done.load() < i)
            std::this_thread::yield();
    }
    end.store(true);
    sleeper.join();
    CHECK(served.load() == 50);
}

CINNABAR_INTEGRATION("one thread progresses, another sleeps in trigger", blocking_setups) {
    ServerThread server(setup);
    Side side(setup);
    const hg_id_t id = side.add("echo", proc_blob, proc_blob);
    const Address to = side.lookup(server.address());
    std::atomic<int> done{0};
    std::atomic<bool> end{false};
    std::thread progress([&] {
        while (!end.load())
            (void)HG_Progress(side.context(), 50);
    });
    {
        Call call(side, to, id);
        for (int i = 1; i <= 300; ++i) {
            Blob in(100, 1);
            REQUIRE(HG_Forward(call.handle(), count_up, &done, &in) == HG_SUCCESS);
            REQUIRE(HG_Trigger(side.context(), HG_MAX_IDLE_TIME, 1, nullptr) == HG_SUCCESS);
            REQUIRE(done.load() == i);
        }
    }
    end.store(true);
    progress.join();
}

CINNABAR_INTEGRATION("waits end when nothing comes", blocking_setups) {
    Side side(setup);
    unsigned count = 7;
    CHECK(HG_Progress(side.context(), 0) == HG_TIMEOUT);
    CHECK(HG_Progress(side.context(), 20) == HG_TIMEOUT);
    CHECK(HG_Trigger(side.context(), 0, 1, &count) == HG_TIMEOUT);
    CHECK(count == 0);
    CHECK(HG_Trigger(side.context(), 20, 1, nullptr) == HG_TIMEOUT);
    CHECK(HG_Event_trigger(side.context(), 1, &count) == HG_SUCCESS);
    CHECK(count == 0);
}

CINNABAR_INTEGRATION("the event interface sleeps in poll and never spins", blocking_setups) {
    ServerThread server(setup);
    Side side(setup);
    const hg_id_t id = side.add("echo", proc_blob, proc_blob);
    const Address to = side.lookup(server.address());
    Call call(side, to, id);
    const int fd = HG_Event_get_wait_fd(side.context());
    REQUIRE(fd >= 0);
    int wakes = 0;
    const int calls = 100;
    for (int i = 0; i < calls; ++i) {
        Blob in(i % 20 == 0 ? 20000 : 100, 1);
        REQUIRE(call.forward(&in) == HG_SUCCESS);
        while (!call.done()) {
            if (!HG_Event_ready(side.context())) {
                pollfd events{fd, POLLIN, 0};
                REQUIRE(::poll(&events, 1, -1) == 1);
                ++wakes;
            }
            unsigned count = 0;
            REQUIRE(HG_Event_progress(side.context(), nullptr) == HG_SUCCESS);
            do {
                REQUIRE(HG_Event_trigger(side.context(), 16, &count) == HG_SUCCESS);
            } while (count > 0);
        }
        REQUIRE(call.ret() == HG_SUCCESS);
    }
    CHECK(HG_Event_get_wait_fd(side.context()) == fd);
    // Some events are the connection's or empty, but not many for each call.
    CAPTURE(wakes);
    CHECK(wakes < calls * 20);
    // With nothing to do, the descriptor falls silent; a peer that was delayed between its last
    // message and its bell may ring once more.
    int rung = 0;
    for (bool silent = false; !silent && rung < 20; ++rung) {
        while (HG_Event_ready(side.context()))
            (void)HG_Event_progress(side.context(), nullptr);
        pollfd events{fd, POLLIN, 0};
        silent = ::poll(&events, 1, 50) == 0;
        (void)HG_Event_progress(side.context(), nullptr);
    }
    CHECK(rung < 20);
}

CINNABAR_INTEGRATION("idle sleeping costs no processor time", blocking_setups) {
    ServerThread server(setup);
    Side side(setup);
    const hg_id_t id = side.add("echo", proc_blob, proc_blob);
    const Address to = side.lookup(server.address());
    Call call(side, to, id);
    Blob in(100, 1);
    REQUIRE(call.forward(&in) == HG_SUCCESS);
    side.wait([&] { return call.done(); });
    const double before = thread_seconds();
    CHECK(HG_Progress(side.context(), 500) == HG_TIMEOUT);
    // The spinning at the beginning is tens of microseconds; half of the wait would be a busy loop.
    CHECK(thread_seconds() - before < 0.25);
}

CINNABAR_INTEGRATION("a busy network has no descriptor to wait on", all_setups) {
    Side side(setup);
    CHECK((HG_Event_get_wait_fd(side.context()) < 0) == setup.busy);
    if (setup.busy) CHECK(HG_Event_ready(side.context()));
}

CINNABAR_INTEGRATION("several threads progress, trigger and call on one context", peer_setups) {
    ServerThread server(setup);
    Side side(setup);
    const hg_id_t id = side.add("echo", proc_blob, proc_blob);
    const Address to = side.lookup(server.address());
    constexpr int threads = 4, rounds = 60, width = 4;
    std::atomic<int> done{0}, wrong{0}, finished{0};
    std::vector<std::thread> workers;
    for (unsigned t = 0; t < threads; ++t)
        workers.emplace_back([&, t] {
            hg_handle_t handles[width];
            for (hg_handle_t& handle : handles)
                if (HG_Create(side.context(), to.get(), id, &handle) != HG_SUCCESS)
                    wrong.fetch_add(1);
            for (unsigned round = 0; round < rounds; ++round) {
                std::atomic<int> mine{0};
                for (hg_handle_t handle : handles) {
                    Blob in(round % 10 == 0 ? 10000 : 50, t);
                    if (HG_Forward(handle, count_up, &mine, &in) != HG_SUCCESS) wrong.fetch_add(1);
                }
                while (mine.load() < width) {
                    (void)HG_Progress(side.context(), setup.busy ? 0 : 5);
                    (void)HG_Trigger(side.context(), 0, 2, nullptr);
                }
                for (hg_handle_t handle : handles) {
                    Blob out;
                    if (HG_Get_output(handle, &out) != HG_SUCCESS ||
                        out != Blob(round % 10 == 0 ? 10000 : 50, t))
                        wrong.fetch_add(1);
                    else
                        (void)HG_Free_output(handle, &out);
                }
                done.fetch_add(width);
            }
            finished.fetch_add(1);
            // The last one's callback may still be running in another thread.
            while (finished.load() < threads)
                (void)HG_Trigger(side.context(), 0, 2, nullptr);
            for (hg_handle_t handle : handles)
                (void)HG_Destroy(handle);
        });
    for (std::thread& worker : workers)
        worker.join();
    CHECK(done.load() == threads * rounds * width);
    CHECK(wrong.load() == 0);
}

CINNABAR_INTEGRATION("a cancel that races with the answer: one callback each", peer_setups) {
    cinnabar::test::arm_watchdog(120, "racing cancels");
    ServerThread server(setup);
    Side side(setup);
    const hg_id_t id = side.add("null", nullptr, nullptr);
    const Address to = side.lookup(server.address());
    struct Race {
        std::atomic<int> callbacks{0};
        std::atomic<int> succeeded{0}, cancelled{0}, other{0};
    } race;
    allow_log("");
    std::atomic<hg_handle_t> target{HG_HANDLE_NULL};
    std::atomic<bool> end{false};
    std::thread canceller([&] {
        unsigned spins = 0;
        while (!end.load()) {
            hg_handle_t handle = target.exchange(HG_HANDLE_NULL);
            if (handle == HG_HANDLE_NULL) continue;
            // Sooner or later from round to round.
            for (std::atomic<unsigned> i = 0; i < spins % 4096; ++i)
                continue;
            spins += 61;
            (void)HG_Cancel(handle);
            (void)HG_Destroy(handle);
        }
    });
    const int rounds = 10000 / (cinnabar::test::slowdown() > 1 ? 5 : 1);
    for (int i = 1; i <= rounds; ++i) {
        hg_handle_t handle = HG_HANDLE_NULL;
        REQUIRE(HG_Create(side.context(), to.get(), id, &handle) == HG_SUCCESS);
        // One reference for the canceller.
        REQUIRE(HG_Ref_incr(handle) == HG_SUCCESS);
        REQUIRE(HG_Forward(
                    handle,
                    [](const hg_cb_info* info) {
                        auto& result = *static_cast<Race*>(info->arg);
                        result.callbacks.fetch_add(1);
                        (info->ret == HG_SUCCESS    ? result.succeeded
                         : info->ret == HG_CANCELED ? result.cancelled
                                                    : result.other)
                            .fetch_add(1);
                        return HG_SUCCESS;
                    },
                    &race, nullptr) == HG_SUCCESS);
        target.store(handle);
        side.wait([&] { return race.callbacks.load() >= i; });
        while (target.load() != HG_HANDLE_NULL)
            std::this_thread::yield();
        REQUIRE(HG_Destroy(handle) == HG_SUCCESS);
    }
    end.store(true);
    canceller.join();
    for (int i = 0; i < 20; ++i)
        side.step();
    CHECK(race.callbacks.load() == rounds);
    CHECK(race.other.load() == 0);
    CAPTURE(race.succeeded.load(), race.cancelled.load());
    CHECK(race.cancelled.load() > 0);
}
