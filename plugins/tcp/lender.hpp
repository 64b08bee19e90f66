// SPDX-License-Identifier: BSD-3-Clause
// Gives memory to a socket without copying it: its pages are lent to the kernel by way of a pipe
// (vmsplice, then splice), and the receiver copies out of them. Whoever writes to them before the
// receiver has read writes into what it will read; so this is for memory that nobody may touch
// until the receiver says it has everything. One for each context, used inside its serial.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>

#include "na/base/file_descriptor.hpp"

namespace cinnabar::tcp {

class Lender {
public:
    // Opens the pipe. Without it, send() tries anew, and refuses as long as there is none.
    bool open() noexcept;
    // One attempt to give `from` to a non-blocking stream socket; never raises SIGPIPE.
    // Returns the bytes given, at least 1, or -1 with errno as send() has it. `refused` tells that
    // this memory or this system lends nothing: nothing was given, and the bytes are to be copied.
    ssize_t send(int socket, std::span<const iovec> from, bool& refused) noexcept;
    // Bytes that the pipe takes at a time, if they begin with a page.
    std::size_t room() const noexcept { return room_; }

private:
    void widen() noexcept;
    void drain() noexcept;
    ssize_t pass_on(int socket, std::size_t size) noexcept;

    FileDescriptor to_read_;
    FileDescriptor to_write_;
    std::size_t room_ = 0;
    bool widened_ = false;
};

}  // namespace cinnabar::tcp
