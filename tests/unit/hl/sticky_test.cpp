// SPDX-License-Identifier: BSD-3-Clause
// Sticky pools: a unit that has begun goes on where it began, however busy that stream is, and all
// else is as in other pools.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cinnabar/pool.hpp"
#include "cinnabar/sync.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;

namespace {

long in_state(const Pool& pool, UnitState state) {
    const std::vector<UnitInfo> units = pool.units();
    return std::count_if(units.begin(), units.end(),
                         [state](const UnitInfo& unit) { return unit.state == state; });
}

void await_parked(const Pool& pool, long count) {
    while (in_state(pool, UnitState::parked) != count)
        std::this_thread::yield();
}

// The streams of a pool are in the order in which they were made.
void spin_until(const std::atomic<bool>& go_on) {
    while (!go_on)
        std::this_thread::yield();
}

}  // namespace

TEST_CASE("a unit of a sticky pool keeps its thread across everything that blocks") {
    Pool pool({.name = "sticky", .sticky = true});
    std::vector<Stream> streams;
    for (int i = 0; i < 3; ++i)
        streams.emplace_back(std::vector{pool});
    Mutex mutex;
    Semaphore semaphore(1);
    std::atomic<int> strayed{0};
    const auto work = [&] {
        thread_local int of_this_thread = 0;
        int* const mine = &of_this_thread;
        const std::thread::id begun = std::this_thread::get_id();
        // Locked and opened by the same thread, as the standard wants it.
        std::mutex own;
        for (int i = 0; i < 50; ++i) {
            const std::lock_guard held(own);
            switch (i % 4) {
                case 0:
                    yield();
                    break;
                case 1:
                    sleep_for(1us);
                    break;
                case 2:
                    mutex.lock();
                    yield();
                    mutex.unlock();
                    break;
                default:
                    semaphore.acquire();
                    sleep_for(1us);
                    semaphore.release();
            }
            if (std::this_thread::get_id() != begun || mine != &of_this_thread) ++strayed;
        }
    };
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < 60; ++i)
        units.push_back(spawn(pool, work));
    for (auto& unit : units)
        unit->wait();
    CHECK(strayed == 0);
}

TEST_CASE("a unit that goes on waits for its stream while another runs what is new") {
    Pool pool({.name = "sticky", .sticky = true});
    Pool hogs;
    Event go_on;
    std::atomic<bool> spins{false};
    std::atomic<bool> release{false};
    // The first is the only one that there is when the unit begins.
    const Stream first({hogs, pool});
    const auto where = [] { return std::this_thread::get_id(); };
    auto bound = spawn(pool, [&] {
        const auto begun = where();
        go_on.wait();
        return begun == where();
    });
    await_parked(pool, 1);
    auto hog = spawn(hogs, [&] {
        spins = true;
        spin_until(release);
        return where();
    });
    spin_until(spins);
    const Stream second({pool});
    go_on.set();
    // It is ready before these, and would be taken first if it could be.
    std::vector<std::thread::id> ran;
    for (int i = 0; i < 20; ++i)
        ran.push_back(spawn(pool, where)->wait());
    CHECK_FALSE(bound->ready());
    while (in_state(pool, UnitState::running) != 0)
        std::this_thread::yield();
    CHECK(pool.ready() == 1);
    CHECK(pool.dump() == "pool sticky: 1 units\n  unit ready\n");
    release = true;
    CHECK(bound->wait());
    const std::thread::id busy = hog->wait();
    CHECK(std::find(ran.begin(), ran.end(), busy) == ran.end());
}

TEST_CASE("a stream that goes runs the units that have begun on it to their end") {
    Pool pool({.sticky = true});
    Semaphore gate(0);
    std::shared_ptr<Eventual<int>> bound;
    {
        const Stream stream({pool});
        bound = spawn(pool, [&] {
            gate.acquire();
            for (int i = 0; i < 100; ++i)
                yield();
            return 1;
        });
        await_parked(pool, 1);
        gate.release();
    }
    CHECK(bound->ready());
    // New ones wait for the next stream.
    auto later = spawn(pool, [] { return 2; });
    CHECK(pool.ready() == 1);
    const Stream next({pool});
    CHECK(later->wait() == 2);
}

TEST_CASE("a stream that goes begins no units of a sticky pool any more") {
    Pool pool({.sticky = true});
    std::atomic<int> ran{0};
    std::shared_ptr<Eventual<int>> bound;
    {
        const Stream stream({pool});
        // Ends when one is left that would have had its turn before.
        bound = spawn(pool, [&] {
            for (int posted = 1;; ++posted) {
                pool.post([&] { ++ran; });
                yield();
                if (ran < posted) return posted;
            }
        });
        while (ran == 0)
            std::this_thread::yield();
    }
    CHECK(bound->wait() == ran + 1);
    CHECK(pool.ready() == 1);
    const Stream next({pool});
    CHECK(spawn(pool, [&] { return ran.load(); })->wait() == bound->wait());
}

TEST_CASE("a stream that waits for its units leaves what is new to others") {
    Pool pool({.sticky = true});
    for (int round = 0; round < 50; ++round) {
        Semaphore gate(0);
        auto leaving = std::make_unique<Stream>(std::vector{pool});
        auto bound = spawn(pool, [&] { gate.acquire(); });
        await_parked(pool, 1);
        const Stream stays({pool});
        std::thread thread([&] { leaving.reset(); });
        int sum = 0;
        for (int i = 0; i < 20; ++i)
            sum += spawn(pool, [] { return 1; })->wait();
        CHECK(sum == 20);
        CHECK_FALSE(bound->ready());
        gate.release();
        thread.join();
        CHECK(bound->ready());
    }
}

TEST_CASE("on one stream a sticky pool has the order of one that is not") {
    const auto order_of = [](bool sticky) {
        Pool pool({.sticky = sticky});
        std::string order;
        Event go_on;
        std::atomic<bool> spins{false};
        std::atomic<bool> release{false};
        const Stream stream({pool});
        std::vector<std::shared_ptr<Eventual<void>>> units;
        const auto begin = [&](Priority priority, std::string name, bool waits) {
            units.push_back(spawn(pool.with(priority), [&, who = std::move(name), waits] {
                if (waits) go_on.wait();
                order += who + '1';
                if (who == "N") pool.post([&] { order += "P "; });
                yield();
                order += who + '2';
                yield();
                order += who + '3';
            }));
        };
        begin(Priority::low, "l", true);
        begin(Priority::normal, "m", true);
        begin(Priority::high, "h", true);
        await_parked(pool, 3);
        units.push_back(spawn(pool, [&] {
            spins = true;
            spin_until(release);
        }));
        spin_until(spins);
        begin(Priority::normal, "N", false);
        go_on.set();
        begin(Priority::high, "H", false);
        begin(Priority::normal, "O", false);
        release = true;
        for (auto& unit : units)
            unit->wait();
        return order;
    };
    const std::string order = order_of(false);
    CHECK(order.substr(0, 4) == "h1H1");
    CHECK(order_of(true) == order);
}

TEST_CASE("one that has not begun gets its turn among many that go on, in a sticky pool too") {
    Pool pool({.stack_size = 32 * 1024, .sticky = true});
    const Stream stream({pool});
    Event go_on;
    std::atomic<int> gone_on{0};
    std::atomic<bool> spins{false};
    std::atomic<bool> release{false};
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < 40; ++i)
        units.push_back(spawn(pool, [&] {
            go_on.wait();
            ++gone_on;
        }));
    await_parked(pool, 40);
    auto hog = spawn(pool, [&] {
        spins = true;
        spin_until(release);
    });
    spin_until(spins);
    auto fresh = spawn(pool, [&] { return gone_on.load(); });
    go_on.set();
    CHECK(in_state(pool, UnitState::ready) == 41);
    release = true;
    CHECK(fresh->wait() == 16);
    for (auto& unit : units)
        unit->wait();
    hog->wait();
}

TEST_CASE("sticky and other pools on the same streams, while they are asked for their units") {
    Pool sticky({.stack_size = 32 * 1024, .sticky = true});
    Pool other({.stack_size = 32 * 1024});
    const Stream first({sticky, other});
    const Stream second({other, sticky});
    std::atomic<int> left{600};
    std::atomic<int> strayed{0};
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < 300; ++i) {
        for (const Pool& pool : {sticky, other}) {
            units.push_back(spawn(pool, [&, i] {
                const auto begun = std::this_thread::get_id();
                for (int turn = 0; turn < i % 5; ++turn)
                    i % 2 == 0 ? yield() : sleep_for(1us);
                if (sticky.current() && std::this_thread::get_id() != begun) ++strayed;
                --left;
            }));
        }
    }
    std::size_t most = 0;
    do {
        most = std::max({most, sticky.units().size(), other.units().size()});
    } while (left > 0);
    CHECK(most <= 300);
    CHECK(strayed == 0);
    for (auto& unit : units)
        unit->wait();
    while (!sticky.units().empty() || !other.units().empty())
        std::this_thread::yield();
}
