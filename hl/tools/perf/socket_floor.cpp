// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/socket_floor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/spin.hpp"

namespace cinnabar::perf {
namespace {

constexpr std::size_t largest_batch = 256;
using Batch = std::array<std::byte, largest_batch * socket_message>;

void set_blocking(int socket, bool blocking) {
    check_system(::fcntl(socket, F_SETFL, blocking ? 0 : O_NONBLOCK) == 0, "O_NONBLOCK");
}

bool is_worth_another_try() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void write_all(int socket, const std::byte* bytes, std::size_t size) {
    Spinner spinner;
    while (size > 0) {
        const ssize_t written = ::send(socket, bytes, size, MSG_NOSIGNAL);
        if (written < 0) {
            check_system(is_worth_another_try(), "send");
            spinner.again();
            continue;
        }
        bytes += written;
        size -= static_cast<std::size_t>(written);
    }
}

void read_all(int socket, std::byte* bytes, std::size_t size) {
    Spinner spinner;
    while (size > 0) {
        const ssize_t got = ::recv(socket, bytes, size, 0);
        if (got == 0) fail("the peer has closed its socket");
        if (got < 0) {
            check_system(is_worth_another_try(), "recv");
            spinner.again();
            continue;
        }
        bytes += got;
        size -= static_cast<std::size_t>(got);
    }
}

void set_no_delay(int socket) {
    const int on = 1;
    check_system(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
                 "TCP_NODELAY");
}

// Runs `step` for the warm rounds, then for those that count, which it times.
template <class Step>
double time_rounds(std::uint64_t warm, std::uint64_t rounds, const Step& step) {
    for (std::uint64_t i = 0; i < warm; ++i)
        step();
    const double start = now();
    for (std::uint64_t i = 0; i < rounds; ++i)
        step();
    return now() - start;
}

}  // namespace

void create_connection(int& client, int& server) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_system(listener >= 0 && ::bind(listener, generic, size) == 0 &&
                     ::listen(listener, 1) == 0 && ::getsockname(listener, generic, &size) == 0,
                 "listening on loopback");
    client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_system(client >= 0 && ::connect(client, generic, size) == 0, "connecting over loopback");
    server = ::accept(listener, nullptr, nullptr);
    check_system(server >= 0, "accepting over loopback");
    ::close(listener);
    for (const int socket : {client, server}) {
        set_no_delay(socket);
        set_blocking(socket, false);
    }
}

double call_socket(int socket, std::uint64_t warm, std::uint64_t count, std::size_t batch,
                   bool blocking) {
    const std::size_t size = batch * socket_message;
    Batch bytes{};
    set_blocking(socket, blocking);
    const double seconds = time_rounds(warm / batch, count / batch, [&] {
        write_all(socket, bytes.data(), size);
        read_all(socket, bytes.data(), size);
    });
    set_blocking(socket, false);
    return seconds;
}

void echo_socket(int socket, std::uint64_t count, std::size_t batch, bool blocking) {
    const std::size_t size = batch * socket_message;
    Batch bytes{};
    if (batch > largest_batch) fail("the batch is too large");
    set_blocking(socket, blocking);
    for (std::uint64_t i = 0; i < count / batch; ++i) {
        read_all(socket, bytes.data(), size);
        write_all(socket, bytes.data(), size);
    }
    set_blocking(socket, false);
}

double read_stream(int socket, std::uint64_t warm, std::uint64_t count, std::size_t size,
                   std::byte* buffer) {
    return time_rounds(warm, count, [&] { read_all(socket, buffer, size); });
}

void write_stream(int socket, std::uint64_t count, std::size_t size, const std::byte* bytes) {
    for (std::uint64_t i = 0; i < count; ++i)
        write_all(socket, bytes, size);
}

double ask_socket(int socket, std::uint64_t warm, std::uint64_t count, std::size_t size,
                  std::byte* buffer) {
    const std::array<std::byte, socket_message> request{};
    return time_rounds(warm, count, [&] {
        write_all(socket, request.data(), request.size());
        read_all(socket, buffer, size);
    });
}

void answer_socket(int socket, std::uint64_t count, std::size_t size, const std::byte* bytes) {
    std::array<std::byte, socket_message> request;
    for (std::uint64_t i = 0; i < count; ++i) {
        read_all(socket, request.data(), request.size());
        write_all(socket, bytes, size);
    }
}

}  // namespace cinnabar::perf
