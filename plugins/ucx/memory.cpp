// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/memory.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "na/base/little_endian.hpp"
#include "na/base/log.hpp"
#include "plugins/ucx/class.hpp"
#include "plugins/ucx/greeting.hpp"

namespace cinnabar::ucx {

namespace {

constexpr std::uint32_t memory_magic = 0x4d424e43;  // "CNBM"
constexpr std::uint32_t memory_version = 2;
constexpr std::size_t fixed_size = 48;
constexpr std::size_t segment_size = 20;
constexpr std::size_t checksum_at = 32;
constexpr std::size_t key_at = 40;

std::atomic<std::uint64_t> next_id{1};

Status malformed() {
    return log_error(NA_PROTOCOL_ERROR, log_name, "not a memory handle of this transport");
}

}  // namespace

Registration::~Registration() {
    for (ucp_mem_h handle : handles)
        (void)ucp_mem_unmap(context, handle);
}

Memory::~Memory() {
    if (remote != nullptr) cls->drop_keys(*remote);
    if (table == nullptr) return;
    table->erase(key);
    region->retire();
}

Status Memory::create(Class&, const na_segment* from, std::size_t count, unsigned long flags_in) {
    flags = static_cast<std::uint32_t>(flags_in);
    region = std::make_shared<Region>(from, count, flags);
    length = region->length();
    return NA_SUCCESS;
}

Status Memory::register_memory(Class& owner, na_mem_type type, std::uint64_t) {
    if (region == nullptr)
        return log_error(NA_INVALID_ARG, log_name, "a remote handle is not registered");
    if (type != NA_MEM_TYPE_HOST)
        return log_error(NA_OPNOTSUPPORTED, log_name, "only host memory can be registered");
    if (table != nullptr) return NA_SUCCESS;
    if (owner.one_sided()) CINNABAR_TRY(register_with_ucx(owner.library()));
    region->revive();
    key = owner.regions().insert(region);
    if (key == 0) return log_error(NA_IO_ERROR, log_name, "no random bytes for a memory key");
    table = &owner.regions();
    return NA_SUCCESS;
}

Status Memory::register_with_ucx(ucp_context_h context) {
    auto made = std::make_shared<Registration>();
    made->context = context;
    made->handles.reserve(region->segments().size());
    for (const Segment& segment : region->segments()) {
        ucp_mem_map_params_t params{};
        params.field_mask = UCP_MEM_MAP_PARAM_FIELD_ADDRESS | UCP_MEM_MAP_PARAM_FIELD_LENGTH;
        params.address = reinterpret_cast<void*>(segment.base);
        params.length = segment.length;
        ucp_mem_h handle = nullptr;
        const ucs_status_t status = ucp_mem_map(made->context, &params, &handle);
        if (status != UCS_OK)
            return log_error(code_of(status), log_name, "{} bytes cannot be registered: {}",
                             segment.length, ucs_status_string(status));
        made->handles.push_back(handle);
    }
    CINNABAR_TRY(pack(made->context, *made));
    registration = std::move(made);
    return NA_SUCCESS;
}

// The keys of many segments are often the same bytes: each is kept, and sent, once.
Status Memory::pack(ucp_context_h context, Registration& made) {
    packed.clear();
    key_of.clear();
    for (ucp_mem_h handle : made.handles) {
        void* bytes = nullptr;
        std::size_t size = 0;
        const ucs_status_t status = ucp_rkey_pack(context, handle, &bytes, &size);
        if (status != UCS_OK)
            return log_error(code_of(status), log_name, "no key for registered memory: {}",
                             ucs_status_string(status));
        std::string packed_key(static_cast<const char*>(bytes), size);
        ucp_rkey_buffer_release(bytes);
        if (size > options::max_rkey_size)
            return log_error(NA_OVERFLOW, log_name, "a key of {} bytes is too long", size);
        if (packed.empty() || packed.back() != packed_key) packed.push_back(std::move(packed_key));
        key_of.push_back(static_cast<std::uint32_t>(packed.size() - 1));
    }
    return NA_SUCCESS;
}

Status Memory::deregister_memory(Class&) {
    if (table == nullptr) return NA_SUCCESS;
    table->erase(key);
    table = nullptr;
    key = 0;
    region->retire();
    registration.reset();
    packed.clear();
    key_of.clear();
    return NA_SUCCESS;
}

std::size_t Memory::serialize_size(Class&) const noexcept {
    std::size_t size = fixed_size + key_of.size() * segment_size;
    for (const std::string& packed_key : packed)
        size += 4 + packed_key.size();
    return size;
}

Status Memory::serialize(Class& owner, void* buf, std::size_t size) const {
    const std::size_t needed = serialize_size(owner);
    if (size < needed) return NA_OVERFLOW;
    if (region == nullptr)
        return log_error(NA_OPNOTSUPPORTED, log_name, "a remote handle cannot be passed on");
    auto* to = static_cast<std::byte*>(buf);
    store_le(to, memory_magic);
    store_le(to + 4, memory_version);
    store_le(to + 8, length);
    store_le(to + 16, flags);
    store_le(to + 20, static_cast<std::uint32_t>(key_of.size()));
    store_le(to + 24, static_cast<std::uint32_t>(packed.size()));
    store_le(to + 28, static_cast<std::uint32_t>(needed));
    store_le(to + checksum_at, std::uint64_t{0});
    store_le(to + key_at, key);
    std::byte* at = to + fixed_size;
    for (std::size_t i = 0; i < key_of.size(); ++i) {
        store_le(at, region->segments()[i].base);
        store_le(at + 8, region->segments()[i].length);
        store_le(at + 16, key_of[i]);
        at += segment_size;
    }
    for (const std::string& packed_key : packed) {
        store_le(at, static_cast<std::uint32_t>(packed_key.size()));
        std::memcpy(at + 4, packed_key.data(), packed_key.size());
        at += 4 + packed_key.size();
    }
    store_le(to + checksum_at, checksum({to, needed}));
    return NA_SUCCESS;
}

Status Memory::deserialize(Class& owner, const void* buf, std::size_t size) {
    if (size < fixed_size) return NA_OVERFLOW;
    const auto* from = static_cast<const std::byte*>(buf);
    if (load_le<std::uint32_t>(from) != memory_magic ||
        load_le<std::uint32_t>(from + 4) != memory_version ||
        (load_le<std::uint32_t>(from + 16) & ~std::uint32_t{NA_MEM_READWRITE}) != 0)
        return malformed();
    const std::size_t total = load_le<std::uint32_t>(from + 28);
    const std::size_t count = load_le<std::uint32_t>(from + 20);
    const std::size_t keys = load_le<std::uint32_t>(from + 24);
    if (total < fixed_size || count > options::max_segments || keys > count) return malformed();
    if (size < total) return NA_OVERFLOW;
    std::vector<std::byte> bytes(from, from + total);
    store_le(bytes.data() + checksum_at, std::uint64_t{0});
    if (checksum(bytes) != load_le<std::uint64_t>(from + checksum_at)) return malformed();
    if ((total - fixed_size) / segment_size < count) return malformed();
    auto made = std::make_shared<Remote>();
    made->id = next_id.fetch_add(1, std::memory_order_relaxed);
    made->key = load_le<std::uint64_t>(from + key_at);
    std::uint64_t covered = 0;
    const std::byte* at = bytes.data() + fixed_size;
    for (std::size_t i = 0; i < count; ++i, at += segment_size) {
        const Segment segment{load_le<std::uint64_t>(at), load_le<std::uint64_t>(at + 8), covered,
                              load_le<std::uint32_t>(at + 16)};
        if (segment.length == 0 || covered + segment.length < covered ||
            segment.base + segment.length < segment.base || segment.key >= keys)
            return malformed();
        covered += segment.length;
        made->segments.push_back(segment);
    }
    length = load_le<std::uint64_t>(from + 8);
    if (count > 0 && covered != length) return malformed();
    const std::byte* end = bytes.data() + total;
    for (std::size_t i = 0; i < keys; ++i) {
        if (end - at < 4) return malformed();
        const std::size_t length_of_key = load_le<std::uint32_t>(at);
        if (length_of_key > options::max_rkey_size ||
            static_cast<std::size_t>(end - at - 4) < length_of_key)
            return malformed();
        made->keys.emplace_back(reinterpret_cast<const char*>(at + 4), length_of_key);
        at += 4 + length_of_key;
    }
    if (at != end) return malformed();
    flags = load_le<std::uint32_t>(from + 16);
    cls = &owner;
    remote = std::move(made);
    return NA_SUCCESS;
}

}  // namespace cinnabar::ucx
