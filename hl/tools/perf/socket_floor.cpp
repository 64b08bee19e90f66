// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/socket_floor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/spin.hpp"

namespace cinnabar::perf {
namespace {

using Batch = std::array<std::byte, largest_batch * socket_message>;

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

// Within a host there is no link whose rate could be guessed: bbr, where it is the system's choice,
// makes the same stream take now one and now eight times as long.
void set_unpaced(int socket) {
    constexpr std::string_view unpaced = "reno";
    check_system(
        ::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, unpaced.data(), unpaced.size()) == 0,
        "TCP_CONGESTION");
}

// A numeric host as the system wants it; the list is null if it is none.
struct Resolved {
    Resolved(const std::string& host, std::uint64_t port) {
        addrinfo wanted{};
        wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
        wanted.ai_socktype = SOCK_STREAM;
        if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list) != 0)
            list = nullptr;
    }
    Resolved(const Resolved&) = delete;
    Resolved& operator=(const Resolved&) = delete;
    ~Resolved() {
        if (list != nullptr) ::freeaddrinfo(list);
    }
    addrinfo* list = nullptr;
};

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

void set_blocking(int socket, bool blocking) {
    check_system(::fcntl(socket, F_SETFL, blocking ? 0 : O_NONBLOCK) == 0, "O_NONBLOCK");
}

bool is_numeric_host(const std::string& host) {
    const Resolved found(host, 0);
    return !host.empty() && found.list != nullptr;
}

int listen_at(const std::string& host, std::uint16_t& port) {
    const Resolved found(host, 0);
    if (found.list == nullptr) fail(host + " is no numeric host");
    const int listener = ::socket(found.list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    auto* generic = reinterpret_cast<sockaddr*>(&name);
    check_system(listener >= 0 &&
                     ::bind(listener, found.list->ai_addr, found.list->ai_addrlen) == 0 &&
                     ::listen(listener, 2) == 0 && ::getsockname(listener, generic, &size) == 0,
                 "listening at " + host);
    // The port is at the same place in both kinds of address.
    port = ntohs(reinterpret_cast<sockaddr_in*>(&name)->sin_port);
    return listener;
}

int accept_one(int listener) {
    const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    check_system(accepted >= 0, "accepting");
    set_no_delay(accepted);
    set_blocking(accepted, false);
    return accepted;
}

int connect_to(const std::string& host, std::uint64_t port) {
    const Resolved found(host, port);
    if (found.list == nullptr) return -1;
    const int made = ::socket(found.list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_system(made >= 0, "a socket");
    if (::connect(made, found.list->ai_addr, found.list->ai_addrlen) != 0) {
        ::close(made);
        return -1;
    }
    set_no_delay(made);
    set_blocking(made, false);
    return made;
}

void create_connection(int& client, int& server) {
    const std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    const int listener = listen_at(host, port);
    client = connect_to(host, port);
    check_system(client >= 0, "connecting over loopback");
    server = accept_one(listener);
    set_unpaced(client);
    set_unpaced(server);
    // Another program will have it.
    check_system(::fcntl(server, F_SETFD, 0) == 0, "FD_CLOEXEC");
    ::close(listener);
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
