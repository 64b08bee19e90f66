// SPDX-License-Identifier: BSD-3-Clause
// Waits with a deadline, by units and by plain threads: none ends early, one that has given up is
// owed nothing and leaves nothing behind, and deadline and event have one outcome.
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "cinnabar/pool.hpp"
#include "cinnabar/sync.hpp"
#include "cinnabar/task.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/system_calls.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;

namespace {

// Runs `body` as a unit, and on this thread.
void both_ways(const std::function<void()>& body) {
    Pool pool;
    const Stream stream({pool});
    spawn(pool, body)->wait();
    body();
}

// How many of the waits ended with false, and not before their time.
class Late {
public:
    template <class Wait>
    void of(Wait wait) {
        const TimePoint deadline = Clock::now() + 5ms;
        if (!wait(deadline) && Clock::now() >= deadline) ++count_;
        const TimePoint begin = Clock::now();
        if constexpr (std::is_invocable_v<Wait, Clock::duration>)
            if (!wait(Clock::duration(5ms)) && Clock::now() - begin >= 5ms) ++count_;
    }
    int count() const { return count_; }

private:
    int count_ = 0;
};

template <class... F>
struct Either : F... {
    using F::operator()...;
};
template <class... F>
Either(F...) -> Either<F...>;

Task<bool> awaits(Event& event, TimePoint deadline) {
    const bool came = co_await when(event, deadline);
    if (came || Clock::now() >= deadline) co_return came;
    throw std::logic_error("early");
}

}  // namespace

TEST_CASE("every wait has a deadline, as a point of time and as a duration") {
    both_ways([] {
        Mutex mutex;
        Mutex held;
        Condition condition;
        Semaphore semaphore(0);
        Barrier barrier(2);
        Event event;
        std::array<Event*, 1> events = {&event};
        Eventual<int> value;
        Eventual<void> nothing;
        held.lock();
        std::unique_lock lock(mutex);
        Late late;
        late.of(Either{[&](TimePoint at) { return held.try_lock_until(at); },
                       [&](Clock::duration in) { return held.try_lock_for(in); }});
        late.of(Either{[&](TimePoint at) { return std::unique_lock(held, at).owns_lock(); },
                       [&](Clock::duration in) { return std::unique_lock(held, in).owns_lock(); }});
        late.of(Either{[&](TimePoint at) { return condition.wait_until(lock, at); },
                       [&](Clock::duration in) { return condition.wait_for(lock, in); }});
        const auto never = [] { return false; };
        late.of(Either{[&](TimePoint at) { return condition.wait_until(lock, at, never); },
                       [&](Clock::duration in) { return condition.wait_for(lock, in, never); }});
        late.of(Either{[&](TimePoint at) { return semaphore.try_acquire_until(at); },
                       [&](Clock::duration in) { return semaphore.try_acquire_for(in); }});
        late.of(Either{[&](TimePoint at) { return barrier.arrive_and_wait_until(at); },
                       [&](Clock::duration in) { return barrier.arrive_and_wait_for(in); }});
        late.of(Either{[&](TimePoint at) { return event.wait_until(at); },
                       [&](Clock::duration in) { return event.wait_for(in); }});
        late.of(Either{[&](TimePoint at) { return wait_any(events, at).has_value(); },
                       [&](Clock::duration in) { return wait_any(events, in).has_value(); }});
        late.of(Either{[&](TimePoint at) { return wait_all(events, at); },
                       [&](Clock::duration in) { return wait_all(events, in); }});
        late.of(Either{[&](TimePoint at) { return value.wait_until(at) != nullptr; },
                       [&](Clock::duration in) { return value.wait_for(in) != nullptr; }});
        late.of(Either{[&](TimePoint at) { return nothing.wait_until(at); },
                       [&](Clock::duration in) { return nothing.wait_for(in); }});
        CHECK(late.count() == 22);
        CHECK(lock.owns_lock());
    });
}

TEST_CASE("what is there is taken, also when the deadline has passed") {
    both_ways([] {
        const TimePoint past = Clock::now() - 1s;
        constexpr Clock::duration ever = Clock::duration::max();
        Mutex mutex;
        CHECK(mutex.try_lock_until(past));
        mutex.unlock();
        CHECK(mutex.try_lock_for(ever));
        Semaphore semaphore(2);
        CHECK(semaphore.try_acquire_until(past));
        CHECK(semaphore.try_acquire());
        CHECK_FALSE(semaphore.try_acquire());
        CHECK(Barrier(1).arrive_and_wait_until(past));
        Event event;
        event.set();
        std::array<Event*, 2> events = {&event, &event};
        CHECK(event.wait_until(past));
        CHECK(wait_all(events, past));
        CHECK(wait_all(events));
        CHECK(wait_all(std::span<Event* const>(), past));
        CHECK(wait_any(events, past) == 0U);
        Eventual<int> value;
        value.set(3);
        CHECK(*value.wait_until(past) == 3);
        Condition condition;
        std::unique_lock lock(mutex, std::adopt_lock);
        CHECK(condition.wait_until(lock, past, [] { return true; }));
    });
}

TEST_CASE("all of several events are waited for") {
    Pool pool;
    const Stream stream({pool});
    std::array<Event, 3> set;
    std::array<Event*, 3> events = {&set[0], &set[1], &set[2]};
    auto waiter = spawn(pool, [&] { return wait_all(events); });
    set[2].set();
    set[0].set();
    CHECK_FALSE(wait_all(events, 1ms));
    CHECK_FALSE(waiter->ready());
    set[1].set();
    CHECK(waiter->wait());
}

TEST_CASE("a mutex is not handed to somebody who has given up") {
    both_ways([] {
        Mutex mutex;
        mutex.lock();
        CHECK_FALSE(mutex.try_lock_for(1ms));
        mutex.unlock();
        CHECK(mutex.try_lock());
    });
}

TEST_CASE("a mutex whose waiters give up at any time is held by one at a time, and not lost") {
    Pool pool;
    const Stream first({pool});
    const Stream second({pool});
    Mutex mutex;
    long count = 0;
    std::atomic<long> taken{0};
    const auto work = [&] {
        for (int i = 0; i < 2000; ++i) {
            const std::unique_lock lock(mutex, std::chrono::microseconds(i % 40));
            if (!lock.owns_lock()) continue;
            const long seen = count;
            if (i % 16 == 0) yield();
            count = seen + 1;
            ++taken;
        }
    };
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (int i = 0; i < 6; ++i)
        units.push_back(spawn(pool, work));
    std::thread thread(work);
    thread.join();
    for (auto& unit : units)
        unit->wait();
    CHECK(count == taken);
    CHECK(mutex.try_lock());
}

TEST_CASE("who leaves a barrier at its deadline is not counted") {
    Pool pool;
    const Stream stream({pool});
    Barrier barrier(2);
    CHECK_FALSE(barrier.arrive_and_wait_for(1ms));
    auto other = spawn(pool, [&] { return barrier.arrive_and_wait_for(1ms); });
    CHECK_FALSE(other->wait());
    auto first = spawn(pool, [&] { return barrier.arrive_and_wait_for(1h); });
    barrier.arrive_and_wait();
    CHECK(first->wait());
}

TEST_CASE("deadline and last arrival at a barrier have the same outcome for all") {
    Pool pool;
    const Stream stream({pool});
    Barrier barrier(2);
    std::atomic<bool> over{false};
    constexpr int meetings = 1000;
    const auto party = [&](int seed) {
        int met = 0;
        for (int i = seed; met < meetings; ++i)
            if (barrier.arrive_and_wait_for(std::chrono::microseconds(i * 7919 % 20))) ++met;
        return met;
    };
    // Keeps the unit waiting between its deadline and its turn.
    auto others = spawn(pool, [&] {
        while (!over) {
            for (const TimePoint end = Clock::now() + 10us; Clock::now() < end;) {
            }
            yield();
        }
    });
    auto unit = spawn(pool, [&] { return party(1); });
    CHECK(party(2) == meetings);
    CHECK(unit->wait() == meetings);
    over = true;
    others->wait();
    // Nobody is left behind in it.
    CHECK_FALSE(barrier.arrive_and_wait_for(1ms));
}

namespace {

constexpr unsigned timed_waits = 200;

}  // namespace

// One that waits and one that wakes it, on one stream.
CINNABAR_ROLE(timed_waiter) {
    Pool pool;
    const Stream stream({pool});
    Semaphore there(0);
    Semaphore back(0);
    auto other = spawn(pool, [&] {
        for (unsigned i = 0; i < 2 * timed_waits; ++i) {
            there.acquire();
            back.release();
        }
    });
    spawn(pool, [&] {
        const auto round = [&] {
            for (unsigned i = 0; i < timed_waits; ++i) {
                // Time for a thread that has been woken to fall asleep again.
                for (const TimePoint end = Clock::now() + 100us; Clock::now() < end;) {
                }
                there.release();
                if (!back.try_acquire_for(1h)) std::abort();
            }
        };
        round();
        cinnabar::test::mark_system_calls("begin");
        round();
        cinnabar::test::mark_system_calls("end");
    })->wait();
    other->wait();
    // One that is earlier than the timer sleeps for rings at its time, or this does not end.
    spawn(pool, [] { sleep_for(1ms); })->wait();
    return 0;
}

TEST_CASE("a row of waits with deadlines that do not pass makes no system calls") {
    if (cinnabar::test::units_are_threads()) return;
    REQUIRE(cinnabar::test::can_count_system_calls());
    cinnabar::test::TracedProcess waiter("timed_waiter");
    CHECK(waiter.process.wait() == 0);
    // A few where it meets the timer's thread at the lock.
    CHECK(waiter.counts()["futex"] < timed_waits / 10);
}

TEST_CASE("a coroutine waits for an event until a deadline, and holds no stream meanwhile") {
    Pool pool;
    const Stream stream({pool});
    Event never;
    Event event;
    auto late = run(pool, awaits(never, Clock::now() + 5ms));
    auto patient = run(pool, awaits(event, Clock::now() + 1h));
    CHECK_FALSE(late->wait());
    event.set();
    CHECK(patient->wait());
    CHECK(run(pool, awaits(event, Clock::now() - 1s))->wait());
    CHECK_FALSE(run(pool, awaits(never, Clock::now() - 1s))->wait());
    const auto for_a_while = [&]() -> Task<bool> {
        const bool came = co_await when(never, 1ms);
        co_return came;
    };
    CHECK_FALSE(run(pool, for_a_while())->wait());
    // On a plain thread it blocks.
    auto here = std::make_shared<Eventual<bool>>();
    detail::drive(awaits(never, Clock::now() + 1ms), here);
    CHECK(here->ready());
    CHECK_FALSE(here->wait());
}

TEST_CASE("deadline and event race for coroutines with one outcome each") {
    Pool pool;
    const Stream first({pool});
    const Stream second({pool});
    int wrong = 0;
    for (int i = 0; i < 3000; ++i) {
        Event event;
        const Clock::duration patience =
            i % 8 == 0 ? Clock::duration(1h) : Clock::duration(i % 60 * 1us);
        auto outcome = run(pool, awaits(event, Clock::now() + patience));
        const TimePoint at = Clock::now() + std::chrono::microseconds(i % 31);
        while (Clock::now() < at && !outcome->ready()) {
        }
        if (i % 8 == 1 && outcome->wait()) ++wrong;
        event.set();
        if (!outcome->wait() && i % 8 == 0) ++wrong;
    }
    CHECK(wrong == 0);
}
