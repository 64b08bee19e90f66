// SPDX-License-Identifier: BSD-3-Clause
#include "bulk/descriptor.hpp"

#include <cstring>
#include <memory>

#include "hg/net/status.hpp"
#include "na/base/little_endian.hpp"

namespace cinnabar::bulk {
namespace {

using hg::fail;
using hg::from_na;

constexpr std::uint16_t magic = 0x4243;  // "CB"
constexpr std::uint8_t version = 1;
constexpr std::size_t header_size = 24;
constexpr std::size_t piece_header_size = 12;  // u64 length, u32 bytes of the net's handle

enum Flags : std::uint8_t {
    readable = HG_BULK_READ_ONLY,
    writable = HG_BULK_WRITE_ONLY,
    with_data = 4,
    bound = 8,
    known_flags = 15,
};

std::size_t bound_size(const hg_bulk& region) {
    return region.bound == nullptr ? 0
                                   : NA_Addr_get_serialize_size(region.cls->na, region.bound->na);
}

std::size_t handle_size(const hg_bulk& region, std::size_t index) {
    return NA_Mem_handle_get_serialize_size(region.cls->na, region.handles[index]);
}

// Reads forward through untrusted bytes.
class Reader {
public:
    Reader(const void* from, std::size_t size)
        : next_(static_cast<const char*>(from)), left_(size) {}
    const char* take(std::size_t size) noexcept {
        if (size > left_) return nullptr;
        const char* here = next_;
        next_ += size;
        left_ -= size;
        return here;
    }
    const char* position() const noexcept { return next_; }
    std::size_t left() const noexcept { return left_; }

private:
    const char* next_;
    std::size_t left_;
};

struct Header {
    std::uint8_t flags;
    std::uint32_t segment_count;
    std::uint64_t length;
    std::uint32_t piece_count;
    std::uint32_t bound_size;
};

hg_return_t read_header(Reader& reader, Header& header) {
    const char* p = reader.take(header_size);
    if (p == nullptr) return HG_OVERFLOW;
    if (load_le<std::uint16_t>(p) != magic || static_cast<std::uint8_t>(p[2]) != version)
        return HG_PROTOCOL_ERROR;
    header.flags = static_cast<std::uint8_t>(p[3]);
    header.segment_count = load_le<std::uint32_t>(p + 4);
    header.length = load_le<std::uint64_t>(p + 8);
    header.piece_count = load_le<std::uint32_t>(p + 16);
    header.bound_size = load_le<std::uint32_t>(p + 20);
    if ((header.flags & ~known_flags) != 0 || (header.flags & (readable | writable)) == 0 ||
        header.segment_count == 0 || ((header.flags & bound) != 0) != (header.bound_size != 0))
        return HG_PROTOCOL_ERROR;
    // Only what may be read comes along, and only if there is any.
    if ((header.flags & with_data) != 0 && ((header.flags & readable) == 0 || header.length == 0))
        return HG_PROTOCOL_ERROR;
    if (header.piece_count > reader.left() / piece_header_size) return HG_OVERFLOW;
    if (header.piece_count > header.segment_count) return HG_PROTOCOL_ERROR;
    return HG_SUCCESS;
}

hg_return_t read_pieces(Reader& reader, const Header& header, hg_bulk& region) {
    std::uint64_t total = 0;
    region.handles.reserve(header.piece_count);
    region.lengths.reserve(header.piece_count);
    for (std::uint32_t i = 0; i < header.piece_count; ++i) {
        const char* p = reader.take(piece_header_size);
        if (p == nullptr) return HG_OVERFLOW;
        const auto length = load_le<std::uint64_t>(p);
        const auto size = load_le<std::uint32_t>(p + 8);
        const char* bytes = reader.take(size);
        if (bytes == nullptr) return HG_OVERFLOW;
        if (size == 0 || __builtin_add_overflow(total, length, &total)) return HG_PROTOCOL_ERROR;
        na_mem_handle_t* handle = nullptr;
        if (const na_return_t ret = NA_Mem_handle_deserialize(region.cls->na, &handle, bytes, size);
            ret != NA_SUCCESS)
            return from_na(ret);
        region.handles.push_back(handle);
        region.lengths.push_back(length);
    }
    return total == header.length ? HG_SUCCESS : HG_PROTOCOL_ERROR;
}

hg_return_t read_bound_address(Reader& reader, const Header& header, hg_bulk& region) {
    if (header.bound_size == 0) return HG_SUCCESS;
    const char* id = reader.take(1);
    const char* bytes = reader.take(header.bound_size);
    if (id == nullptr || bytes == nullptr) return HG_OVERFLOW;
    na_addr_t* addr = nullptr;
    na_class_t* na = region.cls->na;
    if (const na_return_t ret = NA_Addr_deserialize(na, &addr, bytes, header.bound_size, 0);
        ret != NA_SUCCESS)
        return from_na(ret);
    region.bound = hg::new_address(*region.cls, addr, NA_Addr_is_self(na, addr));
    region.bound_context = static_cast<std::uint8_t>(*id);
    return HG_SUCCESS;
}

hg_return_t read_data(Reader& reader, const Header& header, hg_bulk& region) {
    if ((header.flags & with_data) == 0) return HG_SUCCESS;
    const char* data = reader.take(header.length);
    if (data == nullptr) return HG_OVERFLOW;
    region.eager.assign(data, data + header.length);
    region.segments.push_back({region.eager.data(), region.eager.size()});
    return HG_SUCCESS;
}

}  // namespace

bool can_be_eager(const hg_bulk& region) noexcept {
    return !region.remote && region.length > 0 && (region.permissions & HG_BULK_READ_ONLY) != 0 &&
           region.attr.mem_type == HG_MEM_TYPE_HOST;
}

std::size_t descriptor_size(const hg_bulk& region, bool eager) {
    if (region.remote) return region.descriptor.size();
    std::size_t size = header_size;
    for (std::size_t i = 0; i < region.handles.size(); ++i)
        size += piece_header_size + handle_size(region, i);
    if (region.bound != nullptr) size += 1 + bound_size(region);
    if (eager && can_be_eager(region)) size += region.length;
    return size;
}

hg_return_t write_descriptor(const hg_bulk& region, bool eager, void* to, std::size_t size) {
    if (size < descriptor_size(region, eager)) return HG_OVERFLOW;
    if (region.remote) {
        std::memcpy(to, region.descriptor.data(), region.descriptor.size());
        return HG_SUCCESS;
    }
    const bool data = eager && can_be_eager(region);
    const std::size_t address = bound_size(region);
    auto* p = static_cast<char*>(to);
    store_le(p, magic);
    p[2] = static_cast<char>(version);
    p[3] = static_cast<char>(region.permissions | (data ? with_data : 0) |
                             (region.bound != nullptr ? bound : 0));
    store_le(p + 4, region.segment_count);
    store_le(p + 8, region.length);
    store_le(p + 16, static_cast<std::uint32_t>(region.handles.size()));
    store_le(p + 20, static_cast<std::uint32_t>(address));
    p += header_size;
    for (std::size_t i = 0; i < region.handles.size(); ++i) {
        const std::size_t bytes = handle_size(region, i);
        store_le(p, region.lengths[i]);
        store_le(p + 8, static_cast<std::uint32_t>(bytes));
        if (const na_return_t ret = NA_Mem_handle_serialize(region.cls->na, p + piece_header_size,
                                                            bytes, region.handles[i]);
            ret != NA_SUCCESS)
            return from_na(ret);
        p += piece_header_size + bytes;
    }
    if (region.bound != nullptr) {
        *p++ = static_cast<char>(region.bound_context);
        if (const na_return_t ret = NA_Addr_serialize(region.cls->na, p, address, region.bound->na);
            ret != NA_SUCCESS)
            return from_na(ret);
        p += address;
    }
    if (data)
        for (const na_segment& segment : region.segments) {
            if (segment.len > 0) std::memcpy(p, segment.base, segment.len);
            p += segment.len;
        }
    return HG_SUCCESS;
}

hg_return_t read_descriptor(hg_class& cls, const void* from, std::size_t size, hg_bulk** read) {
    struct Unref {
        void operator()(hg_bulk* region) const noexcept { unref_region(region); }
    };
    std::unique_ptr<hg_bulk, Unref> region(new hg_bulk);
    region->cls = &cls;
    region->remote = true;
    cls.bulks.fetch_add(1, std::memory_order_relaxed);
    Reader reader(from, size);
    Header header{};
    hg_return_t ret = read_header(reader, header);
    if (ret == HG_SUCCESS) ret = read_pieces(reader, header, *region);
    if (ret == HG_SUCCESS) ret = read_bound_address(reader, header, *region);
    const auto used = static_cast<std::size_t>(reader.position() - static_cast<const char*>(from));
    if (ret == HG_SUCCESS) ret = read_data(reader, header, *region);
    if (ret != HG_SUCCESS)
        return fail(ret, "hg_bulk", "a descriptor of {} bytes is refused: {}", size,
                    HG_Error_to_string(ret));
    region->length = header.length;
    region->segment_count = header.segment_count;
    region->permissions = header.flags & HG_BULK_READWRITE;
    const auto* bytes = static_cast<const char*>(from);
    region->descriptor.assign(bytes, bytes + used);
    // Passed on, it comes without the data.
    region->descriptor[3] = static_cast<char>(header.flags & ~with_data);
    *read = region.release();
    return HG_SUCCESS;
}

}  // namespace cinnabar::bulk
