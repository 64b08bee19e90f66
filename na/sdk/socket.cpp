// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/socket.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"

namespace cinnabar::na::sdk {

namespace {

constexpr int socket_type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr int backlog = 4096;

void set(int fd, int level, int option, int value) noexcept {
    (void)::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

void tune(int fd) noexcept {
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // A peer whose machine is gone is noticed within about a minute.
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 20);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 40000);
}

bool within_host(int fd) noexcept {
    sockaddr_storage local{};
    sockaddr_storage remote{};
    socklen_t local_length = sizeof local;
    socklen_t remote_length = sizeof remote;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_length) != 0 ||
        ::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &remote_length) != 0 ||
        (remote.ss_family != AF_INET && remote.ss_family != AF_INET6))
        return false;
    const IpAddress ip = address_of(remote);
    return ip.is_loopback() || ip == address_of(local);
}

void tune_within_host(int fd) noexcept {
    constexpr std::string_view unpaced = "reno";
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, unpaced.data(), unpaced.size());
}

Result<FileDescriptor> dial(const IpAddress& ip, std::uint16_t port, bool& dialing) {
    FileDescriptor fd(::socket(ip.family, socket_type, 0));
    if (!fd) return code_of_errno(errno);
    tune(fd.get());
    sockaddr_storage storage{};
    const socklen_t length = ip.to_sockaddr(port, storage);
    dialing = false;
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0) {
        if (connect_error(fd.get()) != 0) return NA_HOSTUNREACH;
        return fd;
    }
    if (errno != EINPROGRESS) return code_of_errno(errno);
    dialing = true;
    return fd;
}

int connect_error(int fd) noexcept {
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    if (error != 0) return error;
    // On loopback, an ephemeral port can be connected to itself when nobody listens on it.
    sockaddr_storage local{};
    sockaddr_storage remote{};
    socklen_t local_length = sizeof local;
    socklen_t remote_length = sizeof remote;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_length) != 0 ||
        ::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &remote_length) != 0)
        return errno;
    return local_length == remote_length && std::memcmp(&local, &remote, local_length) == 0
               ? ECONNREFUSED
               : 0;
}

Result<FileDescriptor> listen_on(const IpAddress& ip, std::uint16_t& port, const char* subsystem) {
    const auto failed = [&](const char* what) -> Result<FileDescriptor> {
        const int error = errno;
        return log_error(code_of_errno(error), subsystem, "{}: {}: {}", ip.with_port(port), what,
                         std::strerror(error));
    };
    FileDescriptor fd(::socket(ip.family, socket_type, 0));
    if (!fd) return failed("socket");
    set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    sockaddr_storage storage{};
    socklen_t length = ip.to_sockaddr(port, storage);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0)
        return failed("bind");
    if (::listen(fd.get(), backlog) != 0) return failed("listen");
    length = sizeof storage;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0)
        return failed("getsockname");
    (void)address_of(storage, &port);
    return fd;
}

Result<std::pair<FileDescriptor, FileDescriptor>> socket_pair() {
    int fds[2];
    if (::socketpair(AF_UNIX, socket_type, 0, fds) != 0) return code_of_errno(errno);
    return std::pair(FileDescriptor(fds[0]), FileDescriptor(fds[1]));
}

}  // namespace cinnabar::na::sdk
