// SPDX-License-Identifier: BSD-3-Clause
// Copies between this process and another one's memory with process_vm_readv and process_vm_writev:
// any memory, no preparation, one copy. Works on cursors, so that a transfer between segment lists
// of any shape goes in as few calls as the kernel allows, and can stop and go on.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "na/base/result.hpp"
#include "plugins/sm/cursor.hpp"

namespace cinnabar::sm {

enum class Direction : std::uint8_t { get, put };

// Moves up to `size` bytes and both cursors with them; returns the bytes moved, at least 1 if size
// is. Errors: NA_FAULT (no such memory on either side), NA_HOSTUNREACH (no such process),
// NA_PERMISSION.
Result<std::uint64_t> cross_copy(pid_t pid, Direction direction, Cursor& local, Cursor& remote,
                                 std::uint64_t size) noexcept;

// Moves one run of bytes, the same number on both sides. False: not all of it was moved.
bool cross_copy_run(pid_t pid, Direction direction, const iovec& here, const iovec& there) noexcept;

// Whether the process can be read: fetches the word at its address and compares.
bool cross_probe(pid_t pid, std::uint64_t address, std::uint64_t value) noexcept;

}  // namespace cinnabar::sm
