// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/tcp/memory.hpp"

#include "na/base/little_endian.hpp"
#include "na/base/log.hpp"
#include "plugins/tcp/class.hpp"

namespace cinnabar::tcp {

namespace {
constexpr std::uint32_t memory_magic = 0x4d424e43;  // "CNBM"
constexpr std::uint32_t memory_version = 1;
}  // namespace

Memory::~Memory() {
    if (table == nullptr) return;
    table->erase(key);
    region->retire();
}

Status Memory::create(Class&, const na_segment* segments, std::size_t count,
                      unsigned long flags_in) {
    region = std::make_shared<Region>(segments, count, static_cast<std::uint32_t>(flags_in));
    length = region->length();
    flags = region->flags();
    return NA_SUCCESS;
}

Status Memory::register_memory(Class& cls, na_mem_type type, std::uint64_t) {
    if (region == nullptr)
        return log_error(NA_INVALID_ARG, "na_tcp", "a remote handle is not registered");
    if (type != NA_MEM_TYPE_HOST)
        return log_error(NA_OPNOTSUPPORTED, "na_tcp", "only host memory can be registered");
    if (table != nullptr) return NA_SUCCESS;
    region->revive();
    key = cls.regions().insert(region);
    if (key == 0) return log_error(NA_IO_ERROR, "na_tcp", "no random bytes for a memory key");
    table = &cls.regions();
    return NA_SUCCESS;
}

Status Memory::deregister_memory(Class&) {
    if (table == nullptr) return NA_SUCCESS;
    table->erase(key);
    table = nullptr;
    key = 0;
    region->retire();
    return NA_SUCCESS;
}

Status Memory::serialize(Class&, void* buf, std::size_t size) const {
    if (size < serialized_size) return NA_OVERFLOW;
    auto* to = static_cast<std::byte*>(buf);
    store_le(to, memory_magic);
    store_le(to + 4, memory_version);
    store_le(to + 8, key);
    store_le(to + 16, length);
    store_le(to + 24, flags);
    store_le(to + 28, std::uint32_t{0});
    return NA_SUCCESS;
}

Status Memory::deserialize(Class&, const void* buf, std::size_t size) {
    if (size < serialized_size) return NA_OVERFLOW;
    const auto* from = static_cast<const std::byte*>(buf);
    if (load_le<std::uint32_t>(from) != memory_magic ||
        load_le<std::uint32_t>(from + 4) != memory_version ||
        (load_le<std::uint32_t>(from + 24) & ~std::uint32_t{NA_MEM_READWRITE}) != 0)
        return log_error(NA_PROTOCOL_ERROR, "na_tcp", "not a memory handle of this transport");
    key = load_le<std::uint64_t>(from + 8);
    length = load_le<std::uint64_t>(from + 16);
    flags = load_le<std::uint32_t>(from + 24);
    return NA_SUCCESS;
}

}  // namespace cinnabar::tcp
