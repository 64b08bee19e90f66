// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/address.hpp"

namespace cinnabar::ofi {

Address::~Address() {
    table->forget(*this);
}

Address* AddressTable::find(const std::string& name) {
    MutexLock lock(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end() || !na::sdk::try_ref(*found->second)) return nullptr;
    return found->second;
}

Address* AddressTable::intern(std::string_view name, const Raw& raw) {
    std::string key(name);
    std::string own(name);
    Raw bytes(raw);
    const bool self = name == self_name_;
    MutexLock lock(mutex_);
    Address*& entry = entries_[key];
    // An entry whose last reference is going is replaced; its destructor then leaves the entry
    // alone.
    if (entry != nullptr && na::sdk::try_ref(*entry)) return entry;
    void* memory = na::sdk::host_table->addr_create(cls_);
    if (memory == nullptr) {
        entries_.erase(key);
        return nullptr;
    }
    // Nothing below throws: the memory could not be given back.
    entry = new (memory) Address(*this, std::move(own), std::move(bytes), self);
    return entry;
}

void AddressTable::forget(Address& address) noexcept {
    MutexLock lock(mutex_);
    const auto found = entries_.find(address.name);
    if (found != entries_.end() && found->second == &address) entries_.erase(found);
}

}  // namespace cinnabar::ofi
