// SPDX-License-Identifier: BSD-3-Clause
// The intrusive queue: order, emptiness, nodes used again, many producers.
#include "na/base/mpsc_queue.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace cinnabar {
namespace {

struct Item : MpscNode {
    int producer = 0;
    int number = 0;
};

TEST_CASE("elements come out in the order in which they went in") {
    MpscQueue queue;
    Item items[5];
    CHECK(queue.empty());
    CHECK(queue.pop() == nullptr);
    for (Item& item : items)
        queue.push(item);
    CHECK_FALSE(queue.empty());
    for (Item& item : items)
        CHECK(queue.pop() == &item);
    CHECK(queue.pop() == nullptr);
    CHECK(queue.empty());
}

TEST_CASE("an element is pushed again after it was popped") {
    MpscQueue queue;
    Item a, b;
    for (int i = 0; i < 100; ++i) {
        queue.push(a);
        CHECK_FALSE(queue.empty());
        if (i % 3 == 0) {
            queue.push(b);
            CHECK(queue.pop() == &a);
            CHECK(queue.pop() == &b);
        } else {
            CHECK(queue.pop() == &a);
        }
        CHECK(queue.empty());
        CHECK(queue.pop() == nullptr);
    }
}

TEST_CASE("pushes and pops alternate at every fill") {
    MpscQueue queue;
    Item items[8];
    int next_in = 0, next_out = 0;
    for (int step = 0; step < 1000; ++step) {
        const bool push = next_in - next_out < 8 && (step * 7 % 5 < 3 || next_in == next_out);
        if (push)
            queue.push(items[next_in++ % 8]);
        else
            CHECK(queue.pop() == &items[next_out++ % 8]);
        REQUIRE(queue.empty() == (next_in == next_out));
    }
}

TEST_CASE("what many producers push arrives once, each producer's in order") {
    constexpr int producers = 4, count = 20000;
    MpscQueue queue;
    std::vector<std::vector<Item>> items(producers);
    std::vector<std::thread> threads;
    for (int p = 0; p < producers; ++p) {
        items[static_cast<std::size_t>(p)] = std::vector<Item>(count);
        for (int i = 0; i < count; ++i) {
            Item& item = items[static_cast<std::size_t>(p)][static_cast<std::size_t>(i)];
            item.producer = p;
            item.number = i;
        }
    }
    for (auto& own : items)
        threads.emplace_back([&queue, &own] {
            for (Item& item : own)
                queue.push(item);
        });
    int next[producers] = {};
    for (int left = producers * count; left > 0;) {
        auto* item = static_cast<Item*>(queue.pop());
        if (item == nullptr) continue;
        REQUIRE(item->number == next[item->producer]);
        ++next[item->producer];
        --left;
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(queue.pop() == nullptr);
    CHECK(queue.empty());
}

}  // namespace
}  // namespace cinnabar
