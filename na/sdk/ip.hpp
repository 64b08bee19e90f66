// SPDX-License-Identifier: BSD-3-Clause
// IP addresses, subnets, interfaces and the host part of an info string ("host:port", "eth0",
// "[::1]:0"). For plugins that name peers by IP. Everything but list_interfaces() and resolve() is
// a pure function over its arguments; those two ask the system and resolve() may block. No state;
// any thread. Errors are logged here, naming what was wrong, and carried as codes.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "na/base/result.hpp"

namespace cinnabar::na::sdk {

// An IPv4 or IPv6 address without port. Bytes are in network order; IPv4 uses the first four.
struct IpAddress {
    int family = AF_INET;  // AF_INET or AF_INET6
    std::array<std::uint8_t, 16> bytes{};
    std::uint32_t scope = 0;  // IPv6 link-local: interface index

    bool is_wildcard() const noexcept;
    bool is_loopback() const noexcept;
    bool is_link_local() const noexcept;
    std::string to_string() const;  // numeric, IPv6 without brackets, "%scope" when there is one
    // "1.2.3.4:5" or "[::1]:5".
    std::string with_port(std::uint16_t port) const;
    // Fills `storage`, returns the length used.
    socklen_t to_sockaddr(std::uint16_t port, sockaddr_storage& storage) const noexcept;
    friend bool operator==(const IpAddress&, const IpAddress&) noexcept = default;
};

// The address and port of a socket address; other families give the IPv4 wildcard.
IpAddress address_of(const sockaddr_storage& storage, std::uint16_t* port = nullptr) noexcept;

// Parses a numeric address, "1.2.3.4", "::1", "fe80::1%3". NA_INVALID_ARG (not logged) if it is not
// one.
Result<IpAddress> parse_ip(std::string_view text);

struct Subnet {
    IpAddress address;
    unsigned prefix_bits = 0;
    bool contains(const IpAddress& other) const noexcept;
};
// Parses "10.1.0.0/16" or "fd00::/8". NA_INVALID_ARG.
Result<Subnet> parse_subnet(std::string_view text);

// What stands behind "tcp://".
struct HostPart {
    std::string host;  // name, numeric address without brackets, interface, or empty
    std::uint16_t port = 0;
    bool has_port = false;
};
// Parses "", "host", "host:port", ":port", "[v6]", "[v6]:port", and a bare v6 address.
// NA_INVALID_ARG.
Result<HostPart> parse_host_part(std::string_view text);

// One address of one network interface.
struct Interface {
    std::string name;
    IpAddress address;
    bool up = true;
    bool loopback = false;
};
// The interfaces of this machine, in the system's order. An error of the system gives an empty
// list.
std::vector<Interface> list_interfaces();
// The names of those that are up, each once, in the same order: what a plugin lists as devices.
std::vector<std::string> names_of_devices(const std::vector<Interface>& interfaces);

struct AddressWish {
    std::string host;    // empty, wildcard, interface name, or anything else
    std::string subnet;  // empty: any
    na_addr_format format = NA_ADDR_UNSPEC;
};
// The address that others can reach: of the named interface, or, with no host or a wildcard, of the
// first that is up and not loopback and in the subnet, else of a loopback one. IPv4 is preferred
// unless the format or a v6 wildcard says otherwise. NA_NODEV: nothing suitable; NA_NOENTRY (not
// logged): the host is neither empty nor a wildcard nor an interface; NA_INVALID_ARG: bad subnet.
Result<IpAddress> choose_address(const std::vector<Interface>& interfaces, const AddressWish& wish);

// The address of a host name, IPv4 preferred unless the format says IPv6. May block.
// NA_ADDRNOTAVAIL if unknown.
Result<IpAddress> resolve(const std::string& host, na_addr_format format);

}  // namespace cinnabar::na::sdk
