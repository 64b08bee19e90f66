// SPDX-License-Identifier: BSD-3-Clause
// What HG_Trigger() drains: order, exactly once with many threads on either side, and no sleeper
// that is left behind.
#include "hg/core/completion_queue.hpp"

#include <poll.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <deque>
#include <thread>
#include <vector>

using namespace cinnabar::hg;

namespace {

struct Item : Completion {
    std::atomic<int> popped{0};
    unsigned producer = 0;
    unsigned number = 0;
};

bool readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

// Far enough that only the watchdog ends a wait that nobody ends.
CompletionQueue::Clock::time_point never() {
    return CompletionQueue::Clock::now() + std::chrono::hours(1);
}

}  // namespace

TEST_CASE("entries leave the completion queue in the order in which they came") {
    CompletionQueue queue;
    REQUIRE(queue.open().ok());
    CHECK(queue.empty());
    CHECK(queue.pop() == nullptr);
    std::deque<Item> items(5);
    for (int round = 0; round < 3; ++round) {
        for (Item& item : items)
            queue.push(item);
        CHECK_FALSE(queue.empty());
        for (Item& item : items)
            CHECK(queue.pop() == &item);
        CHECK(queue.empty());
        CHECK(queue.pop() == nullptr);
    }
}

TEST_CASE("an entry may be pushed again as soon as it was popped") {
    CompletionQueue queue;
    Item item;
    for (int round = 0; round < 10; ++round) {
        queue.push(item);
        CHECK(queue.pop() == &item);
        CHECK(queue.empty());
    }
}

TEST_CASE("a push makes the descriptor readable only for an announced sleeper") {
    CompletionQueue queue;
    REQUIRE(queue.open().ok());
    std::deque<Item> items(4);
    queue.push(items[0]);
    CHECK_FALSE(readable(queue.wake_fd()));
    queue.announce_sleeper();
    queue.push(items[1]);
    CHECK(readable(queue.wake_fd()));
    queue.push(items[2]);
    queue.retract_sleeper();
    queue.drain_wake(false);
    CHECK_FALSE(readable(queue.wake_fd()));
    queue.drain_wake(false);
    queue.push(items[3]);
    CHECK_FALSE(readable(queue.wake_fd()));
    queue.announce_sleeper();
    for (int i = 0; i < 4; ++i)
        CHECK(queue.pop() == &items[static_cast<std::size_t>(i)]);
    queue.push(items[0]);
    CHECK(readable(queue.wake_fd()));
    queue.retract_sleeper();
    CHECK(queue.pop() == &items[0]);
}

TEST_CASE("waiting ends at once when something is there, and at its deadline when not") {
    CompletionQueue queue;
    Item item;
    const auto deadline = CompletionQueue::Clock::now() + std::chrono::milliseconds(5);
    queue.wait_until(deadline);
    CHECK(CompletionQueue::Clock::now() >= deadline);
    queue.push(item);
    queue.wait_until(never());
    CHECK(queue.pop() == &item);
}

TEST_CASE(
    "every entry of many producers reaches one of several consumers, in order of its producer") {
    constexpr unsigned producer_count = 4;
    constexpr unsigned consumer_count = 3;
    constexpr unsigned per_producer = 5000;
    CompletionQueue queue;
    std::vector<std::deque<Item>> items(producer_count);
    for (auto& of_producer : items)
        of_producer.resize(per_producer);
    std::atomic<unsigned> popped{0};
    std::atomic<unsigned> disorder{0};

    std::vector<std::thread> threads;
    for (unsigned consumer = 0; consumer < consumer_count; ++consumer)
        threads.emplace_back([&] {
            std::vector<long> last(producer_count, -1);
            while (popped.load() < producer_count * per_producer) {
                auto* item = static_cast<Item*>(queue.pop());
                if (item == nullptr) {
                    std::this_thread::yield();
                    continue;
                }
                item->popped.fetch_add(1);
                if (static_cast<long>(item->number) <= last[item->producer]) disorder.fetch_add(1);
                last[item->producer] = item->number;
                popped.fetch_add(1);
            }
        });
    for (unsigned producer = 0; producer < producer_count; ++producer)
        threads.emplace_back([&, producer] {
            for (unsigned number = 0; number < per_producer; ++number) {
                Item& item = items[producer][number];
                item.producer = producer;
                item.number = number;
                queue.push(item);
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(disorder.load() == 0);
    CHECK(queue.empty());
    unsigned not_once = 0;
    for (const auto& of_producer : items)
        for (const Item& item : of_producer)
            if (item.popped.load() != 1) ++not_once;
    CHECK(not_once == 0);
}

TEST_CASE("a queue that still holds something never looks empty once its producers have returned") {
    // Each round, producers push one entry each while a consumer pops; the last pop of a round
    // meets pushes that are between their two steps.
    constexpr unsigned producer_count = 2;
    constexpr unsigned rounds = 1500;
    CompletionQueue queue;
    std::deque<Item> items(producer_count);
    std::atomic<unsigned> round{0};
    std::atomic<unsigned> returned{0};
    std::vector<std::thread> producers;
    for (unsigned producer = 0; producer < producer_count; ++producer)
        producers.emplace_back([&, producer] {
            for (unsigned mine = 1; mine <= rounds; ++mine) {
                while (round.load() < mine)
                    std::this_thread::yield();
                queue.push(items[producer]);
                returned.fetch_add(1);
            }
        });
    unsigned lost = 0;
    for (unsigned now = 1; now <= rounds; ++now) {
        round.store(now);
        unsigned popped = 0;
        while (returned.load() < now * producer_count)
            if (queue.pop() != nullptr) ++popped;
        while (queue.pop() != nullptr)
            ++popped;
        if (popped == producer_count) continue;
        ++lost;
        // Once it looks empty, only another push brings the rest to light.
        round.store(rounds);
        break;
    }
    for (std::thread& producer : producers)
        producer.join();
    CHECK(lost == 0);
}

TEST_CASE("no trigger sleeps through an entry") {
    constexpr unsigned producer_count = 2;
    constexpr unsigned consumer_count = 2;
    constexpr unsigned per_producer = 3000;
    CompletionQueue queue;
    std::vector<std::deque<Item>> items(producer_count);
    for (auto& of_producer : items)
        of_producer.resize(per_producer);
    std::deque<Item> farewell(consumer_count);
    std::atomic<unsigned> popped{0};
    std::vector<std::thread> threads;
    for (unsigned consumer = 0; consumer < consumer_count; ++consumer)
        threads.emplace_back([&] {
            for (;;) {
                Completion* completion = queue.pop();
                if (completion == nullptr) {
                    queue.wait_until(never());
                    continue;
                }
                if (completion->owner == &farewell) return;
                popped.fetch_add(1);
            }
        });
    for (unsigned producer = 0; producer < producer_count; ++producer)
        threads.emplace_back([&, producer] {
            for (unsigned number = 0; number < per_producer; ++number) {
                queue.push(items[producer][number]);
                // In small groups, so that the consumers go to sleep in between.
                while (number % 3 == 0 && popped.load() + 10 < number)
                    std::this_thread::yield();
            }
        });
    while (popped.load() < producer_count * per_producer)
        std::this_thread::yield();
    for (Item& item : farewell) {
        item.owner = &farewell;
        queue.push(item);
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(popped.load() == producer_count * per_producer);
}

TEST_CASE(
    "a thread that sleeps on the descriptor is woken by what was pushed after its last look") {
    constexpr unsigned count = 3000;
    CompletionQueue queue;
    REQUIRE(queue.open().ok());
    std::deque<Item> items(count);
    std::atomic<unsigned> popped{0};
    std::thread producer([&] {
        for (unsigned number = 0; number < count; ++number) {
            queue.push(items[number]);
            while (number % 2 == 0 && popped.load() < number)
                std::this_thread::yield();
        }
    });
    while (popped.load() < count) {
        if (queue.pop() != nullptr) {
            popped.fetch_add(1);
            continue;
        }
        queue.announce_sleeper();
        if (queue.empty()) {
            pollfd entry{queue.wake_fd(), POLLIN, 0};
            (void)::poll(&entry, 1, -1);
        }
        queue.retract_sleeper();
        queue.drain_wake(false);
    }
    producer.join();
    CHECK(queue.empty());
}
