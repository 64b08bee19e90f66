// SPDX-License-Identifier: BSD-3-Clause
// A non-blocking eventfd: signal() makes it readable, drain() makes it unreadable again. Used to
// wake a thread that sleeps on an epoll set. Any thread.
#pragma once

#include "na/base/file_descriptor.hpp"
#include "na/base/result.hpp"

namespace cinnabar {

class EventFd {
public:
    // Opens the descriptor; NA_NOMEM or NA_AGAIN (descriptors exhausted) after a log line.
    Status open() noexcept;
    void signal() noexcept;
    void drain() noexcept;
    int get() const noexcept { return fd_.get(); }

private:
    FileDescriptor fd_;
};

// Writes one token to any eventfd, for example one received from a peer. Never blocks.
void signal_event_fd(int fd) noexcept;

}  // namespace cinnabar
