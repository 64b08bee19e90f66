// SPDX-License-Identifier: BSD-3-Clause
// On which OS threads units run, in both forms of the library; CINNABAR_TEST_UNITS says which one
// it is. Where units are threads no more of them run at once than there are streams.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "cinnabar/pool.hpp"
#include "cinnabar/sync.hpp"
#include "tests/integration_hl/nets.hpp"

using namespace cinnabar;
using cinnabar::test::units_are_threads;

TEST_CASE("units that wait have threads of their own if units are threads, and else none") {
    constexpr int count = 8;
    Pool pool;
    const Stream stream({pool});
    Event go_on;
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::set<const int*> thread_locals;
    std::atomic<int> strayed{0};
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < count; ++i) {
        units.push_back(spawn(pool, [&] {
            thread_local const int of_this_thread = 0;
            const int* mine = &of_this_thread;
            const std::thread::id begun = std::this_thread::get_id();
            {
                const std::lock_guard lock(mutex);
                threads.insert(begun);
                thread_locals.insert(mine);
            }
            go_on.wait();
            yield();
            if (std::this_thread::get_id() != begun || mine != &of_this_thread) ++strayed;
        }));
    }
    const auto all_wait = [&] {
        const std::vector<UnitInfo> all = pool.units();
        return std::count_if(all.begin(), all.end(), [](const UnitInfo& unit) {
                   return unit.state == UnitState::parked;
               }) == count;
    };
    while (!all_wait())
        std::this_thread::yield();
    const std::size_t expected = units_are_threads() ? count : 1;
    CHECK(threads.size() == expected);
    CHECK(thread_locals.size() == expected);
    go_on.set();
    for (auto& unit : units)
        unit->wait();
    CHECK(strayed == 0);
}

TEST_CASE("no more units run at once than there are streams") {
    Pool pool;
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    std::vector<std::shared_ptr<Eventual<void>>> units;
    const auto work = [&] {
        for (int i = 0; i < 50; ++i) {
            const int now = ++running;
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
            }
            std::this_thread::yield();
            --running;
            yield();
        }
    };
    for (int i = 0; i < 12; ++i)
        units.push_back(spawn(pool, work));
    const Stream first({pool});
    const Stream second({pool});
    for (auto& unit : units)
        unit->wait();
    CHECK(most <= 2);
}

TEST_CASE("a stream may be gone before the units that it has run, and another ends them") {
    Pool pool;
    Event go_on;
    std::vector<std::shared_ptr<Eventual<int>>> units;
    {
        const Stream stream({pool});
        for (int i = 0; i < 10; ++i)
            units.push_back(spawn(pool, [&, i] {
                try {
                    throw i;
                } catch (int caught) {
                    go_on.wait();
                    return caught;
                }
            }));
        while (pool.units().size() != 10 || pool.ready() != 0)
            std::this_thread::yield();
    }
    go_on.set();
    const Stream other({pool});
    for (int i = 0; i < 10; ++i)
        CHECK(units[static_cast<std::size_t>(i)]->wait() == i);
}
