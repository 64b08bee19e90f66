// SPDX-License-Identifier: BSD-3-Clause
// Addresses and memory handles of a routed net, as strings and bytes. Bytes from peers are checked
// here for what is ours, and by the nets for what is theirs.
#include <cstring>
#include <string>
#include <string_view>

#include "hg/core/route_parts.hpp"
#include "hg/net/status.hpp"
#include "na/base/little_endian.hpp"

namespace cinnabar::hg::route {
namespace {

constexpr std::string_view scheme = "uid://";

Class& class_of(void* block) noexcept {
    return *static_cast<Class*>(block);
}

Address& address_of(void* block) noexcept {
    return *static_cast<Address*>(block);
}

// An address of one part, which it takes over.
na_return_t make_address(Class& cls, int net, na_addr_t* part, void** made) {
    auto* addr = static_cast<Address*>(host().addr_create(&cls));
    if (addr == nullptr) {
        NA_Addr_free(cls.net[net], part);
        return NA_NOMEM;
    }
    addr->cls = &cls;
    addr->part[net] = part;
    *made = addr;
    return NA_SUCCESS;
}

na_return_t lookup_in(Class& cls, int net, const std::string& name, void** made) {
    na_addr_t* part = nullptr;
    if (const na_return_t ret = NA_Addr_lookup(cls.net[net], name.c_str(), &part);
        ret != NA_SUCCESS)
        return ret;
    return make_address(cls, net, part, made);
}

na_return_t malformed(const char* name) {
    return static_cast<na_return_t>(
        fail(HG_PROTONOSUPPORT, "hg_addr",
             "\"{}\" is not an address: expected uid://<host id>#<address>#<address>", name));
}

na_return_t lookup_composite(Class& cls, const char* name, void** made) {
    const std::string_view text = std::string_view(name).substr(scheme.size());
    const std::size_t first = text.find('#');
    const std::size_t second = first == std::string_view::npos ? first : text.find('#', first + 1);
    if (second == std::string_view::npos || first == 0 || second == first + 1 ||
        second + 1 == text.size())
        return malformed(name);
    const bool here = text.substr(0, first) == cls.host_id;
    return here ? lookup_in(cls, 1, std::string(text.substr(first + 1, second - first - 1)), made)
                : lookup_in(cls, 0, std::string(text.substr(second + 1)), made);
}

// Whether a string of one net is one of the second.
bool names_second(const Class& cls, std::string_view name) {
    const std::string protocol = std::string(NA_Get_class_protocol(cls.net[1])) + "://";
    const std::string full = std::string(NA_Get_class_name(cls.net[1])) + "+" + protocol;
    return name.starts_with(protocol) || name.starts_with(full);
}

na_return_t lookup(void* block, const char* name, void** made) {
    try {
        if (std::string_view(name).starts_with(scheme))
            return lookup_composite(class_of(block), name, made);
        return lookup_in(class_of(block), names_second(class_of(block), name) ? 1 : 0, name, made);
    } catch (...) {
        return NA_NOMEM;
    }
}

na_return_t self(void* block, void** made) {
    Class& cls = class_of(block);
    na_addr_t* part = nullptr;
    if (const na_return_t ret = NA_Addr_self(cls.net[0], &part); ret != NA_SUCCESS) return ret;
    if (const na_return_t ret = make_address(cls, 0, part, made); ret != NA_SUCCESS) return ret;
    const na_return_t ret = NA_Addr_self(cls.net[1], &address_of(*made).part[1]);
    if (ret != NA_SUCCESS) host().addr_unref(*made);
    return ret;
}

void destroy(void*, void* block) {
    Address& addr = address_of(block);
    for (int net = 0; net < net_count; ++net)
        if (addr.part[net] != nullptr) NA_Addr_free(addr.cls->net[net], addr.part[net]);
}

na_return_t set_remove(void*, void* block) {
    const Address& addr = address_of(block);
    for (int net = 0; net < net_count; ++net)
        if (addr.part[net] != nullptr)
            if (const na_return_t ret = NA_Addr_set_remove(addr.cls->net[net], addr.part[net]);
                ret != NA_SUCCESS)
                return ret;
    return NA_SUCCESS;
}

bool equal(void*, void* block1, void* block2) {
    const Address& a = address_of(block1);
    const Address& b = address_of(block2);
    for (int net = net_count - 1; net >= 0; --net)
        if (a.part[net] != nullptr && b.part[net] != nullptr)
            return NA_Addr_cmp(a.cls->net[net], a.part[net], b.part[net]);
    return false;
}

bool is_self(void*, void* block) {
    const Address& addr = address_of(block);
    const int net = net_of(addr);
    return NA_Addr_is_self(addr.cls->net[net], addr.part[net]);
}

std::string string_in(const Address& addr, int net) {
    std::size_t size = 0;
    if (NA_Addr_to_string(addr.cls->net[net], nullptr, &size, addr.part[net]) != NA_SUCCESS)
        return {};
    std::string text(size, '\0');
    if (NA_Addr_to_string(addr.cls->net[net], text.data(), &size, addr.part[net]) != NA_SUCCESS)
        return {};
    text.resize(size - 1);
    return text;
}

na_return_t to_string(void*, void* block, char* buf, std::size_t* size) {
    try {
        const Address& addr = address_of(block);
        const bool composite = addr.part[0] != nullptr && addr.part[1] != nullptr;
        const std::string text = composite ? std::string(scheme) + addr.cls->host_id + "#" +
                                                 string_in(addr, 1) + "#" + string_in(addr, 0)
                                           : string_in(addr, net_of(addr));
        const std::size_t room = std::exchange(*size, text.size() + 1);
        if (buf == nullptr) return NA_SUCCESS;
        if (room < *size) return NA_OVERFLOW;
        std::memcpy(buf, text.c_str(), *size);
        return NA_SUCCESS;
    } catch (...) {
        return NA_NOMEM;
    }
}

// Bytes: u8 length of the host id, the host id; then u32 size and bytes of each part.
std::size_t serialize_size(void*, void* block) {
    const Address& addr = address_of(block);
    std::size_t size = 1 + addr.cls->host_id.size();
    for (int net = 0; net < net_count; ++net) {
        size += 4;
        if (addr.part[net] != nullptr)
            size += NA_Addr_get_serialize_size(addr.cls->net[net], addr.part[net]);
    }
    return size;
}

na_return_t serialize(void* cls, void* block, void* buf, std::size_t size) {
    const Address& addr = address_of(block);
    if (size < serialize_size(cls, block)) return NA_OVERFLOW;
    auto* to = static_cast<char*>(buf);
    *to++ = static_cast<char>(addr.cls->host_id.size());
    std::memcpy(to, addr.cls->host_id.data(), addr.cls->host_id.size());
    to += addr.cls->host_id.size();
    for (int net = 0; net < net_count; ++net) {
        const std::size_t length =
            addr.part[net] == nullptr
                ? 0
                : NA_Addr_get_serialize_size(addr.cls->net[net], addr.part[net]);
        store_le(to, static_cast<std::uint32_t>(length));
        to += 4;
        if (length == 0) continue;
        if (const na_return_t ret =
                NA_Addr_serialize(addr.cls->net[net], to, length, addr.part[net]);
            ret != NA_SUCCESS)
            return ret;
        to += length;
    }
    return NA_SUCCESS;
}

// The bytes of one part; false if they are cut short.
bool take_part(std::string_view& rest, std::string_view& part) noexcept {
    if (rest.size() < 4) return false;
    const auto length = load_le<std::uint32_t>(rest.data());
    if (length > rest.size() - 4) return false;
    part = rest.substr(4, length);
    rest.remove_prefix(4 + length);
    return true;
}

na_return_t deserialize(void* block, const void* buf, std::size_t size, void** made) {
    Class& cls = class_of(block);
    std::string_view rest(static_cast<const char*>(buf), size);
    if (rest.empty()) return NA_OVERFLOW;
    const std::size_t length = static_cast<unsigned char>(rest[0]);
    if (rest.size() < 1 + length) return NA_OVERFLOW;
    const bool here = rest.substr(1, length) == cls.host_id;
    rest.remove_prefix(1 + length);
    std::string_view parts[net_count];
    for (std::string_view& part : parts)
        if (!take_part(rest, part)) return NA_OVERFLOW;
    const int net = (here && !parts[1].empty()) || parts[0].empty() ? 1 : 0;
    na_addr_t* part = nullptr;
    if (parts[net].empty() || (net == 1 && !here)) return NA_PROTOCOL_ERROR;
    if (const na_return_t ret =
            NA_Addr_deserialize(cls.net[net], &part, parts[net].data(), parts[net].size(), 0);
        ret != NA_SUCCESS)
        return ret;
    return make_address(cls, net, part, made);
}

Memory& memory_of(void* block) noexcept {
    return *static_cast<Memory*>(block);
}

void destroy_memory(void* cls, void* block) {
    for (int net = 0; net < net_count; ++net)
        if (na_mem_handle_t* part = std::exchange(memory_of(block).part[net], nullptr))
            NA_Mem_handle_free(class_of(cls).net[net], part);
}

na_return_t create_memory(void* cls, void* block, const na_segment* segments, std::size_t count,
                          unsigned long flags) {
    for (int net = 0; net < net_count; ++net) {
        const na_return_t ret =
            NA_Mem_handle_create_segments(class_of(cls).net[net], const_cast<na_segment*>(segments),
                                          count, flags, &memory_of(block).part[net]);
        if (ret == NA_SUCCESS) continue;
        destroy_memory(cls, block);
        return ret;
    }
    return NA_SUCCESS;
}

na_return_t deregister_memory(void* cls, void* block) {
    na_return_t result = NA_SUCCESS;
    for (int net = 0; net < net_count; ++net)
        if (const na_return_t ret =
                NA_Mem_deregister(class_of(cls).net[net], memory_of(block).part[net]);
            ret != NA_SUCCESS)
            result = ret;
    return result;
}

na_return_t register_memory(void* cls, void* block, na_mem_type type, std::uint64_t device) {
    for (int net = 0; net < net_count; ++net) {
        const na_return_t ret =
            NA_Mem_register(class_of(cls).net[net], memory_of(block).part[net], type, device);
        if (ret == NA_SUCCESS) continue;
        if (net > 0) (void)NA_Mem_deregister(class_of(cls).net[0], memory_of(block).part[0]);
        return ret;
    }
    return NA_SUCCESS;
}

// Bytes: a magic, which no net begins its own with; then u32 size and bytes of each part.
constexpr std::uint32_t memory_magic = 0x326d6372;  // "rcm2"

std::size_t memory_size(void* cls, void* block) {
    std::size_t size = 4;
    for (int net = 0; net < net_count; ++net)
        size += 4 + NA_Mem_handle_get_serialize_size(class_of(cls).net[net],
                                                     memory_of(block).part[net]);
    return size;
}

na_return_t write_memory(void* cls, void* block, void* buf, std::size_t size) {
    if (size < memory_size(cls, block)) return NA_OVERFLOW;
    auto* to = static_cast<char*>(buf);
    store_le(to, memory_magic);
    to += 4;
    for (int net = 0; net < net_count; ++net) {
        na_class_t* below = class_of(cls).net[net];
        na_mem_handle_t* part = memory_of(block).part[net];
        const std::size_t length = NA_Mem_handle_get_serialize_size(below, part);
        store_le(to, static_cast<std::uint32_t>(length));
        to += 4;
        if (length == 0) continue;
        if (const na_return_t ret = NA_Mem_handle_serialize(below, to, length, part);
            ret != NA_SUCCESS)
            return ret;
        to += length;
    }
    return NA_SUCCESS;
}

na_return_t read_memory(void* cls, void* block, const void* buf, std::size_t size) {
    std::string_view rest(static_cast<const char*>(buf), size);
    Memory& memory = memory_of(block);
    // From a peer that opened the first net alone.
    if (size < 4 || load_le<std::uint32_t>(buf) != memory_magic)
        return NA_Mem_handle_deserialize(class_of(cls).net[0], &memory.part[0], buf, size);
    rest.remove_prefix(4);
    for (int net = 0; net < net_count; ++net) {
        std::string_view part;
        if (!take_part(rest, part)) {
            destroy_memory(cls, block);
            return NA_OVERFLOW;
        }
        if (part.empty()) continue;
        const na_return_t ret = NA_Mem_handle_deserialize(class_of(cls).net[net], &memory.part[net],
                                                          part.data(), part.size());
        if (ret == NA_SUCCESS) continue;
        destroy_memory(cls, block);
        return ret;
    }
    return NA_SUCCESS;
}

// Memory of the second net, which its peers can map; the first takes any.
void* alloc_memory(void* cls, std::size_t size) {
    return NA_Mem_alloc(class_of(cls).net[1], size);
}

void free_memory(void* cls, void* buf, std::size_t size) {
    NA_Mem_free(class_of(cls).net[1], buf, size);
}

}  // namespace

const na_plugin_address_ops address_ops = {sizeof(na_plugin_address_ops),
                                           lookup,
                                           self,
                                           destroy,
                                           set_remove,
                                           equal,
                                           is_self,
                                           to_string,
                                           serialize_size,
                                           serialize,
                                           deserialize};

const na_plugin_memory_ops memory_ops = {sizeof(na_plugin_memory_ops),
                                         alloc_memory,
                                         free_memory,
                                         create_memory,
                                         destroy_memory,
                                         register_memory,
                                         deregister_memory,
                                         memory_size,
                                         write_memory,
                                         read_memory};

}  // namespace cinnabar::hg::route
