// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/memory.hpp"

#include <limits>
#include <span>

#include "na/base/little_endian.hpp"
#include "na/base/log.hpp"
#include "na/base/random.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/error_code.hpp"

namespace cinnabar::ofi {

namespace {

constexpr std::uint32_t memory_magic = 0x4d464e43;  // "CNFM"
constexpr std::uint32_t memory_version = 1;

// FNV-1a: a damaged handle would make the library cut the connection, so it is found out before.
std::uint64_t checksum(std::span<const std::byte> bytes) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::byte byte : bytes)
        hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3u;
    return hash;
}

std::uint64_t access_of(std::uint32_t flags) noexcept {
    std::uint64_t access = FI_READ | FI_WRITE;
    if ((flags & NA_MEM_READ_ONLY) != 0) access |= FI_REMOTE_READ;
    if ((flags & NA_MEM_WRITE_ONLY) != 0) access |= FI_REMOTE_WRITE;
    return access;
}

}  // namespace

Result<Fid<fid_mr>> register_bytes(const Fabric& fabric, void* bytes, std::size_t size,
                                   std::uint64_t access, fid_ep* endpoint) {
    for (int tries = 0;; ++tries) {
        const std::uint64_t key = random_u64() & fabric.key_mask();
        fid_mr* made = nullptr;
        const int ret = fi_mr_reg(fabric.domain(), bytes, size, access, 0, key, 0, &made, nullptr);
        if (ret == 0) {
            Fid<fid_mr> registration(made);
            if (!fabric.demands(FI_MR_ENDPOINT)) return registration;
            int bound = endpoint == nullptr ? -FI_EOPBADSTATE : fi_mr_bind(made, &endpoint->fid, 0);
            if (bound == 0) bound = fi_mr_enable(made);
            if (bound == 0) return registration;
            return log_error(code_of_fi(bound), log_name,
                             "{}: {} bytes cannot be registered for context 0: {}",
                             fabric.provider().protocol, size, fi_strerror(-bound));
        }
        // Somebody has this key.
        if (ret == -FI_ENOKEY && tries < 16) continue;
        return log_error(code_of_fi(ret), log_name, "{}: {} bytes cannot be registered: {}",
                         fabric.provider().protocol, size, fi_strerror(-ret));
    }
}

void Region::add(const Extent& extent) {
    extents.push_back(extent);
    starts.push_back(length);
    length += extent.size;
}

Status Memory::create(Class&, const na_segment* segments, std::size_t count, unsigned long flags) {
    region = std::make_shared<Region>();
    local = true;
    region->flags = static_cast<std::uint32_t>(flags);
    for (const na_segment& segment : std::span(segments, count)) {
        if (segment.len == 0) continue;
        const auto address = reinterpret_cast<std::uintptr_t>(segment.base);
        if (!region->extents.empty()) {
            Extent& last = region->extents.back();
            if (last.address + last.size == address) {
                last.size += segment.len;
                region->length += segment.len;
                continue;
            }
        }
        region->add({address, segment.len, 0, nullptr});
    }
    return NA_SUCCESS;
}

Status Memory::register_memory(Class& cls, na_mem_type type, std::uint64_t) {
    if (!local) return log_error(NA_INVALID_ARG, log_name, "a remote handle is not registered");
    if (type != NA_MEM_TYPE_HOST)
        return log_error(NA_OPNOTSUPPORTED, log_name, "only host memory can be registered");
    if (!region->registrations.empty()) return NA_SUCCESS;
    std::vector<Fid<fid_mr>> made;
    made.reserve(region->extents.size());
    for (const Extent& extent : region->extents) {
        auto one = register_bytes(cls.fabric(), reinterpret_cast<void*>(extent.address),
                                  extent.size, access_of(region->flags), cls.memory_endpoint());
        if (!one.ok()) return one.status();
        made.push_back(std::move(one.value()));
    }
    for (std::size_t i = 0; i < made.size(); ++i) {
        region->extents[i].key = fi_mr_key(made[i].get());
        region->extents[i].descriptor = fi_mr_desc(made[i].get());
    }
    region->registrations = std::move(made);
    return NA_SUCCESS;
}

Status Memory::deregister_memory(Class&) {
    region->registrations.clear();
    for (Extent& extent : region->extents)
        extent.descriptor = nullptr;
    return NA_SUCCESS;
}

Status Memory::serialize(const Class& cls, void* buf, std::size_t size) const {
    if (size < serialize_size(cls)) return NA_OVERFLOW;
    auto* to = static_cast<std::byte*>(buf);
    // The library counts from the start of a segment, or by the owner's addresses.
    const bool virtual_addresses = !local || cls.fabric().demands(FI_MR_VIRT_ADDR);
    store_le(to, memory_magic);
    store_le(to + 4, memory_version);
    store_le(to + 8, static_cast<std::uint32_t>(region->extents.size()));
    store_le(to + 12, region->flags);
    store_le(to + 16, region->length);
    std::byte* at = to + header_size;
    for (const Extent& extent : region->extents) {
        store_le(at, virtual_addresses ? extent.address : std::uint64_t{0});
        store_le(at + 8, extent.size);
        store_le(at + 16, extent.key);
        at += extent_size;
    }
    store_le(to + 24, std::uint64_t{0});
    store_le(to + 24, checksum({to, serialize_size(cls)}));
    return NA_SUCCESS;
}

Status Memory::deserialize(const Class&, const void* buf, std::size_t size) {
    if (size < header_size) return NA_OVERFLOW;
    const auto refuse = [](const char* why) {
        return log_error(NA_PROTOCOL_ERROR, log_name, "a serialised memory handle is bad: {}", why);
    };
    const auto* from = static_cast<const std::byte*>(buf);
    const std::size_t count = load_le<std::uint32_t>(from + 8);
    if (load_le<std::uint32_t>(from) != memory_magic ||
        load_le<std::uint32_t>(from + 4) != memory_version || count > options::max_segments)
        return refuse("it is not one of this transport");
    const std::size_t whole = header_size + count * extent_size;
    if (size < whole) return NA_OVERFLOW;
    std::vector<std::byte> copy(from, from + whole);
    store_le(copy.data() + 24, std::uint64_t{0});
    if (checksum(copy) != load_le<std::uint64_t>(from + 24)) return refuse("its checksum is wrong");
    auto made = std::make_shared<Region>();
    made->flags = load_le<std::uint32_t>(from + 12);
    if ((made->flags & ~std::uint32_t{NA_MEM_READWRITE}) != 0) return refuse("unknown flags");
    for (std::size_t i = 0; i < count; ++i) {
        const std::byte* at = from + header_size + i * extent_size;
        const Extent extent{load_le<std::uint64_t>(at), load_le<std::uint64_t>(at + 8),
                            load_le<std::uint64_t>(at + 16), nullptr};
        constexpr auto most = std::numeric_limits<std::uint64_t>::max();
        if (extent.size == 0 || extent.size > most - extent.address ||
            extent.size > most - made->length)
            return refuse("a segment leaves the address space");
        made->add(extent);
    }
    if (made->length != load_le<std::uint64_t>(from + 16)) return refuse("its length is wrong");
    region = std::move(made);
    local = false;
    return NA_SUCCESS;
}

}  // namespace cinnabar::ofi
