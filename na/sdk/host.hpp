// SPDX-License-Identifier: BSD-3-Clause
// What libna lends to this plugin, as typed C++ calls. One table per shared object, set by the
// entry function before anything else runs.
#pragma once

#include <new>
#include <utility>

#include "na_plugin.h"

namespace cinnabar::na::sdk {

// Set once by plugin_entry(); read by everything below and by the log front of this plugin.
extern const na_host* host_table;

// Ends an operation. Everything na_host.complete says holds: afterwards the operation may be posted
// again or gone, so do not touch it.
template <class Op>
void complete(Op& op, const na_completion& completion) noexcept {
    host_table->complete(&op, &completion);
}

template <class Op>
void complete(Op& op, na_return_t ret, std::size_t size = 0) noexcept {
    const na_completion completion{ret, 0, size, nullptr, nullptr, false};
    host_table->complete(&op, &completion);
}

// A new address of a class with one reference; nullptr when out of memory.
template <class Address, class Class, class... Args>
Address* create_address(Class& cls, Args&&... args) {
    void* memory = host_table->addr_create(&cls);
    return memory == nullptr ? nullptr : new (memory) Address(std::forward<Args>(args)...);
}

template <class Address>
void ref(Address& address) noexcept {
    host_table->addr_ref(&address);
}

// A reference to an address found in a table that does not own it; see na_host.addr_try_ref.
template <class Address>
bool try_ref(Address& address) noexcept {
    return host_table->addr_try_ref(&address);
}

template <class Address>
void unref(Address& address) noexcept {
    host_table->addr_unref(&address);
}

}  // namespace cinnabar::na::sdk
