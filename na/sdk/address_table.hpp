// SPDX-License-Identifier: BSD-3-Clause
// Peers by name. One address object for each name of a net, found through a table that owns none of
// them: the entry goes with the last reference. So comparing pointers compares peers. Used on
// set-up paths only; any thread.
//
// Address is constructed as Address(table, name, is_self, further...), which must not throw, has a
// member `name`, and calls table.forget(*this) in its destructor.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "na/base/mutex.hpp"
#include "na/sdk/host.hpp"

namespace cinnabar::na::sdk {

template <class Address>
class AddressTable {
public:
    // cls is the plugin's part of the class, for libna. Afterwards `self_name` gives addresses that
    // are self.
    void open(void* cls, std::string self_name) {
        cls_ = cls;
        self_name_ = std::move(self_name);
    }

    // The address of a name, with one reference for the caller. nullptr: out of memory.
    template <class... Further>
    Address* intern(std::string_view name, Further&&... further) {
        std::string key(name);
        std::string own(name);
        const bool self = name == self_name_;
        MutexLock lock(mutex_);
        Address*& entry = entries_[key];
        // An entry whose last reference is going is replaced; its destructor then leaves the entry
        // alone.
        if (entry != nullptr && try_ref(*entry)) return entry;
        void* memory = host_table->addr_create(cls_);
        if (memory == nullptr) {
            entries_.erase(key);
            return nullptr;
        }
        // Nothing below throws: the memory could not be given back.
        entry =
            new (memory) Address(*this, std::move(own), self, std::forward<Further>(further)...);
        return entry;
    }

    // The same if it exists; nullptr otherwise.
    Address* find(const std::string& name) {
        MutexLock lock(mutex_);
        const auto found = entries_.find(name);
        if (found == entries_.end() || !try_ref(*found->second)) return nullptr;
        return found->second;
    }

    // A later intern() of the name makes a new object.
    void forget(Address& address) noexcept {
        MutexLock lock(mutex_);
        const auto found = entries_.find(address.name);
        if (found != entries_.end() && found->second == &address) entries_.erase(found);
    }

    const std::string& self_name() const noexcept { return self_name_; }

private:
    void* cls_ = nullptr;
    std::string self_name_;
    Mutex mutex_;
    std::unordered_map<std::string, Address*> entries_;
};

}  // namespace cinnabar::na::sdk
