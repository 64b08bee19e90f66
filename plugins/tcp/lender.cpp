// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/tcp/lender.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace cinnabar::tcp {

namespace {

// Room for 64 KiB however they lie on their pages, and for some small segments.
constexpr int small_pipe = 32 * 4096;
// What anybody may have: the more is passed on at a time, the less often.
constexpr int wide_pipe = 256 * 4096;

// splice() has no MSG_NOSIGNAL: while this lives, the SIGPIPE of this thread is held back, and one
// that was raised meanwhile is taken away. Signals of others are left alone.
class WithoutSigpipe {
public:
    WithoutSigpipe() noexcept {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
        if (sigismember(&before_, SIGPIPE) == 0) return;
        sigset_t pending;
        pending_before_ = ::sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    }
    ~WithoutSigpipe() {
        const int error = errno;
        if (raised_ && !pending_before_) {
            const timespec now{};
            while (::sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR)
                continue;
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = error;
    }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
    void may_have_raised() noexcept { raised_ = true; }

private:
    sigset_t pipe_{};
    sigset_t before_{};
    bool pending_before_ = false;
    bool raised_ = false;
};

}  // namespace

bool Lender::open() noexcept {
    if (to_write_) return true;
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    to_read_.reset(fds[0]);
    to_write_.reset(fds[1]);
    // Refused beyond the user's limit: then the pipe is as small as it is.
    (void)::fcntl(to_write_.get(), F_SETPIPE_SZ, small_pipe);
    room_ = static_cast<std::size_t>(std::max(::fcntl(to_write_.get(), F_GETPIPE_SZ), 0));
    widened_ = false;
    return true;
}

// Once, and not before it is worth it: what all pipes of a user hold is limited.
void Lender::widen() noexcept {
    widened_ = true;
    for (int size = wide_pipe; size > small_pipe; size /= 2) {
        const int got = ::fcntl(to_write_.get(), F_SETPIPE_SZ, size);
        if (got < 0) continue;
        room_ = static_cast<std::size_t>(got);
        return;
    }
}

void Lender::drain() noexcept {
    std::array<std::byte, 4096> dropped;
    while (::read(to_read_.get(), dropped.data(), dropped.size()) > 0)
        continue;
}

ssize_t Lender::pass_on(int socket, std::size_t size) noexcept {
    WithoutSigpipe guard;
    ssize_t given = 0;
    do {
        given = ::splice(to_read_.get(), nullptr, socket, nullptr, size, SPLICE_F_NONBLOCK);
    } while (given < 0 && errno == EINTR);
    // Of several packets a later one may have found the connection broken.
    if (given != static_cast<ssize_t>(size)) guard.may_have_raised();
    return given;
}

ssize_t Lender::send(int socket, std::span<const iovec> from, bool& refused) noexcept {
    refused = false;
    if (!open()) {
        refused = true;
        return -1;
    }
    if (!widened_ && !from.empty() && from.front().iov_len > room_) widen();
    const ssize_t lent = ::vmsplice(to_write_.get(), from.data(), from.size(), SPLICE_F_NONBLOCK);
    if (lent <= 0) {
        refused = true;
        return -1;
    }
    const ssize_t given = pass_on(socket, static_cast<std::size_t>(lent));
    if (given == lent) return given;
    // What the socket did not take is in the pipe and must not come out before other bytes.
    const int error = errno;
    drain();
    refused = given == 0 || (given < 0 && (error == EINVAL || error == EFAULT || error == ENOSYS));
    errno = error;
    return given > 0 ? given : -1;
}

}  // namespace cinnabar::tcp
