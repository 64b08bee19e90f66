// SPDX-License-Identifier: BSD-3-Clause
// A key-value service as a class: what the tutorial (docs/tutorial.md) arrives at. Small values are
// arguments, large ones are fetched from the caller's memory and put there. Methods are units and
// run at once on several streams.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cinnabar/cinnabar.hpp"

namespace examples {

class Store : public cinnabar::Provider {
public:
    explicit Store(cinnabar::Engine& engine) : engine_(engine) {
        method("put", &Store::put);
        method("get", &Store::get);
        method("size", &Store::size);
    }

private:
    using Bytes = std::vector<char>;

    // Fetches the value before it takes the lock: others go on meanwhile.
    void put(const cinnabar::Caller& caller, const std::string& key,
             const cinnabar::Region& value) {
        Bytes bytes(value.size());
        if (!bytes.empty()) {
            cinnabar::Region mine = engine_.expose(std::span(bytes), cinnabar::Access::write);
            (mine << value.on(caller.endpoint())).value();
        }
        const std::lock_guard lock(mutex_);
        values_[key] = std::move(bytes);
    }
    // Writes the value to the caller's memory; gives its size.
    std::uint64_t get(const cinnabar::Caller& caller, const std::string& key,
                      const cinnabar::Region& to) {
        Bytes bytes = copy_of(key);
        cinnabar::Region mine = engine_.expose(std::span(bytes), cinnabar::Access::read);
        (mine >> to.on(caller.endpoint()).select(0, bytes.size())).value();
        return bytes.size();
    }
    std::uint64_t size(const std::string& key) { return copy_of(key).size(); }

    Bytes copy_of(const std::string& key) {
        const std::lock_guard lock(mutex_);
        const auto found = values_.find(key);
        if (found == values_.end()) throw std::runtime_error("no such key: " + key);
        return found->second;
    }

    cinnabar::Engine& engine_;
    cinnabar::Mutex mutex_;  // one that units may wait for
    std::map<std::string, Bytes> values_;
};

}  // namespace examples
