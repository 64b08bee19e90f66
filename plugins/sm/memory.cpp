// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/memory.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "plugins/sm/class.hpp"

namespace cinnabar::sm {
namespace {

constexpr std::uint32_t magic = 0x6d656d31;
constexpr std::uint32_t known_flags = NA_MEM_READWRITE;

struct Header {
    std::uint32_t magic;
    std::uint32_t flags;
    std::uint32_t segments;
    std::uint32_t places;  // segments, or 0
    std::uint64_t key;
};

// Calls visit(address, size) for each piece of a range that is known to be inside.
template <class Visit>
void for_each_piece(const std::vector<Segment>& segments, std::uint64_t offset, std::uint64_t size,
                    Visit&& visit) {
    for (const Segment& segment : segments) {
        if (size == 0) return;
        if (offset >= segment.length) {
            offset -= segment.length;
            continue;
        }
        const std::uint64_t piece = std::min(size, segment.length - offset);
        visit(reinterpret_cast<std::byte*>(segment.base + offset), static_cast<std::size_t>(piece));
        size -= piece;
        offset = 0;
    }
}

}  // namespace

Status Memory::create(Class& cls, const na_segment* segments, std::size_t count,
                      unsigned long flags) {
    flags_ = static_cast<std::uint32_t>(flags) & known_flags;
    segments_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        segments_.push_back({reinterpret_cast<std::uintptr_t>(segments[i].base), segments[i].len});
        total_ += segments[i].len;
    }
    return cls.shared_places(segments_, places_);
}

Status Memory::register_memory(Class& cls, na_mem_type type, std::uint64_t) {
    if (type != NA_MEM_TYPE_HOST)
        return log_error(NA_OPNOTSUPPORTED, log_name,
                         "memory of type {} cannot be registered: "
                         "only host memory",
                         static_cast<int>(type));
    if (key_ != 0) return NA_SUCCESS;
    Result<std::uint64_t> key = cls.memories().add(*this);
    if (!key.ok()) return key.status();
    key_ = *key;
    return NA_SUCCESS;
}

Status Memory::deregister_memory(Class& cls) {
    if (key_ != 0) cls.memories().remove(key_);
    key_ = 0;
    return NA_SUCCESS;
}

std::size_t Memory::serialize_size(const Class&) const noexcept {
    return sizeof(Header) + segments_.size() * sizeof(Segment) +
           places_.size() * sizeof(SharedPlace);
}

Status Memory::serialize(const Class& cls, void* buf, std::size_t size) const noexcept {
    if (size < serialize_size(cls)) return NA_OVERFLOW;
    const Header header{magic, flags_, static_cast<std::uint32_t>(segments_.size()),
                        static_cast<std::uint32_t>(places_.size()), key_};
    auto* out = static_cast<std::byte*>(buf);
    std::memcpy(out, &header, sizeof header);
    out += sizeof header;
    if (!segments_.empty()) std::memcpy(out, segments_.data(), segments_.size() * sizeof(Segment));
    out += segments_.size() * sizeof(Segment);
    if (!places_.empty()) std::memcpy(out, places_.data(), places_.size() * sizeof(SharedPlace));
    return NA_SUCCESS;
}

Status Memory::deserialize(Class&, const void* buf, std::size_t size) {
    Header header;
    if (size < sizeof header) return NA_OVERFLOW;
    std::memcpy(&header, buf, sizeof header);
    if (header.magic != magic || header.segments > max_segments ||
        (header.places != 0 && header.places != header.segments) ||
        (header.flags & ~known_flags) != 0)
        return NA_PROTOCOL_ERROR;
    const std::size_t segment_bytes = header.segments * sizeof(Segment);
    const std::size_t place_bytes = header.places * sizeof(SharedPlace);
    if (size - sizeof header < segment_bytes + place_bytes) return NA_OVERFLOW;
    segments_.resize(header.segments);
    places_.resize(header.places);
    const auto* in = static_cast<const std::byte*>(buf) + sizeof header;
    if (segment_bytes != 0) std::memcpy(segments_.data(), in, segment_bytes);
    if (place_bytes != 0) std::memcpy(places_.data(), in + segment_bytes, place_bytes);
    for (const Segment& segment : segments_) {
        if (segment.base + segment.length < segment.base || total_ + segment.length < total_)
            return NA_PROTOCOL_ERROR;
        total_ += segment.length;
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const SharedPlace& place = places_[i];
        if (place.fd >= 0 &&
            (place.offset > place.size || segments_[i].length > place.size - place.offset))
            return NA_PROTOCOL_ERROR;
    }
    flags_ = header.flags;
    key_ = header.key;
    return NA_SUCCESS;
}

void copy_out(const Memory& memory, std::uint64_t offset, void* to, std::size_t size) noexcept {
    auto* out = static_cast<std::byte*>(to);
    for_each_piece(memory.segments(), offset, size, [&](std::byte* at, std::size_t piece) {
        std::memmove(out, at, piece);
        out += piece;
    });
}

void copy_in(const Memory& memory, std::uint64_t offset, const void* from,
             std::size_t size) noexcept {
    const auto* in = static_cast<const std::byte*>(from);
    for_each_piece(memory.segments(), offset, size, [&](std::byte* at, std::size_t piece) {
        std::memmove(at, in, piece);
        in += piece;
    });
}

Result<std::uint64_t> MemoryTable::add(const Memory& memory) {
    MutexLock lock(mutex_);
    for (;;) {
        std::uint64_t key = 0;
        if (::getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key))
            return log_error(code_of_errno(errno), log_name, "getrandom: {}", std::strerror(errno));
        if (key != 0 && entries_.emplace(key, &memory).second) return key;
    }
}

void MemoryTable::remove(std::uint64_t key) noexcept {
    MutexLock lock(mutex_);
    entries_.erase(key);
}

Status MemoryTable::read(std::uint64_t key, std::uint64_t offset, void* to,
                         std::size_t size) noexcept {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return NA_ADDRNOTAVAIL;
    if (!found->second->may_read()) return NA_PERMISSION;
    if (!found->second->contains(offset, size)) return NA_INVALID_ARG;
    copy_out(*found->second, offset, to, size);
    return NA_SUCCESS;
}

Status MemoryTable::write(std::uint64_t key, std::uint64_t offset, const void* from,
                          std::size_t size) noexcept {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return NA_ADDRNOTAVAIL;
    if (!found->second->may_write()) return NA_PERMISSION;
    if (!found->second->contains(offset, size)) return NA_INVALID_ARG;
    copy_in(*found->second, offset, from, size);
    return NA_SUCCESS;
}

}  // namespace cinnabar::sm
