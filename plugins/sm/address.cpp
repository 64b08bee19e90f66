// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/address.hpp"

#include "na/base/log.hpp"
#include "na/sdk/host.hpp"
#include "plugins/sm/handshake.hpp"
#include "plugins/sm/options.hpp"

namespace cinnabar::sm {
namespace {

constexpr std::string_view scheme = "sm://";

}  // namespace

Address::~Address() {
    table_.forget(*this);
}

Address* AddressTable::intern(Class& cls, std::string_view name, bool self) {
    std::string key(name);
    std::string own(name);
    MutexLock lock(mutex_);
    Address*& entry = entries_[key];
    // An entry whose last reference is going is replaced; its destructor then leaves the new one
    // alone.
    if (entry != nullptr && na::sdk::try_ref(*entry)) return entry;
    entry = na::sdk::create_address<Address>(cls, *this, std::move(own), self);
    if (entry == nullptr) {
        entries_.erase(key);
        return nullptr;
    }
    return entry;
}

void AddressTable::forget(Address& address) noexcept {
    MutexLock lock(mutex_);
    const auto found = entries_.find(address.name());
    if (found != entries_.end() && found->second == &address) entries_.erase(found);
}

Result<std::string> parse_address(std::string_view text) {
    const std::size_t separator = text.find("://");
    if (separator != std::string_view::npos && separator > 0 &&
        text.substr(0, scheme.size()) != scheme)
        return log_error(NA_PROTONOSUPPORT, log_name, "\"{}\" is of another protocol than sm",
                         text);
    if (text.substr(0, scheme.size()) != scheme || !valid_name(text.substr(scheme.size())))
        return log_error(NA_INVALID_ARG, log_name, "\"{}\" is not an address: expected sm://name",
                         text);
    return std::string(text.substr(scheme.size()));
}

std::string print_address(std::string_view name) {
    return std::string(scheme).append(name);
}

}  // namespace cinnabar::sm
