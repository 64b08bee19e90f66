// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/framed/memory.hpp"

#include "na/base/little_endian.hpp"
#include "na/base/log.hpp"
#include "na/sdk/framed/class.hpp"

namespace cinnabar::na::sdk::framed {

namespace {
constexpr std::uint32_t mark = 0x4d524601;
}

Memory::~Memory() {
    if (table == nullptr) return;
    table->erase(key);
    region->retire();
}

Status Memory::create(Class&, const na_segment* segments, std::size_t count,
                      unsigned long allowed) {
    flags = static_cast<std::uint32_t>(allowed);
    region = std::make_shared<Region>(segments, count, flags);
    length = region->length();
    return {};
}

Status Memory::register_memory(Class& cls, na_mem_type type, std::uint64_t) {
    if (region == nullptr)
        return log_error(NA_INVALID_ARG, cls.subsystem(), "a remote handle is not registered");
    if (type != NA_MEM_TYPE_HOST)
        return log_error(NA_OPNOTSUPPORTED, cls.subsystem(), "only host memory can be registered");
    if (table != nullptr) return {};
    region->revive();
    key = cls.regions().insert(region);
    if (key == 0)
        return log_error(NA_IO_ERROR, cls.subsystem(), "no random bytes for a memory key");
    table = &cls.regions();
    return {};
}

Status Memory::deregister_memory(Class&) {
    if (table == nullptr) return {};
    table->erase(key);
    table = nullptr;
    region->retire();
    return {};
}

Status Memory::serialize(Class&, void* buf, std::size_t size) const {
    if (size < serialized_size) return NA_OVERFLOW;
    auto* to = static_cast<std::byte*>(buf);
    store_le(to, mark);
    store_le(to + 4, flags);
    store_le(to + 8, key);
    store_le(to + 16, length);
    return {};
}

Status Memory::deserialize(Class& cls, const void* buf, std::size_t size) {
    if (size < serialized_size) return NA_OVERFLOW;
    const auto* from = static_cast<const std::byte*>(buf);
    flags = load_le<std::uint32_t>(from + 4);
    if (load_le<std::uint32_t>(from) != mark || (flags & ~std::uint32_t{NA_MEM_READWRITE}) != 0)
        return log_error(NA_PROTOCOL_ERROR, cls.subsystem(), "not a memory handle of this kind");
    key = load_le<std::uint64_t>(from + 8);
    length = load_le<std::uint64_t>(from + 16);
    return {};
}

}  // namespace cinnabar::na::sdk::framed
