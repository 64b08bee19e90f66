// SPDX-License-Identifier: BSD-3-Clause
// Making sockets: non-blocking, close-on-exec, without Nagle's delay. Stateless; any thread.
#pragma once

#include "na/base/file_descriptor.hpp"
#include "na/base/result.hpp"
#include "na/sdk/ip.hpp"

namespace cinnabar::ucx {

// Begins to connect. `dialing` tells whether it has not finished. Errors are not logged.
Result<FileDescriptor> dial(const na::sdk::IpAddress& ip, std::uint16_t port, bool& dialing);
// A listening socket; `port` receives the real one. Errors are logged with the address.
Result<FileDescriptor> listen_on(const na::sdk::IpAddress& ip, std::uint16_t& port);
// Two connected stream sockets within this process.
Result<std::pair<FileDescriptor, FileDescriptor>> socket_pair();
void tune(int fd) noexcept;
// The error of a connect() that has ended, 0 for success. A socket that reached itself is an error.
int connect_error(int fd) noexcept;

}  // namespace cinnabar::ucx
