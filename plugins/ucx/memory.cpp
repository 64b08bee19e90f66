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
constexpr std::uint32_t memory_version = 1;
constexpr std::size_t fixed_size = 40;
constexpr std::size_t segment_size = 20;
constexpr std::size_t checksum_at = 32;

std::atomic<std::uint64_t> next_id{1};

Status malformed() {
    return log_error(NA_PROTOCOL_ERROR, log_name, "not a memory handle of this transport");
}

}  // namespace

std::size_t segment_at(const std::vector<Segment>& segments, std::uint64_t offset) noexcept {
    const auto after =
        std::upper_bound(segments.begin(), segments.end(), offset,
                         [](std::uint64_t at, const Segment& part) { return at < part.start; });
    return static_cast<std::size_t>(after - segments.begin() - 1);
}

Registration::~Registration() {
    for (ucp_mem_h handle : handles)
        (void)ucp_mem_unmap(context, handle);
}

Memory::~Memory() {
    if (remote != nullptr) cls->drop_keys(*remote);
}

Status Memory::create(Class&, const na_segment* from, std::size_t count, unsigned long flags_in) {
    auto made = std::make_shared<std::vector<Segment>>();
    made->reserve(count);
    for (const na_segment& segment : std::span(from, count)) {
        if (segment.len == 0) continue;
        made->push_back({reinterpret_cast<std::uintptr_t>(segment.base), segment.len, length, 0});
        length += segment.len;
    }
    flags = static_cast<std::uint32_t>(flags_in);
    region = std::move(made);
    return NA_SUCCESS;
}

Status Memory::register_memory(Class& owner, na_mem_type type, std::uint64_t) {
    if (region == nullptr)
        return log_error(NA_INVALID_ARG, log_name, "a remote handle is not registered");
    if (type != NA_MEM_TYPE_HOST)
        return log_error(NA_OPNOTSUPPORTED, log_name, "only host memory can be registered");
    if (registration != nullptr) return NA_SUCCESS;
    auto made = std::make_shared<Registration>();
    made->context = owner.library();
    made->handles.reserve(region->size());
    for (const Segment& segment : *region) {
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
        std::string key(static_cast<const char*>(bytes), size);
        ucp_rkey_buffer_release(bytes);
        if (size > options::max_rkey_size)
            return log_error(NA_OVERFLOW, log_name, "a key of {} bytes is too long", size);
        if (packed.empty() || packed.back() != key) packed.push_back(std::move(key));
        key_of.push_back(static_cast<std::uint32_t>(packed.size() - 1));
    }
    return NA_SUCCESS;
}

Status Memory::deregister_memory(Class&) {
    registration.reset();
    packed.clear();
    key_of.clear();
    return NA_SUCCESS;
}

std::size_t Memory::serialize_size(Class&) const noexcept {
    std::size_t size = fixed_size + (region == nullptr ? 0 : region->size()) * segment_size;
    for (const std::string& key : packed)
        size += 4 + key.size();
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
    store_le(to + 20, static_cast<std::uint32_t>(region->size()));
    store_le(to + 24, static_cast<std::uint32_t>(packed.size()));
    store_le(to + 28, static_cast<std::uint32_t>(needed));
    store_le(to + checksum_at, std::uint64_t{0});
    std::byte* at = to + fixed_size;
    for (std::size_t i = 0; i < region->size(); ++i) {
        store_le(at, (*region)[i].base);
        store_le(at + 8, (*region)[i].length);
        store_le(at + 16, i < key_of.size() ? key_of[i] : 0);
        at += segment_size;
    }
    for (const std::string& key : packed) {
        store_le(at, static_cast<std::uint32_t>(key.size()));
        std::memcpy(at + 4, key.data(), key.size());
        at += 4 + key.size();
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
    std::uint64_t covered = 0;
    const std::byte* at = bytes.data() + fixed_size;
    for (std::size_t i = 0; i < count; ++i, at += segment_size) {
        const Segment segment{load_le<std::uint64_t>(at), load_le<std::uint64_t>(at + 8), covered,
                              load_le<std::uint32_t>(at + 16)};
        if (segment.length == 0 || covered + segment.length < covered ||
            segment.base + segment.length < segment.base || (keys > 0 && segment.key >= keys))
            return malformed();
        covered += segment.length;
        made->segments.push_back(segment);
    }
    if (covered != load_le<std::uint64_t>(from + 8)) return malformed();
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
    length = covered;
    flags = load_le<std::uint32_t>(from + 16);
    cls = &owner;
    remote = std::move(made);
    return NA_SUCCESS;
}

}  // namespace cinnabar::ucx
