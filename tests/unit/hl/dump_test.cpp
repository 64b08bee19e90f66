// SPDX-License-Identifier: BSD-3-Clause
// What a pool says of its units: all of them, once each, and where they are parked.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "cinnabar/pool.hpp"
#include "cinnabar/sync.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;

namespace {

std::map<std::string, int> parked_at(const Pool& pool) {
    std::map<std::string, int> count;
    for (const UnitInfo& unit : pool.units())
        if (unit.state == UnitState::parked) ++count[unit.waits_for];
    return count;
}

std::vector<UnitInfo> of_state(const Pool& pool, UnitState state) {
    std::vector<UnitInfo> units = pool.units();
    units.erase(std::remove_if(units.begin(), units.end(),
                               [state](const UnitInfo& unit) { return unit.state != state; }),
                units.end());
    return units;
}

}  // namespace

TEST_CASE("each parked unit says what it waits for") {
    Pool pool({.name = "odd"});
    Stream stream({pool});
    Mutex mutex;
    Mutex other;
    Condition condition;
    Semaphore semaphore(0);
    Barrier barrier(2);
    Event event;
    Event one;
    Event* events[] = {&one};
    Eventual<int> value;
    mutex.lock();
    pool.post([&] { const std::lock_guard held(mutex); });
    pool.post([&] {
        std::unique_lock held(other);
        condition.wait(held);
    });
    pool.post([&] { semaphore.acquire(); });
    pool.post([&] { barrier.arrive_and_wait(); });
    pool.post([&] { event.wait(); });
    pool.post([&] { (void)event.wait_until(Clock::now() + 1h); });
    pool.post([&] { (void)value.wait(); });
    pool.post([&] { (void)wait_any(events); });
    pool.post([&] { sleep_until(Clock::now() + 300ms); });
    const std::map<std::string, int> expected = {
        {"mutex", 1}, {"condition", 1}, {"semaphore", 1}, {"barrier", 1},
        {"event", 2}, {"eventual", 1},  {"wait_any", 1},  {"sleep", 1}};
    while (parked_at(pool) != expected)
        std::this_thread::yield();
    const std::string text = pool.dump();
    CHECK_THAT(text, Catch::StartsWith("pool odd: 9 units\n"));
    CHECK_THAT(text, Catch::Contains(" s, waits for barrier\n"));

    mutex.unlock();
    condition.notify_one();
    semaphore.release();
    spawn(pool, [&] { barrier.arrive_and_wait(); })->wait();
    event.set();
    one.set();
    value.set(1);
    while (!pool.units().empty())
        std::this_thread::yield();
}

TEST_CASE("who runs, who is ready and for how long somebody is parked can be seen") {
    Pool pool;
    Event release;
    Event go_on;
    std::atomic<bool> spins{false};
    auto parked = spawn(pool, [&] { go_on.wait(); });
    CHECK(of_state(pool, UnitState::ready).size() == 1);
    Stream stream({pool});
    while (of_state(pool, UnitState::parked).empty())
        std::this_thread::yield();
    auto hog = spawn(pool, [&] {
        spins = true;
        while (!release.is_set())
            std::this_thread::yield();
    });
    while (!spins)
        std::this_thread::yield();
    auto queued = spawn(pool, [] {});
    CHECK(pool.units().size() == 3);
    CHECK(of_state(pool, UnitState::running).size() == 1);
    CHECK(of_state(pool, UnitState::ready).size() == 1);
    const Clock::duration before = of_state(pool, UnitState::parked).at(0).parked;
    sleep_for(30ms);
    CHECK(of_state(pool, UnitState::parked).at(0).parked >= before + 20ms);
    // One that has been parked is seen when it is ready or runs, once.
    go_on.set();
    CHECK(of_state(pool, UnitState::ready).size() == 2);
    CHECK(pool.units().size() == 3);
    release.set();
    for (auto& unit : {parked, hog, queued})
        unit->wait();
    while (!pool.units().empty())
        std::this_thread::yield();
}

TEST_CASE("a pool can be asked while its units come, park, go and run for two pools") {
    Pool pool({.stack_size = 32 * 1024});
    Pool other({.stack_size = 32 * 1024});
    Stream first({pool, other});
    Stream second({other, pool});
    constexpr int parked = 20;
    constexpr int rounds = 300;
    Semaphore gate(0);
    for (int i = 0; i < parked; ++i)
        pool.post([&] { gate.acquire(); });
    while (parked_at(pool)["semaphore"] < parked)
        std::this_thread::yield();
    std::atomic<int> left{rounds};
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < rounds; ++i) {
        units.push_back(spawn(i % 3 == 0 ? other : pool, [&, i] {
            if (i % 2 == 0) yield();
            if (i % 5 == 0) sleep_for(1us);
            --left;
        }));
    }
    int asked = 0;
    bool all_there = true;
    do {
        all_there = all_there && parked_at(pool)["semaphore"] == parked;
        all_there = all_there && parked_at(other)["semaphore"] == 0;
        ++asked;
    } while (left > 0);
    CHECK(all_there);
    CHECK(asked > 0);
    for (auto& unit : units)
        unit->wait();
    for (int i = 0; i < parked; ++i)
        gate.release();
    while (!pool.units().empty() || !other.units().empty())
        std::this_thread::yield();
}
