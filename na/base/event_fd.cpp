// SPDX-License-Identifier: BSD-3-Clause
#include "na/base/event_fd.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"

namespace cinnabar {

Status EventFd::open() noexcept {
    fd_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (fd_) return NA_SUCCESS;
    return log_error(code_of_errno(errno), "na_poll", "eventfd: {}", std::strerror(errno));
}

void EventFd::signal() noexcept {
    signal_event_fd(fd_.get());
}

void EventFd::drain() noexcept {
    uint64_t count = 0;
    // EAGAIN says that it was not signalled, which is as good.
    [[maybe_unused]] const ssize_t got = ::read(fd_.get(), &count, sizeof count);
}

void signal_event_fd(int fd) noexcept {
    const uint64_t one = 1;
    // EAGAIN means that the counter is full: the descriptor is readable already.
    [[maybe_unused]] const ssize_t put = ::write(fd, &one, sizeof one);
}

}  // namespace cinnabar
