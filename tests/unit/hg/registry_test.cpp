// SPDX-License-Identifier: BSD-3-Clause
// The table of RPCs: growth, removal and revival, data of users, and readers while it grows.
#include "hg/core/registry.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

using namespace cinnabar::hg;

namespace {

hg_return_t in_proc(hg_proc_t, void*) {
    return HG_SUCCESS;
}
hg_return_t out_proc(hg_proc_t, void*) {
    return HG_SUCCESS;
}
hg_return_t callback(hg_handle_t) {
    return HG_SUCCESS;
}

int freed = 0;
void count_free(void* data) {
    CHECK(data != nullptr);
    ++freed;
}

// Ids that collide with each other in every table of up to 2^20 slots: the hash is a multiplication
// by an odd constant, of which these are inverse images of numbers that share their middle bits.
hg_id_t colliding(std::uint64_t number) {
    std::uint64_t inverse = 1;
    for (int i = 0; i < 6; ++i)
        inverse *= 2 - 0x9e3779b97f4a7c15ULL * inverse;
    return ((std::uint64_t{77} << 32) + number) * inverse;
}

}  // namespace

TEST_CASE("an id is found once it is registered, with what it was registered with") {
    Registry registry;
    CHECK(registry.find(1) == nullptr);
    CHECK_FALSE(registry.remove(1));
    registry.put(1, in_proc, out_proc, callback);
    RpcRecord* record = registry.find(1);
    REQUIRE(record != nullptr);
    CHECK(record->id == 1);
    CHECK(record->in_proc.load() == in_proc);
    CHECK(record->out_proc.load() == out_proc);
    CHECK(record->callback.load() == callback);
    CHECK(registry.find(2) == nullptr);

    registry.put(1, nullptr, in_proc, nullptr);
    CHECK(registry.find(1) == record);
    CHECK(record->in_proc.load() == nullptr);
    CHECK(record->out_proc.load() == in_proc);
    CHECK(record->callback.load() == nullptr);
}

TEST_CASE("ids of any value can be registered") {
    Registry registry;
    for (const hg_id_t id : {hg_id_t{0}, hg_id_t{1} << 63, ~hg_id_t{0}, hg_id_t{1} << 32}) {
        CHECK(registry.find(id) == nullptr);
        registry.put(id, nullptr, nullptr, nullptr);
        REQUIRE(registry.find(id) != nullptr);
        CHECK(registry.find(id)->id == id);
    }
}

TEST_CASE("a removed id is revived as the same record") {
    Registry registry;
    registry.put(5, in_proc, out_proc, callback);
    RpcRecord* record = registry.find(5);
    record->no_response.store(true);
    CHECK(registry.remove(5));
    CHECK(registry.find(5) == nullptr);
    CHECK_FALSE(registry.remove(5));
    registry.put(5, out_proc, in_proc, nullptr);
    CHECK(registry.find(5) == record);
    CHECK(record->in_proc.load() == out_proc);
    CHECK_FALSE(record->no_response.load());
}

TEST_CASE("an id behind a removed one in the same chain is still found") {
    Registry registry;
    for (std::uint64_t i = 0; i < 20; ++i)
        registry.put(colliding(i), in_proc, nullptr, nullptr);
    for (std::uint64_t i = 0; i < 20; i += 2)
        CHECK(registry.remove(colliding(i)));
    for (std::uint64_t i = 0; i < 20; ++i) {
        CAPTURE(i);
        CHECK((registry.find(colliding(i)) != nullptr) == (i % 2 == 1));
    }
    registry.put(colliding(20), in_proc, nullptr, nullptr);
    CHECK(registry.find(colliding(20)) != nullptr);
}

TEST_CASE("data is freed once, by removal or by the end of the class") {
    int data = 0;
    freed = 0;
    {
        Registry registry;
        for (hg_id_t id = 1; id <= 3; ++id) {
            registry.put(id, nullptr, nullptr, nullptr);
            registry.find(id)->data.store(&data);
            registry.find(id)->data_free.store(count_free);
        }
        CHECK(registry.remove(1));
        CHECK(freed == 1);
        registry.put(1, nullptr, nullptr, nullptr);
        CHECK(registry.find(1)->data.load() == nullptr);
        CHECK(registry.remove(1));
        CHECK(freed == 1);
        registry.find(2)->data_free.store(nullptr);
        CHECK(registry.remove(2));
        CHECK(freed == 1);
    }
    CHECK(freed == 2);
}

TEST_CASE("the registry behaves as a map over random calls") {
    std::mt19937_64 random(20240607);
    Registry registry;
    std::unordered_map<hg_id_t, bool> model;
    for (int step = 0; step < 20000; ++step) {
        const hg_id_t id = random() % 2 == 0 ? random() % 3000 : colliding(random() % 3000);
        if (random() % 3 != 0) {
            registry.put(id, in_proc, out_proc, callback);
            model[id] = true;
        } else {
            const bool was_there = model.count(id) != 0 && model[id];
            if (registry.remove(id) != was_there) FAIL("remove, step " << step);
            if (was_there) model[id] = false;
        }
    }
    std::size_t wrong = 0;
    for (const auto& [id, registered] : model)
        if ((registry.find(id) != nullptr) != registered) ++wrong;
    CHECK(wrong == 0);
}

TEST_CASE("readers find what is registered while the table grows under them") {
    constexpr hg_id_t stable = 64;
    constexpr hg_id_t last = 20000;
    Registry registry;
    for (hg_id_t id = 1; id <= stable; ++id)
        registry.put(id, in_proc, nullptr, callback);

    std::atomic<hg_id_t> published{stable};
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> wrong{0};
    std::vector<std::thread> readers;
    for (unsigned seed = 0; seed < 3; ++seed)
        readers.emplace_back([&, seed] {
            std::mt19937_64 random(seed);
            while (!over.load(std::memory_order_relaxed)) {
                // What was published before the look must be found, and complete.
                const hg_id_t id = random() % published.load(std::memory_order_acquire) + 1;
                const RpcRecord* record = registry.find(id);
                if (record == nullptr || record->id != id ||
                    record->callback.load(std::memory_order_relaxed) != callback)
                    wrong.fetch_add(1);
                if (registry.find(last + 1 + random() % last) != nullptr) wrong.fetch_add(1);
            }
        });
    // Two writers on disjoint ids, one of which nobody relies on.
    std::thread noise([&] {
        for (int round = 0; round < 2000; ++round) {
            registry.put(1000000 + static_cast<hg_id_t>(round % 50), in_proc, out_proc, callback);
            registry.remove(1000000 + static_cast<hg_id_t>(round % 50));
        }
    });
    for (hg_id_t id = stable + 1; id <= last; ++id) {
        registry.put(id, in_proc, nullptr, callback);
        published.store(id, std::memory_order_release);
    }
    noise.join();
    over.store(true);
    for (std::thread& reader : readers)
        reader.join();
    CHECK(wrong.load() == 0);
}
