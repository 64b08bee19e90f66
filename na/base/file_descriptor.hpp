// SPDX-License-Identifier: BSD-3-Clause
// An owned file descriptor: closed on destruction, moved, never copied. Each shared object keeps a
// map of the descriptors it owns, so that a forked child can close them all at once.
#pragma once

#include <utility>

namespace cinnabar {

class FileDescriptor {
public:
    FileDescriptor() noexcept = default;
    // Takes the descriptor over; a negative one means none.
    explicit FileDescriptor(int fd) noexcept { reset(fd); }
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~FileDescriptor() { reset(); }

    // Closes what is owned and takes fd over.
    void reset(int fd = -1) noexcept;
    // Gives the descriptor up without closing it.
    int release() noexcept;
    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

// In a forked child: closes every descriptor owned by a FileDescriptor of this shared object. The
// objects are not touched; nothing may be used through them afterwards. Async-signal-safe.
void close_owned_descriptors() noexcept;

}  // namespace cinnabar
