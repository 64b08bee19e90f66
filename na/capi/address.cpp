// SPDX-License-Identifier: BSD-3-Clause
// Addresses. The "class+" prefix of strings is put on and taken off here; plugins never see it.
#include <cstdio>
#include <cstring>
#include <string_view>

#include "na/base/c_call.hpp"
#include "na/core/class.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

namespace {

// Gives the user the reference that the plugin returned in `found`.
na_return_t hand_over(na_return_t ret, void* found, na_addr** addr_p) {
    if (ret != NA_SUCCESS) return ret;
    na_addr* addr = header_of<na_addr>(found);
    addr_lend(addr);
    *addr_p = addr;
    return NA_SUCCESS;
}

bool belongs(const na_class* cls, const na_addr* addr) {
    return cls != nullptr && addr != nullptr && addr->cls == cls;
}

}  // namespace

na_return_t NA_Addr_lookup(na_class_t* na_class, const char* name, na_addr_t** addr_p) {
    return c_call("NA_Addr_lookup", [&]() -> na_return_t {
        if (na_class == nullptr || name == nullptr || addr_p == nullptr) return NA_INVALID_ARG;
        if (forked(na_class)) return NA_FAULT;
        std::string_view text = name;
        const std::size_t separator = text.find("://");
        if (separator == std::string_view::npos || separator == 0)
            return log_error(text.empty() ? NA_INVALID_ARG : NA_PROTONOSUPPORT, "na_addr",
                             "\"{}\" is not an address: expected [class+]protocol://host", name)
                .code();
        if (const std::size_t plus = text.find('+'); plus < separator) {
            if (text.substr(0, plus) != na_class->plugin->class_name)
                return log_error(NA_PROTONOSUPPORT, "na_addr",
                                 "\"{}\" belongs to another class than this net, which is {}+{}",
                                 name, na_class->plugin->class_name, na_class->protocol)
                    .code();
            text.remove_prefix(plus + 1);
        }
        void* found = nullptr;
        const na_return_t ret =
            na_class->plugin->address.lookup(part(na_class), text.data(), &found);
        return hand_over(ret, found, addr_p);
    });
}

void NA_Addr_free(na_class_t* na_class, na_addr_t* addr) {
    if (belongs(na_class, addr) && !forked(na_class)) addr_release(addr);
}

na_return_t NA_Addr_set_remove(na_class_t* na_class, na_addr_t* addr) {
    if (!belongs(na_class, addr)) return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    return na_class->plugin->address.set_remove(part(na_class), part(addr));
}

na_return_t NA_Addr_self(na_class_t* na_class, na_addr_t** addr_p) {
    if (na_class == nullptr || addr_p == nullptr) return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    void* found = nullptr;
    const na_return_t ret = na_class->plugin->address.self(part(na_class), &found);
    return hand_over(ret, found, addr_p);
}

na_return_t NA_Addr_dup(na_class_t* na_class, na_addr_t* addr, na_addr_t** new_addr_p) {
    if (!belongs(na_class, addr) || new_addr_p == nullptr) return NA_INVALID_ARG;
    addr_acquire(addr);
    *new_addr_p = addr;
    return NA_SUCCESS;
}

bool NA_Addr_cmp(na_class_t* na_class, na_addr_t* addr1, na_addr_t* addr2) {
    if (addr1 == addr2) return true;
    if (!belongs(na_class, addr1) || !belongs(na_class, addr2)) return false;
    return na_class->plugin->address.equal(part(na_class), part(addr1), part(addr2));
}

bool NA_Addr_is_self(na_class_t* na_class, na_addr_t* addr) {
    return belongs(na_class, addr) && na_class->plugin->address.is_self(part(na_class), part(addr));
}

na_return_t NA_Addr_to_string(na_class_t* na_class, char* buf, size_t* buf_size, na_addr_t* addr) {
    return c_call("NA_Addr_to_string", [&]() -> na_return_t {
        if (!belongs(na_class, addr) || buf_size == nullptr) return NA_INVALID_ARG;
        char text[512];
        std::size_t size = sizeof text;
        const na_return_t ret =
            na_class->plugin->address.to_string(part(na_class), part(addr), text, &size);
        if (ret != NA_SUCCESS) return ret;
        const std::string& class_name = na_class->plugin->class_name;
        const std::size_t needed = class_name.size() + 1 + std::strlen(text) + 1;
        const std::size_t given = *buf_size;
        *buf_size = needed;
        if (buf == nullptr) return NA_SUCCESS;
        if (given < needed) return NA_OVERFLOW;
        std::snprintf(buf, given, "%s+%s", class_name.c_str(), text);
        return NA_SUCCESS;
    });
}

size_t NA_Addr_get_serialize_size(na_class_t* na_class, na_addr_t* addr) {
    if (!belongs(na_class, addr)) return 0;
    return na_class->plugin->address.serialize_size(part(na_class), part(addr));
}

na_return_t NA_Addr_serialize(na_class_t* na_class, void* buf, size_t buf_size, na_addr_t* addr) {
    if (!belongs(na_class, addr) || buf == nullptr || buf_size == 0) return NA_INVALID_ARG;
    return na_class->plugin->address.serialize(part(na_class), part(addr), buf, buf_size);
}

na_return_t NA_Addr_deserialize(na_class_t* na_class, na_addr_t** addr_p, const void* buf,
                                size_t buf_size, uint64_t) {
    if (na_class == nullptr || addr_p == nullptr || buf == nullptr || buf_size == 0)
        return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    void* found = nullptr;
    const na_return_t ret =
        na_class->plugin->address.deserialize(part(na_class), buf, buf_size, &found);
    return hand_over(ret, found, addr_p);
}
