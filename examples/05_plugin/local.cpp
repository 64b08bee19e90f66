// SPDX-License-Identifier: BSD-3-Clause
// A transport: processes of one host talk through Unix sockets, na+local://name. Sockets of the
// kind SEQPACKET carry whole messages in order, so a frame is one of them. What is above frames,
// such as matching, put and get, or the death of a peer, is the SDK's.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <random>

#include "na/base/errno_code.hpp"
#include "na/base/file_descriptor.hpp"
#include "na/base/log.hpp"
#include "na/sdk/framed/plugin.hpp"

namespace {

using cinnabar::code_of_errno;
using cinnabar::FileDescriptor;
using cinnabar::log_error;
using cinnabar::log_warning;
using cinnabar::Result;
using cinnabar::Status;
namespace framed = cinnabar::na::sdk::framed;

constexpr std::string_view scheme = "local://";
constexpr std::size_t longest_name = 80;

// --- sockets

// Sockets here have no file: a zero stands in front of their name, then the net's, then what is
// behind it. `what` is ::bind or ::connect.
Result<FileDescriptor> make_socket(decltype(::connect)* what, const std::string& net,
                                   const std::string& behind) {
    const std::string text = "cinnabar-" + net + behind;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, text.data(), text.size());  // is_name() bounds it
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket || what(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0)
        return code_of_errno(errno);
    return socket;
}

std::string behind_of(std::uint8_t id) {
    return fmt::format("/{}", id);
}

// Whether the process at the other end is of the same user as this one.
bool is_ours(const FileDescriptor& socket) {
    ucred owner{};
    socklen_t size = sizeof owner;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &owner, &size) == 0 &&
           owner.uid == ::geteuid();
}

// --- a link: two connected sockets

class Link final : public framed::Link {
public:
    explicit Link(FileDescriptor socket) : socket_(std::move(socket)) {}
    int descriptor() const override { return socket_.get(); }

    Status send(std::span<const iovec> parts) override {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(parts.data());
        message.msg_iovlen = parts.size();
        const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        return sent < 0 ? code_of_errno(errno) : NA_SUCCESS;
    }

    Result<std::size_t> receive(std::span<std::byte> room) override {
        ssize_t size = take(room);
        // Said once, before what has come, if the other end left something unread.
        if (size < 0 && errno == ECONNRESET) size = take(room);
        if (size < 0) return code_of_errno(errno);
        if (size == 0) return NA_HOSTUNREACH;
        return static_cast<std::size_t>(size);
    }

private:
    ssize_t take(std::span<std::byte> room) {
        return ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
    }
    FileDescriptor socket_;
};

// --- a port: the socket that others connect to

class Port final : public framed::Port {
public:
    explicit Port(FileDescriptor socket) : socket_(std::move(socket)) {}
    int descriptor() const override { return socket_.get(); }

    Result<std::unique_ptr<framed::Link>> accept() override {
        return link_of(FileDescriptor(
            ::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)));
    }

    Result<std::unique_ptr<framed::Link>> connect(const std::string& name,
                                                  std::uint8_t id) override {
        Result<FileDescriptor> socket = make_socket(::connect, name, behind_of(id));
        if (!socket.ok()) return socket.status();
        return link_of(std::move(*socket));
    }

private:
    static Result<std::unique_ptr<framed::Link>> link_of(FileDescriptor socket) {
        if (!socket) return code_of_errno(errno);
        if (!is_ours(socket)) return NA_PERMISSION;
        return std::unique_ptr<framed::Link>(std::make_unique<Link>(std::move(socket)));
    }
    FileDescriptor socket_;
};

// --- a net

class Net final : public framed::Net {
public:
    static constexpr const char* protocol = "local";
    static constexpr const char* subsystem = "na_local";

    Status open(const na_plugin_open& info) override {
        name_ = scheme;
        if (info.listen && *info.host != '\0')
            name_ += info.host;
        else
            name_ += fmt::format("{}-{:08x}", ::getpid(), std::random_device()());
        if (!is_name(name_))
            return log_error(NA_INVALID_ARG, subsystem, "\"{}\" is not a name", name_);
        // Nobody connects to this one: it keeps others from the name.
        Result<FileDescriptor> socket = make_socket(::bind, name_, "");
        if (!socket.ok())
            return log_error(socket.status().code(), subsystem, "the name {} is not free", name_);
        reserved_ = std::move(*socket);
        return {};
    }

    const std::string& name() const override { return name_; }

    bool is_name(std::string_view text) const override {
        return text.starts_with(scheme) && text.size() > scheme.size() &&
               text.size() <= longest_name &&
               std::all_of(text.begin() + scheme.size(), text.end(), [](unsigned char c) {
                   return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
               });
    }

    // Well below the room that the kernel gives a socket.
    std::size_t largest_frame() const override { return 65536; }

    Result<std::unique_ptr<framed::Port>> open_port(std::uint8_t id) override {
        Result<FileDescriptor> socket = make_socket(::bind, name_, behind_of(id));
        if (!socket.ok() || ::listen(socket->get(), SOMAXCONN) != 0)
            return log_error(NA_ADDRINUSE, subsystem, "{}: context {} is there", name_, id);
        return std::unique_ptr<framed::Port>(std::make_unique<Port>(std::move(*socket)));
    }

private:
    std::string name_;
    FileDescriptor reserved_;
};

}  // namespace

CINNABAR_NA_FRAMED_PLUGIN(Net)
