// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/cross_memory.hpp"

#include <sys/uio.h>

#include <cerrno>
#include <span>

#include "na/base/errno_code.hpp"

namespace cinnabar::sm {
namespace {

constexpr std::size_t entries_per_call = 256;
// The kernel moves at most 2 GiB less a page in one call.
constexpr std::uint64_t bytes_per_call = std::uint64_t{1} << 30;

ssize_t copy_between(pid_t pid, Direction direction, std::span<const iovec> here,
                     std::span<const iovec> there) noexcept {
    return direction == Direction::get
               ? ::process_vm_readv(pid, here.data(), here.size(), there.data(), there.size(), 0)
               : ::process_vm_writev(pid, here.data(), here.size(), there.data(), there.size(), 0);
}

// The next bytes of both, as many as lie in one piece and `size` at most: one entry on each side.
ssize_t copy_run(pid_t pid, Direction direction, const Cursor& local, const Cursor& remote,
                 std::uint64_t size) noexcept {
    const iovec here{local.address(), size};
    const iovec there{remote.address(), size};
    return copy_between(pid, direction, {&here, 1}, {&there, 1});
}

// The next bytes of both, in as many pieces as one call takes.
ssize_t copy_pieces(pid_t pid, Direction direction, const Cursor& local, const Cursor& remote,
                    std::uint64_t size) noexcept {
    iovec here[entries_per_call];
    iovec there[entries_per_call];
    std::uint64_t bytes = size;
    const std::size_t there_count = remote.fill(there, entries_per_call, bytes);
    // The local list ends where the remote one does, or earlier: the kernel stops at the shorter.
    const std::size_t here_count = local.fill(here, entries_per_call, bytes);
    return copy_between(pid, direction, {here, here_count}, {there, there_count});
}

}  // namespace

Result<std::uint64_t> cross_copy(pid_t pid, Direction direction, Cursor& local, Cursor& remote,
                                 std::uint64_t size) noexcept {
    std::uint64_t moved = 0;
    while (moved < size) {
        const std::uint64_t bytes = std::min(size - moved, bytes_per_call);
        const bool is_run = local.contiguous() >= bytes && remote.contiguous() >= bytes;
        const ssize_t got = (is_run ? copy_run : copy_pieces)(pid, direction, local, remote, bytes);
        if (got < 0) {
            if (errno == EINTR) continue;
            // What was moved counts first; the error comes again with the next call.
            if (moved > 0) return moved;
            return code_of_errno(errno);
        }
        if (got == 0) return moved > 0 ? Result<std::uint64_t>(moved) : NA_FAULT;
        local.advance(static_cast<std::uint64_t>(got));
        remote.advance(static_cast<std::uint64_t>(got));
        moved += static_cast<std::uint64_t>(got);
    }
    return moved;
}

bool cross_copy_run(pid_t pid, Direction direction, const iovec& here,
                    const iovec& there) noexcept {
    return copy_between(pid, direction, {&here, 1}, {&there, 1}) ==
           static_cast<ssize_t>(here.iov_len);
}

bool cross_probe(pid_t pid, std::uint64_t address, std::uint64_t value) noexcept {
    if (pid <= 0) return false;
    std::uint64_t word = 0;
    const iovec here{&word, sizeof word};
    const iovec there{reinterpret_cast<void*>(address), sizeof word};
    return ::process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(sizeof word) &&
           word == value;
}

}  // namespace cinnabar::sm
