// SPDX-License-Identifier: BSD-3-Clause
#include "hg/proc/proc.hpp"

#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "na/base/log.hpp"

// What a proc with a checksum keeps beyond its public members. The digest is a prefix of 64 bits of
// xxHash.
struct hg_proc_checksum {
    std::uint64_t seed;
    std::uint64_t digest;
};

namespace cinnabar::hg {
namespace {

hg_return_t fail(na_return_t code) noexcept {
    return static_cast<hg_return_t>(code);
}

std::size_t page_size() noexcept {
    static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return size;
}

// Bytes of the digest that stands for a hash of the API, or -1 when there is no such hash.
int digest_size(hg_proc_hash_t hash) noexcept {
    switch (hash) {
        case HG_CRC16:
            return 2;
        case HG_CRC32:
            return 4;
        case HG_CRC64:
            return 8;
        case HG_NOHASH:
            return 0;
    }
    return -1;
}

void drop_extra(hg_proc& proc) noexcept {
    if (proc.extra_buf.is_mine) std::free(proc.extra_buf.buf);
    proc.extra_buf = hg_proc_buf{};
}

}  // namespace

hg_return_t proc_init(hg_proc& proc, hg_class_t* hg_class, hg_proc_hash_t hash) noexcept {
    proc = hg_proc{};
    proc.hg_class = hg_class;
    proc.current_buf = &proc.proc_buf;

    const int size = digest_size(hash);
    if (size < 0)
        return fail(
            log_error(NA_INVALID_ARG, "hg_proc", "hash {} does not exist", static_cast<int>(hash))
                .code());
    if (size == 0) return HG_SUCCESS;

    proc.checksum = new (std::nothrow) hg_proc_checksum{};
    if (proc.checksum == nullptr)
        return fail(log_error(NA_NOMEM, "hg_proc", "no memory for a checksum").code());
    proc.checksum_hash = &proc.checksum->digest;
    proc.checksum_size = static_cast<std::size_t>(size);
    return HG_SUCCESS;
}

void proc_release(hg_proc& proc) noexcept {
    drop_extra(proc);
    delete proc.checksum;
    proc.checksum = nullptr;
    proc.checksum_hash = nullptr;
    proc.checksum_size = 0;
    proc.proc_buf = hg_proc_buf{};
    proc.current_buf = &proc.proc_buf;
}

void proc_clear(hg_proc& proc) noexcept {
    if (proc.extra_buf.buf != nullptr) drop_extra(proc);
    if (proc.checksum != nullptr) *proc.checksum = hg_proc_checksum{};
}

hg_return_t proc_set_size(hg_proc& proc, hg_size_t size) noexcept {
    hg_proc_buf& old = *proc.current_buf;
    if (size <= old.size) return HG_SUCCESS;
    if (proc.op == HG_FREE) return HG_INVALID_ARG;
    if (proc.op == HG_DECODE)
        return fail(log_error(NA_OVERFLOW, "hg_proc", "decoding needs {} bytes of a buffer of {}",
                              size, old.size)
                        .code());

    const hg_size_t page = page_size();
    if (size > static_cast<hg_size_t>(PTRDIFF_MAX) - page)
        return fail(
            log_error(NA_NOMEM, "hg_proc", "{} bytes are more than memory can hold", size).code());
    const hg_size_t doubled = std::min(2 * old.size, static_cast<hg_size_t>(PTRDIFF_MAX) - page);
    const hg_size_t rounded = (std::max(size, doubled) + page - 1) / page * page;
    void* memory = std::aligned_alloc(page, rounded);
    if (memory == nullptr)
        return fail(
            log_error(NA_NOMEM, "hg_proc", "no memory for an extra buffer of {} bytes", rounded)
                .code());

    const hg_size_t used = old.size - old.size_left;
    if (used > 0) std::memcpy(memory, old.buf, used);
    drop_extra(proc);
    proc.extra_buf.buf = memory;
    proc.extra_buf.buf_ptr = static_cast<char*>(memory) + used;
    proc.extra_buf.size = rounded;
    proc.extra_buf.size_left = rounded - used;
    proc.extra_buf.is_mine = 1;
    proc.current_buf = &proc.extra_buf;
    return HG_SUCCESS;
}

hg_return_t proc_make_room(hg_proc& proc, hg_size_t size) noexcept {
    const hg_proc_buf& buffer = *proc.current_buf;
    const hg_size_t used = buffer.size - buffer.size_left;
    return proc_set_size(proc, size > HG_SIZE_MAX - used ? HG_SIZE_MAX : used + size);
}

void* proc_save(hg_proc& proc, hg_size_t size) noexcept {
    if (proc.op == HG_FREE) return nullptr;
    if (proc.current_buf->size_left < size && proc_make_room(proc, size) != HG_SUCCESS)
        return nullptr;
    void* start = proc.current_buf->buf_ptr;
    proc.current_buf->buf_ptr = static_cast<char*>(start) + size;
    proc.current_buf->size_left -= size;
    return start;
}

hg_return_t proc_give_extra(hg_proc& proc, bool to_caller) noexcept {
    if (proc.extra_buf.buf == nullptr) return HG_INVALID_ARG;
    proc.extra_buf.is_mine = to_caller ? 0 : 1;
    return HG_SUCCESS;
}

void proc_flush(hg_proc& proc) noexcept {
    if (proc.checksum == nullptr) return;
    const hg_proc_buf& buffer = *proc.current_buf;
    proc.checksum->digest =
        XXH3_64bits_withSeed(buffer.buf, buffer.size - buffer.size_left, proc.checksum->seed);
}

void proc_digest_also(hg_proc& proc, const void* data, hg_size_t size) noexcept {
    if (proc.checksum == nullptr) return;
    proc.checksum->seed = XXH3_64bits_withSeed(data, size, proc.checksum->seed);
}

hg_return_t proc_digest_get(const hg_proc& proc, void* digest, hg_size_t size) noexcept {
    if (proc.checksum == nullptr || size != proc.checksum_size) return HG_INVALID_ARG;
    std::memcpy(digest, proc.checksum_hash, proc.checksum_size);
    return HG_SUCCESS;
}

hg_return_t proc_digest_verify(const hg_proc& proc, const void* digest, hg_size_t size) noexcept {
    if (proc.checksum == nullptr || size != proc.checksum_size) return HG_INVALID_ARG;
    if (std::memcmp(digest, proc.checksum_hash, proc.checksum_size) == 0) return HG_SUCCESS;
    log(LogLevel::error, "hg_proc", "the checksum of {} bytes differs",
        proc.current_buf->size - proc.current_buf->size_left);
    return HG_CHECKSUM_ERROR;
}

}  // namespace cinnabar::hg
