// SPDX-License-Identifier: BSD-3-Clause
// A pool whose only stream takes its lock cheaply, while others post, look and change the streams:
// no unit is lost, none runs twice, those of one poster run in order.
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "cinnabar/sync.hpp"
#include "tests/support/watchdog.hpp"

using namespace cinnabar;

namespace {

const int rounds = 20000 / (cinnabar::test::slowdown() > 1 ? 20 : 1);

// Numbers that one poster gives away in order, as units of a pool.
struct Poster {
    void post(const Pool& pool, int number) {
        pool.post([this, number] {
            if (number != next.load(std::memory_order_relaxed)) ++wrong;
            next.store(number + 1, std::memory_order_relaxed);
        });
    }
    std::atomic<int> next{0};
    std::atomic<int> wrong{0};
};

void wait_for(const Poster& poster) {
    while (poster.next != rounds)
        std::this_thread::yield();
    CHECK(poster.wrong == 0);
}

}  // namespace

TEST_CASE("units come to a pool with one stream from everywhere, each poster's in order") {
    const Pool pool;
    std::array<Poster, 4> posters;  // the last two are units of the pool
    std::optional<Stream> stream(std::in_place, std::vector{pool});
    std::vector<std::thread> threads;
    std::vector<std::shared_ptr<Eventual<void>>> units;
    for (Poster* poster : {&posters[0], &posters[1]})
        threads.emplace_back([poster, &pool] {
            for (int i = 0; i < rounds; ++i)
                poster->post(pool, i);
        });
    for (Poster* poster : {&posters[2], &posters[3]})
        units.push_back(spawn(pool, [poster, &pool] {
            for (int i = 0; i < rounds; ++i) {
                poster->post(pool, i);
                if (i % 8 == 0) yield();
            }
        }));
    // Somebody looks all the time, which needs the lock that the stream has; one unit waits until
    // it has been seen.
    std::atomic<bool> stop{false};
    Event looked;
    units.push_back(spawn(pool, [&] { looked.wait(); }));
    std::size_t seen = 0;
    std::thread looking([&] {
        while (!stop) {
            const bool first = seen == 0;
            seen += pool.units().size() + pool.ready();
            if (first && seen > 0) looked.set();
            std::this_thread::yield();
        }
    });
    for (std::thread& thread : threads)
        thread.join();
    for (const auto& unit : units)
        unit->wait();
    for (const Poster& poster : posters)
        wait_for(poster);
    stop = true;
    looking.join();
    CHECK(seen > 0);
    CHECK(pool.ready() == 0);
    CHECK(pool.units().empty());
}

TEST_CASE("a pool has one stream, two or none in turn while units are posted and woken") {
    const Pool pool;
    std::atomic<long> ran{0};
    std::atomic<bool> stop{false};
    const Stream keeps_on({pool});
    std::thread changing([&] {
        while (!stop) {
            const Stream second({pool});
            std::this_thread::yield();
        }
    });
    Semaphore ping(0), pong(0);
    auto answering = spawn(pool, [&] {
        for (int i = 0; i < rounds; ++i) {
            ping.acquire();
            pong.release();
        }
    });
    std::thread posting([&] {
        for (int i = 0; i < rounds; ++i)
            pool.post([&] { ++ran; });
    });
    for (int i = 0; i < rounds; ++i) {
        ping.release();
        pong.acquire();
    }
    answering->wait();
    posting.join();
    stop = true;
    changing.join();
    while (ran != rounds)
        std::this_thread::yield();
    // Without any they wait for the next one.
    const Pool other;
    std::atomic<int> late{0};
    { const Stream gone({other}); }
    for (int i = 0; i < 10; ++i)
        other.post([&] { ++late; });
    CHECK(late == 0);
    CHECK(other.ready() == 10);
    const Stream next({other});
    while (late != 10)
        std::this_thread::yield();
}
