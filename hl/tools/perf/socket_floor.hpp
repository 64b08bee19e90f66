// SPDX-License-Identifier: BSD-3-Clause
// The floors of TCP: what bare sockets do between the same two processes over loopback. Each
// function of the client has its counterpart at the server; both are given the same numbers. One
// thread each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cinnabar::perf {

inline constexpr std::size_t socket_message = 64;
inline constexpr std::size_t largest_batch = 256;

// A connection over loopback, without delays for coalescing: the client's end, and the server's,
// which a child inherits. Non-blocking.
void create_connection(int& client, int& server);

// The ends of a connection between hosts, the same otherwise. Hosts are numeric. Listening and
// accepting fail; connecting gives -1 if nobody listens there.
bool is_numeric_host(const std::string& host);
int listen_at(const std::string& host, std::uint16_t& port);
int accept_one(int listener);
int connect_to(const std::string& host, std::uint64_t port);

void set_blocking(int socket, bool blocking);

// Messages there and back, `batch` of them in one write each way. The clock starts after `warm` of
// them, and the result is in seconds. Both counts are multiples of `batch`.
double call_socket(int socket, std::uint64_t warm, std::uint64_t count, std::size_t batch,
                   bool blocking);
void echo_socket(int socket, std::uint64_t count, std::size_t batch, bool blocking);

// Blocks of `size` bytes from the server, one write each, as fast as they come.
double read_stream(int socket, std::uint64_t warm, std::uint64_t count, std::size_t size,
                   std::byte* buffer);
void write_stream(int socket, std::uint64_t count, std::size_t size, const std::byte* bytes);

// A message to the server for each block of `size` bytes, one at a time.
double ask_socket(int socket, std::uint64_t warm, std::uint64_t count, std::size_t size,
                  std::byte* buffer);
void answer_socket(int socket, std::uint64_t count, std::size_t size, const std::byte* bytes);

}  // namespace cinnabar::perf
