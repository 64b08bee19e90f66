// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/address.hpp"

namespace cinnabar::ucx {

Address::~Address() {
    table->forget(*this);
}

Address* AddressTable::find(const std::string& name) {
    MutexLock lock(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end() || !na::sdk::try_ref(*found->second)) return nullptr;
    return found->second;
}

Address* AddressTable::intern(std::string_view name, const na::sdk::IpAddress& ip,
                              std::uint16_t port) {
    std::string key(name);
    std::string own(name);
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
    entry = new (memory) Address(*this, std::move(own), ip, port, self);
    return entry;
}

void AddressTable::forget(Address& address) noexcept {
    MutexLock lock(mutex_);
    const auto found = entries_.find(address.name);
    if (found != entries_.end() && found->second == &address) entries_.erase(found);
}

}  // namespace cinnabar::ucx
