// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/class.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "na/base/log.hpp"
#include "na/base/random.hpp"
#include "na/sdk/socket.hpp"

namespace cinnabar::ucx {

namespace {

Status take_message_size(std::size_t wish, std::uint32_t& size) {
    if (wish > options::max_message_size)
        return log_error(NA_OVERFLOW, log_name, "messages of {} bytes are wanted, {} are the most",
                         wish, options::max_message_size);
    size = static_cast<std::uint32_t>(wish == 0 ? options::default_message_size : wish);
    return NA_SUCCESS;
}

}  // namespace

Status Class::open(const na_plugin_open& info) {
    incarnation_ = random_u64();
    proof_ = random_u64();
    if (incarnation_ == 0 || proof_ == 0)
        return log_error(NA_IO_ERROR, log_name, "the system has no random bytes");
    format_ = info.init->addr_format;
    blocking_ = (info.init->progress_mode & NA_NO_BLOCK) == 0;
    CINNABAR_TRY(take_message_size(info.init->max_unexpected_size, max_unexpected_));
    CINNABAR_TRY(take_message_size(info.init->max_expected_size, max_expected_));
    prefix_ = std::string(info.protocol) + "://";
    host_number_ = ucx::host_number();
    CINNABAR_TRY(bind(info));
    return library_.open(info.protocol, blocking_);
}

// Decides which address to bind and which to publish, and listens if wanted.
Status Class::bind(const na_plugin_open& info) {
    auto host = na::sdk::parse_host_part(info.host);
    if (!host.ok()) return host.status();
    const na::sdk::AddressWish wish{host->host,
                                    info.init->ip_subnet == nullptr ? "" : info.init->ip_subnet,
                                    info.init->addr_format};
    auto chosen = na::sdk::choose_address(na::sdk::list_interfaces(), wish);
    if (!chosen.ok() && chosen.status().code() == NA_NOENTRY)
        chosen = na::sdk::resolve(host->host, wish.format);
    if (!chosen.ok()) return chosen.status();
    published_ = bound_ = *chosen;
    if (auto numeric = na::sdk::parse_ip(host->host); numeric.ok()) bound_ = *numeric;
    if (!info.listen) {
        addresses_.open(
            this, fmt::format("{}{}#{:016x}", prefix_, published_.with_port(0), incarnation_));
        return NA_SUCCESS;
    }
    std::uint16_t port = host->port;
    auto listener = na::sdk::listen_on(bound_, port, log_name);
    if (!listener.ok()) return listener.status();
    listener_ = std::move(*listener);
    reserve_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    port_ = port;
    addresses_.open(this, fmt::format("{}{}", prefix_, published_.with_port(port_)));
    log_debug(log_name, "listening at {}", self_name());
    return NA_SUCCESS;
}

void Class::get_limits(na_limits& limits) const noexcept {
    limits.max_unexpected_size = max_unexpected_;
    limits.max_expected_size = max_expected_;
    limits.unexpected_header_size = 0;
    limits.expected_header_size = 0;
    limits.max_segments = options::max_segments;
    limits.max_tag = NA_TAG_MAX;
}

bool Class::is_own(const na::sdk::IpAddress& ip, std::uint16_t port) const {
    if (port_ == 0 || port != port_) return false;
    if (ip == published_ || ip == bound_) return true;
    return bound_.is_wildcard() && is_of_host(ip);
}

bool Class::is_of_host(const na::sdk::IpAddress& ip) const {
    if (ip == published_ || ip.is_loopback()) return true;
    const auto interfaces = na::sdk::list_interfaces();
    return std::any_of(
        interfaces.begin(), interfaces.end(),
        [&](const na::sdk::Interface& interface) { return interface.address == ip; });
}

Status Class::lookup(const char* name, Address*& found) {
    std::string_view text = name;
    if (!text.starts_with(prefix_))
        return log_error(NA_PROTONOSUPPORT, log_name, "\"{}\" is not an address of {}", text,
                         prefix_);
    if (text.find('#') != std::string_view::npos) {
        if (text == self_name()) return self(found);
        found = addresses_.find(std::string(text));
        if (found != nullptr) return NA_SUCCESS;
        return log_error(NA_ADDRNOTAVAIL, log_name,
                         "\"{}\" does not listen and is not connected here", text);
    }
    auto host = na::sdk::parse_host_part(text.substr(prefix_.size()));
    if (!host.ok()) return host.status();
    if (host->host.empty() || !host->has_port || host->port == 0)
        return log_error(NA_INVALID_ARG, log_name, "\"{}\": {} is missing", text,
                         host->host.empty() ? "the host" : "the port");
    auto ip = na::sdk::resolve(host->host, format_);
    if (!ip.ok()) return ip.status();
    if (ip->is_wildcard())
        return log_error(NA_INVALID_ARG, log_name, "\"{}\" is nobody's address", text);
    if (is_own(*ip, host->port)) return self(found);
    found =
        addresses_.intern(fmt::format("{}{}", prefix_, ip->with_port(host->port)), *ip, host->port);
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::self(Address*& found) {
    found = addresses_.intern(self_name(), published_, port_);
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::set_remove(Address& address) {
    if (address.self) return NA_SUCCESS;
    addresses_.forget(address);
    MutexLock lock(mutex_);
    for (Context* context : contexts_)
        if (context != nullptr) context->forget(address);
    return NA_SUCCESS;
}

Status Class::to_string(const Address& address, char* buf, std::size_t& size) const {
    const std::size_t given = size;
    size = address.name.size() + 1;
    if (buf == nullptr) return NA_SUCCESS;
    if (given < size) return NA_OVERFLOW;
    std::memcpy(buf, address.name.c_str(), size);
    return NA_SUCCESS;
}

std::size_t Class::serialize_size(const Address& address) const noexcept {
    return address.name.size() + 1;
}

Status Class::serialize(const Address& address, void* buf, std::size_t size) const {
    return to_string(address, static_cast<char*>(buf), size);
}

Status Class::deserialize(const void* buf, std::size_t size, Address*& found) {
    const auto* text = static_cast<const char*>(buf);
    if (::strnlen(text, size) == size)
        return log_error(NA_PROTOCOL_ERROR, log_name, "a serialised address has no end");
    // It came from a peer: a name there would make us ask a name server, and wait for it.
    std::string_view rest(text);
    if (rest.starts_with(prefix_)) rest.remove_prefix(prefix_.size());
    if (rest.find('#') == std::string_view::npos) {
        auto host = na::sdk::parse_host_part(rest);
        if (!host.ok()) return NA_PROTOCOL_ERROR;
        if (!na::sdk::parse_ip(host->host).ok())
            return log_error(NA_PROTOCOL_ERROR, log_name, "\"{}\" is not a serialised address",
                             text);
    }
    return lookup(text, found);
}

FileDescriptor Class::accept(na::sdk::IpAddress& from) {
    for (;;) {
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        FileDescriptor fd(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&storage), &length,
                                    SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            na::sdk::tune(fd.get());
            from = na::sdk::address_of(storage);
            return fd;
        }
        if (errno == ECONNABORTED || errno == EINTR) continue;
        if (errno == EMFILE || errno == ENFILE) refuse_for_want_of_descriptors();
        return fd;
    }
}

// A connection that cannot be accepted would keep the listener readable for ever, and every poll
// busy: take it with the descriptor held in reserve and close it, so that the peer learns at once.
void Class::refuse_for_want_of_descriptors() {
    MutexLock lock(mutex_);
    reserve_.reset();
    FileDescriptor refused(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    refused.reset();
    reserve_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec == last_warning_s_) return;
    last_warning_s_ = now.tv_sec;
    log_warning(log_name, "{}: no file descriptors are left: connections are refused", self_name());
}

Status Class::add(Context& context) {
    MutexLock lock(mutex_);
    Context*& entry = contexts_[context.id()];
    if (entry != nullptr)
        return log_error(NA_EXIST, log_name, "context {} exists already", context.id());
    entry = &context;
    return NA_SUCCESS;
}

void Class::remove(Context& context) {
    MutexLock lock(mutex_);
    contexts_[context.id()] = nullptr;
}

void Class::drop_keys(const Remote& remote) {
    MutexLock lock(mutex_);
    for (std::size_t word = 0; word < remote.users.size(); ++word) {
        std::uint64_t bits = remote.users[word].load(std::memory_order_acquire);
        for (std::size_t bit = 0; bits != 0; ++bit, bits >>= 1)
            if (Context* context = contexts_[word * 64 + bit];
                (bits & 1) != 0 && context != nullptr)
                context->drop_keys(remote.id);
    }
}

bool Class::hand_over(std::uint8_t id, Arrival& arrival) {
    MutexLock lock(mutex_);
    if (contexts_[id] == nullptr) return false;
    contexts_[id]->hand_over(std::move(arrival));
    return true;
}

}  // namespace cinnabar::ucx
