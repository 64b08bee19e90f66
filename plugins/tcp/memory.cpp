// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/tcp/memory.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

#include "na/base/little_endian.hpp"
#include "na/base/log.hpp"
#include "plugins/tcp/class.hpp"

namespace cinnabar::tcp {

namespace {
constexpr std::uint32_t memory_magic = 0x4d424e43;  // "CNBM"
constexpr std::uint32_t memory_version = 1;
}  // namespace

Region::Region(const na_segment* segments, std::size_t count, unsigned long flags) : flags_(flags) {
    segments_.reserve(count);
    starts_.reserve(count);
    for (const na_segment& segment : std::span(segments, count)) {
        if (segment.len == 0) continue;
        segments_.push_back(segment);
        starts_.push_back(length_);
        length_ += segment.len;
    }
}

std::size_t Region::vectors(std::uint64_t offset, std::size_t size, std::span<iovec> to,
                            std::size_t& used) const noexcept {
    used = 0;
    if (size == 0 || starts_.empty()) return 0;
    auto index = static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) -
                                          starts_.begin() - 1);
    std::size_t covered = 0;
    std::uint64_t skip = offset - starts_[index];
    for (; index < segments_.size() && covered < size && used < to.size(); ++index) {
        const std::size_t part = std::min<std::size_t>(segments_[index].len - skip, size - covered);
        to[used++] = {static_cast<std::byte*>(segments_[index].base) + skip, part};
        covered += part;
        skip = 0;
    }
    return covered;
}

void Region::copy_in(std::uint64_t offset, const std::byte* from, std::size_t size) const noexcept {
    std::array<iovec, 16> pieces;
    while (size > 0) {
        std::size_t used = 0;
        const std::size_t covered = vectors(offset, size, pieces, used);
        if (covered == 0) return;
        for (const iovec& piece : std::span(pieces.data(), used)) {
            std::memcpy(piece.iov_base, from, piece.iov_len);
            from += piece.iov_len;
        }
        offset += covered;
        size -= covered;
    }
}

bool Region::pin() noexcept {
    pins_.fetch_add(1, std::memory_order_seq_cst);
    if (!dead_.load(std::memory_order_seq_cst)) return true;
    unpin();
    return false;
}

void Region::retire() noexcept {
    dead_.store(true, std::memory_order_seq_cst);
    while (pins_.load(std::memory_order_seq_cst) != 0)
        std::this_thread::yield();
}

Memory::~Memory() {
    if (table == nullptr) return;
    table->erase(key);
    region->retire();
}

Status Memory::create(Class&, const na_segment* segments, std::size_t count,
                      unsigned long flags_in) {
    region = std::make_shared<Region>(segments, count, flags_in);
    length = region->length();
    flags = static_cast<std::uint32_t>(flags_in);
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
