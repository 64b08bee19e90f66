// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/handshake.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "na/base/errno_code.hpp"

namespace cinnabar::sm {
namespace {

constexpr std::string_view name_prefix = "cinnabar-sm/";
constexpr int socket_flags = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;

struct SocketName {
    sockaddr_un address{};
    socklen_t length = 0;
};

// An abstract name: the first byte of the path is 0 and the length counts.
SocketName socket_name(std::string_view name, std::string_view suffix) {
    SocketName result;
    result.address.sun_family = AF_UNIX;
    std::string text;
    text.append(name_prefix).append(name).append(suffix);
    const std::size_t size = std::min(text.size(), sizeof result.address.sun_path - 1);
    std::memcpy(result.address.sun_path + 1, text.data(), size);
    result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + size);
    return result;
}

std::string context_suffix(std::uint8_t context_id) {
    return "/" + std::to_string(context_id);
}

Result<FileDescriptor> bound_socket(const SocketName& name) noexcept {
    FileDescriptor fd(::socket(AF_UNIX, socket_flags, 0));
    if (!fd) return code_of_errno(errno);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name.address), name.length) != 0)
        return code_of_errno(errno);
    return fd;
}

union ControlBuffer {
    cmsghdr align;
    char space[CMSG_SPACE(sizeof(int) * 3)];
};

// Every descriptor that came is owned by `fds`, or closed if there are too many.
void take_descriptors(msghdr& message, GreetingFds& fds) noexcept {
    std::size_t used = 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            FileDescriptor owned(fd);
            if (used < fds.size()) fds[used++] = std::move(owned);
        }
    }
}

}  // namespace

void Greeting::set_sender(std::string_view text) noexcept {
    const std::size_t size = std::min(text.size(), sizeof name);
    std::memcpy(name, text.data(), size);
    name_length = static_cast<std::uint8_t>(size);
}

bool valid_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= max_name_length &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return c > ' ' && c < 127 && c != '/'; });
}

Result<FileDescriptor> bind_name(std::string_view name) {
    return bound_socket(socket_name(name, ""));
}

Result<FileDescriptor> listen_on(std::string_view name, std::uint8_t context_id) {
    Result<FileDescriptor> fd = bound_socket(socket_name(name, context_suffix(context_id)));
    if (fd.ok() && ::listen(fd->get(), 1024) != 0) return code_of_errno(errno);
    return fd;
}

Result<FileDescriptor> connect_to(std::string_view name, std::uint8_t context_id) {
    const SocketName peer = socket_name(name, context_suffix(context_id));
    FileDescriptor fd(::socket(AF_UNIX, socket_flags, 0));
    if (!fd) return code_of_errno(errno) == NA_AGAIN ? NA_NOMEM : code_of_errno(errno);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer.address), peer.length) != 0)
        return errno == EINTR ? NA_AGAIN : code_of_errno(errno);
    return fd;
}

Result<FileDescriptor> accept_from(int listener) noexcept {
    FileDescriptor fd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return code_of_errno(errno);
    return fd;
}

Result<Credentials> check_credentials(int socket) noexcept {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return code_of_errno(errno);
    if (peer.uid != ::geteuid() && peer.uid != 0) return NA_PERMISSION;
    return Credentials{peer.pid, peer.uid};
}

Status send_greeting(int socket, const Greeting& greeting, const int* fds,
                     std::size_t count) noexcept {
    Greeting copy = greeting;
    iovec data{&copy, sizeof copy};
    ControlBuffer control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (count > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        std::memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return code_of_errno(errno);
    return sent == static_cast<ssize_t>(sizeof copy) ? NA_SUCCESS : NA_IO_ERROR;
}

Status receive_greeting(int socket, Greeting& greeting, GreetingFds& fds) noexcept {
    iovec data{&greeting, sizeof greeting};
    ControlBuffer control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0) return errno == EINTR ? NA_AGAIN : code_of_errno(errno);
    if (got == 0) return NA_HOSTUNREACH;
    take_descriptors(message, fds);
    if (got != static_cast<ssize_t>(sizeof greeting) ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || greeting.magic != greeting_magic ||
        greeting.version != greeting_version || greeting.name_length > max_name_length)
        return NA_PROTOCOL_ERROR;
    return NA_SUCCESS;
}

bool hung_up(int socket) noexcept {
    pollfd entry{socket, POLLIN | POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace cinnabar::sm
