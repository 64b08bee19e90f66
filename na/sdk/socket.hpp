// SPDX-License-Identifier: BSD-3-Clause
// Making TCP sockets, for plugins whose peers meet over them: non-blocking, close-on-exec, without
// Nagle's delay. Stateless; any thread.
#pragma once

#include "na/base/file_descriptor.hpp"
#include "na/base/result.hpp"
#include "na/sdk/ip.hpp"

namespace cinnabar::na::sdk {

// Begins to connect. `dialing` tells whether it has not finished. Errors are not logged.
Result<FileDescriptor> dial(const IpAddress& ip, std::uint16_t port, bool& dialing);
// A listening socket; `port` receives the real one. Errors are logged, as `subsystem`, with the
// address.
Result<FileDescriptor> listen_on(const IpAddress& ip, std::uint16_t& port, const char* subsystem);
// Two connected stream sockets within this process.
Result<std::pair<FileDescriptor, FileDescriptor>> socket_pair();
void tune(int fd) noexcept;
// Whether both ends of a connected TCP socket are on this machine.
bool within_host(int fd) noexcept;
// For such a socket: nothing is lost there and no link is shared, so that a congestion control that
// paces what it sends (bbr) only makes it wait. The one that does not (reno) is always there.
void tune_within_host(int fd) noexcept;
// The error of a connect() that has ended, 0 for success. A socket that reached itself is an error.
int connect_error(int fd) noexcept;

}  // namespace cinnabar::na::sdk
