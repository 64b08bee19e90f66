// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/ip.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "na/base/log.hpp"

namespace cinnabar::na::sdk {

namespace {

constexpr const char* log_name = "na_ip";

template <class Number>
bool parse_number(std::string_view text, Number& number, unsigned maximum) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return false;
    if (value > maximum) return false;
    number = static_cast<Number>(value);
    return true;
}

bool family_fits(const IpAddress& address, na_addr_format format) {
    return format == NA_ADDR_UNSPEC || format == NA_ADDR_NATIVE ||
           address.family == (format == NA_ADDR_IPV6 ? AF_INET6 : AF_INET);
}

}  // namespace

bool IpAddress::is_wildcard() const noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const noexcept {
    if (family == AF_INET) return bytes[0] == 127;
    return bytes[15] == 1 &&
           std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_link_local() const noexcept {
    if (family == AF_INET) return bytes[0] == 169 && bytes[1] == 254;
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(family, bytes.data(), text.data(), static_cast<socklen_t>(text.size()));
    std::string result(text.data());
    if (scope != 0) result += fmt::format("%{}", scope);
    return result;
}

std::string IpAddress::with_port(std::uint16_t port) const {
    return family == AF_INET6 ? fmt::format("[{}]:{}", to_string(), port)
                              : fmt::format("{}:{}", to_string(), port);
}

socklen_t IpAddress::to_sockaddr(std::uint16_t port, sockaddr_storage& storage) const noexcept {
    std::memset(&storage, 0, sizeof storage);
    if (family == AF_INET) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, bytes.data(), 4);
        std::memcpy(&storage, &v4, sizeof v4);
        return sizeof v4;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_scope_id = scope;
    std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    std::memcpy(&storage, &v6, sizeof v6);
    return sizeof v6;
}

IpAddress address_of(const sockaddr_storage& storage, std::uint16_t* port) noexcept {
    IpAddress address;
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage, sizeof v6);
        address.family = AF_INET6;
        address.scope = v6.sin6_scope_id;
        std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
        if (port != nullptr) *port = ntohs(v6.sin6_port);
    } else if (storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        std::memcpy(address.bytes.data(), &v4.sin_addr, 4);
        if (port != nullptr) *port = ntohs(v4.sin_port);
    }
    return address;
}

Result<IpAddress> parse_ip(std::string_view text) {
    IpAddress address;
    // The system's functions would stop reading there.
    if (text.find('\0') != std::string_view::npos) return NA_INVALID_ARG;
    std::string_view number = text;
    if (const auto percent = text.find('%'); percent != std::string_view::npos) {
        const std::string_view zone = text.substr(percent + 1);
        number = text.substr(0, percent);
        if (!parse_number(zone, address.scope, UINT32_MAX))
            address.scope = ::if_nametoindex(std::string(zone).c_str());
        if (address.scope == 0) return NA_INVALID_ARG;
    }
    const std::string copy(number);
    if (address.scope == 0 && ::inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1)
        return address;
    address.family = AF_INET6;
    if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
    return NA_INVALID_ARG;
}

bool Subnet::contains(const IpAddress& other) const noexcept {
    if (other.family != address.family) return false;
    for (unsigned bit = 0; bit < prefix_bits; ++bit) {
        const unsigned mask = 0x80u >> (bit % 8);
        if ((address.bytes[bit / 8] & mask) != (other.bytes[bit / 8] & mask)) return false;
    }
    return true;
}

Result<Subnet> parse_subnet(std::string_view text) {
    Subnet subnet;
    const auto slash = text.find('/');
    Result<IpAddress> address = parse_ip(text.substr(0, slash));
    if (!address.ok()) return log_error(NA_INVALID_ARG, log_name, "\"{}\" is not a subnet", text);
    subnet.address = *address;
    const unsigned width = subnet.address.family == AF_INET ? 32 : 128;
    subnet.prefix_bits = width;
    if (slash != std::string_view::npos &&
        !parse_number(text.substr(slash + 1), subnet.prefix_bits, width))
        return log_error(NA_INVALID_ARG, log_name, "subnet \"{}\": bad prefix length", text);
    return subnet;
}

Result<HostPart> parse_host_part(std::string_view text) {
    HostPart part;
    const auto malformed = [&](const char* why) {
        return log_error(NA_INVALID_ARG, log_name, "address \"{}\" is malformed: {}", text, why);
    };
    if (text.find_first_of(std::string_view(" \t\r\n/\0", 6)) != std::string_view::npos)
        return malformed("unexpected character");
    std::string_view rest;
    if (!text.empty() && text.front() == '[') {
        const auto bracket = text.find(']');
        if (bracket == std::string_view::npos) return malformed("']' is missing");
        part.host = text.substr(1, bracket - 1);
        const Result<IpAddress> inside = parse_ip(part.host);
        if (!inside.ok() || inside.value().family != AF_INET6)
            return malformed("no IPv6 address between brackets");
        rest = text.substr(bracket + 1);
    } else if (std::count(text.begin(), text.end(), ':') > 1) {
        if (!parse_ip(text).ok()) return malformed("more than one ':'");
        part.host = text;
    } else {
        const auto colon = text.find(':');
        part.host = text.substr(0, colon);
        if (colon != std::string_view::npos) rest = text.substr(colon);
    }
    if (rest.empty()) return part;
    if (rest.front() != ':') return malformed("unexpected text behind ']'");
    if (!parse_number(rest.substr(1), part.port, 65535)) return malformed("bad port");
    part.has_port = true;
    return part;
}

std::vector<Interface> list_interfaces() {
    std::vector<Interface> interfaces;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return interfaces;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        const int family = entry->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        sockaddr_storage storage{};
        std::memcpy(&storage, entry->ifa_addr,
                    family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        interfaces.push_back({entry->ifa_name, address_of(storage),
                              (entry->ifa_flags & IFF_UP) != 0,
                              (entry->ifa_flags & IFF_LOOPBACK) != 0});
    }
    ::freeifaddrs(list);
    return interfaces;
}

std::vector<std::string> names_of_devices(const std::vector<Interface>& interfaces) {
    std::vector<std::string> names;
    for (const Interface& interface : interfaces)
        if (interface.up && std::find(names.begin(), names.end(), interface.name) == names.end())
            names.push_back(interface.name);
    return names;
}

namespace {

// Lower is better: what kind of interface, then the family.
int rank(const Interface& interface, bool prefer_v6) {
    const bool family_as_wished = (interface.address.family == AF_INET6) == prefer_v6;
    return (interface.loopback ? 4 : 0) + (interface.address.is_link_local() ? 2 : 0) +
           (family_as_wished ? 0 : 1);
}

}  // namespace

Result<IpAddress> choose_address(const std::vector<Interface>& interfaces,
                                 const AddressWish& wish) {
    const Result<IpAddress> numeric = parse_ip(wish.host);
    const bool wildcard = numeric.ok() && numeric.value().is_wildcard();
    const bool any = wish.host.empty() || wildcard;
    const bool named = std::any_of(interfaces.begin(), interfaces.end(),
                                   [&](const Interface& i) { return i.name == wish.host; });
    if (!any && !named) return NA_NOENTRY;
    Subnet subnet;
    if (!wish.subnet.empty()) {
        Result<Subnet> parsed = parse_subnet(wish.subnet);
        if (!parsed.ok()) return parsed.status();
        subnet = *parsed;
    }
    // A v4 wildcard socket cannot be reached over v6.
    const bool only_v4 = wildcard && numeric.value().family == AF_INET;
    const bool prefer_v6 =
        wish.format == NA_ADDR_IPV6 || (wildcard && numeric.value().family == AF_INET6);
    const Interface* best = nullptr;
    for (const Interface& interface : interfaces) {
        if (!interface.up || (!any && interface.name != wish.host)) continue;
        if (!family_fits(interface.address, wish.format)) continue;
        if (only_v4 && interface.address.family != AF_INET) continue;
        if (!wish.subnet.empty() && !subnet.contains(interface.address)) continue;
        if (best == nullptr || rank(interface, prefer_v6) < rank(*best, prefer_v6))
            best = &interface;
    }
    if (best != nullptr) return best->address;
    return log_error(NA_NODEV, log_name, "no address: {} has none that is up{}{}",
                     any ? "this machine" : "interface " + wish.host,
                     wish.subnet.empty() ? "" : " in subnet ", wish.subnet);
}

Result<IpAddress> resolve(const std::string& host, na_addr_format format) {
    if (Result<IpAddress> numeric = parse_ip(host); numeric.ok()) return numeric;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0)
        return log_error(NA_ADDRNOTAVAIL, log_name, "host \"{}\": {}", host, ::gai_strerror(error));
    const bool prefer_v6 = format == NA_ADDR_IPV6;
    const addrinfo* best = nullptr;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
        if (best == nullptr || ((best->ai_family == AF_INET6) != prefer_v6 &&
                                (entry->ai_family == AF_INET6) == prefer_v6))
            best = entry;
    }
    sockaddr_storage storage{};
    if (best != nullptr) std::memcpy(&storage, best->ai_addr, best->ai_addrlen);
    ::freeaddrinfo(list);
    if (storage.ss_family == 0)
        return log_error(NA_ADDRNOTAVAIL, log_name, "host \"{}\" has no IP address", host);
    return address_of(storage);
}

}  // namespace cinnabar::na::sdk
