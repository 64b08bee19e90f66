// SPDX-License-Identifier: BSD-3-Clause
// What peers name by a random key, for transports whose owner looks registered memory up itself. In
// shards, so that threads seldom meet. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "na/base/mutex.hpp"
#include "na/base/random.hpp"

namespace cinnabar::na::sdk {

template <class T>
class KeyTable {
public:
    // Gives the object a random key that nobody has; 0 when the system has no random bytes.
    std::uint64_t insert(const std::shared_ptr<T>& object) {
        for (;;) {
            const std::uint64_t key = random_u64();
            if (key == 0) return 0;
            Shard& shard = shard_of(key);
            MutexLock lock(shard.mutex);
            if (shard.objects.emplace(key, object).second) return key;
        }
    }

    void erase(std::uint64_t key) {
        Shard& shard = shard_of(key);
        MutexLock lock(shard.mutex);
        shard.objects.erase(key);
    }

    // nullptr: nobody has this key.
    std::shared_ptr<T> find(std::uint64_t key) {
        Shard& shard = shard_of(key);
        MutexLock lock(shard.mutex);
        const auto found = shard.objects.find(key);
        return found == shard.objects.end() ? nullptr : found->second;
    }

private:
    struct Shard {
        Mutex mutex;
        std::unordered_map<std::uint64_t, std::shared_ptr<T>> objects;
    };
    Shard& shard_of(std::uint64_t key) noexcept { return shards_[key % shards_.size()]; }
    std::array<Shard, 16> shards_;
};

}  // namespace cinnabar::na::sdk
