// SPDX-License-Identifier: BSD-3-Clause
// The serialiser: one thread inside at a time, nobody waits, no task is left behind, no recursion;
// and cancel requests that hit the posting they were made for.
#include "na/sdk/serial.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace cinnabar::na::sdk {
namespace {

struct Counted {
    Serial serial;
    std::atomic<int> inside{0};
    std::atomic<bool> overlapped{false};
    int executed = 0;  // touched inside only
    std::vector<int> order{};

    void execute() {
        if (inside.fetch_add(1) != 0) overlapped.store(true);
        ++executed;
        inside.fetch_sub(1);
    }
};

struct NumberedTask : Task {
    int number = 0;
};

void run_counted(void* context, Task&) noexcept {
    static_cast<Counted*>(context)->execute();
}

void run_numbered(void* context, Task& task) noexcept {
    static_cast<Counted*>(context)->order.push_back(static_cast<NumberedTask&>(task).number);
}

TEST_CASE("a task runs at once when nobody is inside") {
    Counted c;
    Task task;
    int now = 0;
    CHECK(c.serial.run(
        &c, task, [&] { ++now; }, [] { FAIL("nobody is inside"); }));
    CHECK(now == 1);
    CHECK(c.serial.try_enter());
    CHECK_FALSE(c.serial.try_enter());
    c.serial.leave(&c);
}

TEST_CASE("tasks submitted from inside run in order before it is left") {
    Counted c;
    NumberedTask tasks[3];
    REQUIRE(c.serial.try_enter());
    for (int i = 0; i < 3; ++i) {
        tasks[i].number = i;
        CHECK_FALSE(c.serial.run(
            &c, tasks[i], [] { FAIL("somebody is inside"); },
            [&] { tasks[i].run = run_numbered; }));
        CHECK(c.order.empty());
    }
    c.serial.leave(&c);
    CHECK(c.order == std::vector<int>{0, 1, 2});
    CHECK(c.serial.try_enter());
    c.serial.leave(&c);
}

TEST_CASE("pending tasks run without leaving") {
    Counted c;
    Task task;
    REQUIRE(c.serial.try_enter());
    c.serial.run(
        &c, task, [] {}, [&] { task.run = run_counted; });
    c.serial.run_pending(&c);
    CHECK(c.executed == 1);
    CHECK_FALSE(c.serial.try_enter());
    c.serial.leave(&c);
}

TEST_CASE("a task whose submitter found somebody inside, who is gone now, runs all the same") {
    Counted c;
    Task task;
    REQUIRE(c.serial.try_enter());
    CHECK_FALSE(c.serial.run(
        &c, task, [] { FAIL("somebody is inside"); },
        [&] {
            task.run = run_counted;
            c.serial.leave(&c);  // before the task is in the queue
        }));
    CHECK(c.executed == 1);
}

// Lets threads go on together; they spin, so that they start as close to each other as can be.
class Meeting {
public:
    explicit Meeting(int threads) : threads_(threads) {}
    void wait() {
        const int round = round_.load();
        if (waiting_.fetch_add(1) + 1 == threads_) {
            waiting_.store(0);
            round_.store(round + 1);
            return;
        }
        for (int spins = 0; round_.load() == round; ++spins)
            if (spins > 1000) std::this_thread::yield();
    }

private:
    const int threads_;
    std::atomic<int> waiting_{0};
    std::atomic<int> round_{0};
};

TEST_CASE("whatever two threads submit has run when both have returned, one at a time") {
    constexpr int threads = 2, rounds = 20000;
    Counted c;
    Meeting meeting(threads);
    std::atomic<int> wrong{0};
    std::vector<std::thread> runners;
    for (int t = 0; t < threads; ++t)
        runners.emplace_back([&, t] {
            Task task;
            task.run = run_counted;
            for (int round = 0; round < rounds; ++round) {
                meeting.wait();
                // From nothing to some hundred instructions apart: the one comes while the other
                // leaves.
                for (volatile int delay = t * (round % 64); delay > 0;)
                    delay = delay - 1;
                c.serial.run(
                    &c, task, [&] { c.execute(); }, [] {});
                meeting.wait();
                if (t == 0 && c.executed != (round + 1) * threads) ++wrong;
            }
        });
    for (std::thread& runner : runners)
        runner.join();
    CHECK(wrong.load() == 0);
    CHECK(c.executed == rounds * threads);
    CHECK_FALSE(c.overlapped.load());
}

TEST_CASE("a cancel request is for the posting during which it was made") {
    CancelRequest request;
    request.arm();
    CHECK_FALSE(request.asked());
    CHECK(request.ask());
    CHECK_FALSE(request.ask());  // queued already
    CHECK(request.asked());
    CHECK(request.take());
    request.arm();
    CHECK_FALSE(request.asked());

    CHECK(request.ask());
    request.arm();  // the posting that was meant is over
    CHECK_FALSE(request.take());
    CHECK(request.ask());
    CHECK(request.take());
    request.drain();
}

}  // namespace
}  // namespace cinnabar::na::sdk
