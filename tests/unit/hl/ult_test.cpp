// SPDX-License-Identifier: BSD-3-Clause
// Units, pools and streams: who runs, who blocks, and that nobody is lost.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cinnabar/pool.hpp"
#include "cinnabar/sync.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;

TEST_CASE("a unit runs on a stream, and its result and its exception come back") {
    Pool pool;
    Stream stream({pool});
    CHECK_FALSE(in_unit());
    CHECK(spawn(pool, [] { return in_unit(); })->wait());
    CHECK(spawn(pool, [pool] { return pool.current(); })->wait());
    auto failed = spawn(pool, []() -> int { throw std::runtime_error("no"); });
    CHECK_THROWS_WITH(failed->wait(), "no");
}

TEST_CASE("a stream without pools is refused") {
    CHECK_THROWS_AS(Stream(std::vector<Pool>{}), std::invalid_argument);
}

TEST_CASE("units that wait for one another finish on one stream") {
    Pool pool;
    Stream stream({pool});
    constexpr int depth = 50;
    std::function<int(int)> nest = [&](int level) {
        if (level == 0) return 0;
        return 1 + spawn(pool, [&nest, level] { return nest(level - 1); })->wait();
    };
    CHECK(spawn(pool, [&] { return nest(depth); })->wait() == depth);
}

TEST_CASE("thousands of parked units on two streams are all woken by a plain thread") {
    Pool pool({.name = "parked", .stack_size = 32 * 1024});
    Stream first({pool});
    Stream second({pool});
    constexpr int count = 2000;
    Semaphore gate(0);
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < count; ++i) {
        units.push_back(spawn(pool, [&] {
            ++begun;
            gate.acquire();
            ++ended;
        }));
    }
    while (begun < count)
        std::this_thread::yield();
    CHECK(ended == 0);
    for (int i = 0; i < count; ++i)
        gate.release();
    for (auto& unit : units)
        unit->wait();
    CHECK(ended == count);
}

TEST_CASE("a mutex is held by one at a time, units and threads alike") {
    Pool pool;
    Stream first({pool});
    Stream second({pool});
    Mutex mutex;
    long count = 0;
    constexpr int rounds = 2000;
    const auto work = [&] {
        for (int i = 0; i < rounds; ++i) {
            const std::lock_guard lock(mutex);
            const long seen = count;
            if (i % 100 == 0) yield();
            count = seen + 1;
        }
    };
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < 8; ++i)
        units.push_back(spawn(pool, work));
    std::thread thread(work);
    work();
    thread.join();
    for (auto& unit : units)
        unit->wait();
    CHECK(count == 10L * rounds);
    CHECK(mutex.try_lock());
    CHECK_FALSE(mutex.try_lock());
    mutex.unlock();
}

TEST_CASE("a condition joins producers and consumers across units and threads") {
    Pool pool;
    Stream stream({pool});
    Mutex mutex;
    Condition changed;
    std::vector<int> queue;
    constexpr int items = 500;
    auto consumer = spawn(pool, [&] {
        long sum = 0;
        for (int i = 0; i < items; ++i) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return !queue.empty(); });
            sum += queue.back();
            queue.pop_back();
        }
        return sum;
    });
    for (int i = 1; i <= items; ++i) {
        const std::lock_guard lock(mutex);
        queue.push_back(i);
        changed.notify_one();
    }
    CHECK(consumer->wait() == items * (items + 1) / 2);
    std::unique_lock lock(mutex);
    CHECK_FALSE(changed.wait_until(lock, Clock::now() + 1ms));
}

TEST_CASE("a barrier lets nobody through before all are there, round after round") {
    Pool pool;
    Stream first({pool});
    Stream second({pool});
    constexpr int parties = 6;
    Barrier barrier(parties);
    std::atomic<int> arrived{0};
    std::atomic<bool> early{false};
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < parties; ++i) {
        units.push_back(spawn(pool, [&] {
            for (int round = 1; round <= 50; ++round) {
                ++arrived;
                barrier.arrive_and_wait();
                if (arrived < round * parties) early = true;
                barrier.arrive_and_wait();
            }
        }));
    }
    for (auto& unit : units)
        unit->wait();
    CHECK_FALSE(early);
}

TEST_CASE("a sleep takes its time, and holds no stream") {
    Pool pool;
    Stream stream({pool});
    const TimePoint start = Clock::now();
    std::vector<std::shared_ptr<Eventual<void>>> sleepers;
    for (int i = 0; i < 20; ++i)
        sleepers.push_back(spawn(pool, [] { sleep_for(20ms); }));
    for (auto& sleeper : sleepers)
        sleeper->wait();
    CHECK(Clock::now() - start >= 20ms);
    sleep_for(1ms);
}

TEST_CASE("deadline and event race thousands of times with one outcome each") {
    Pool pool;
    Stream first({pool});
    Stream second({pool});
    constexpr int rounds = 3000;
    std::atomic<int> took{0};
    Semaphore semaphore(0);
    auto waiter = spawn(pool, [&] {
        for (int i = 0; i < rounds; ++i) {
            if (semaphore.try_acquire_until(Clock::now() + std::chrono::microseconds(i % 50)))
                ++took;
        }
    });
    auto giver = spawn(pool, [&] {
        for (int i = 0; i < rounds; ++i) {
            semaphore.release();
            if (i % 8 == 0) yield();
        }
    });
    waiter->wait();
    giver->wait();
    // What was not taken is still there: none is lost, none given twice.
    int left = 0;
    while (semaphore.try_acquire_until(Clock::now()))
        ++left;
    CHECK(took + left == rounds);
}

TEST_CASE("an exception in flight survives a change of thread") {
    Pool pool;
    Stream first({pool});
    Stream second({pool});
    std::vector<std::shared_ptr<Eventual<std::string>>> units;
    for (int i = 0; i < 200; ++i) {
        units.push_back(spawn(pool, [i] {
            std::string said;
            try {
                throw std::runtime_error(std::to_string(i));
            } catch (const std::exception&) {
                for (int turn = 0; turn < 10; ++turn)
                    yield();
                try {
                    throw;
                } catch (const std::exception& again) {
                    said = again.what();
                }
            }
            return said;
        }));
    }
    for (int i = 0; i < 200; ++i)
        CHECK(units[static_cast<std::size_t>(i)]->wait() == std::to_string(i));
}

TEST_CASE("streams come and go while units are there") {
    Pool busy;
    Pool calm;
    Semaphore gate(0);
    auto parked = spawn(busy, [&] { gate.acquire(); });
    {
        Stream stream({busy, calm});
        CHECK(spawn(calm, [] { return 7; })->wait() == 7);
        CHECK(spawn(busy, [] { return 8; })->wait() == 8);
    }
    gate.release();
    CHECK_FALSE(parked->ready());
    auto later = spawn(calm, [] { return 9; });
    Stream other({calm, busy});
    parked->wait();
    CHECK(later->wait() == 9);
}

TEST_CASE("a unit in a busy stream's second pool is run by the other stream") {
    Pool mine;
    Pool shared;
    Stream both({mine, shared});
    Stream helper({shared});
    Event release;
    Event begun;
    auto hog = spawn(mine, [&] {
        begun.set();
        // Keeps its stream: it spins instead of waiting.
        while (!release.is_set())
            std::this_thread::yield();
    });
    begun.wait();
    CHECK(spawn(shared, [] { return 1; })->wait() == 1);
    release.set();
    hog->wait();
}

TEST_CASE("a pool takes units of a higher priority first, whether they are new or go on") {
    Pool pool;
    std::string order;
    Event go_on;
    {
        // Each says who it is after it has been parked.
        Stream stream({pool});
        for (const auto& [priority, name] :
             {std::pair(Priority::low, 'l'), std::pair(Priority::high, 'h')}) {
            pool.with(priority).post([&, who = name] {
                go_on.wait();
                order += who;
            });
        }
        const auto parked = [&] {
            const std::vector<UnitInfo> units = pool.units();
            return std::count_if(units.begin(), units.end(), [](const UnitInfo& unit) {
                return unit.state == UnitState::parked;
            });
        };
        while (parked() != 2)
            std::this_thread::yield();
    }
    pool.with(Priority::low).post([&] { order += 'L'; });
    pool.post([&] { order += 'N'; });
    pool.with(Priority::high).post([&] {
        order += 'H';
        if (Pool::here().priority() == Priority::high) order += '!';
        yield();
        order += 'Y';
    });
    auto last = spawn(pool.with(Priority::low), [&] { order += 'M'; });
    go_on.set();
    Stream stream({pool});
    last->wait();
    CHECK(order == "hH!YNlLM");
}
