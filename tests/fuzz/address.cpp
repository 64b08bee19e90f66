// SPDX-License-Identifier: BSD-3-Clause
// Any text as an info string, an IP address, a subnet, a host part or an address of the
// shared-memory transport: what is accepted is printed to a text that is accepted as the same. The
// first byte chooses.
#include <string>
#include <string_view>

#include "na/core/info_string.hpp"
#include "na/sdk/ip.hpp"
#include "plugins/sm/address.hpp"
#include "plugins/sm/options.hpp"
#include "tests/fuzz/property.hpp"

using namespace cinnabar;
using fuzz::require;

namespace {

void check_info_string(std::string_view text) {
    std::string why;
    const Result<na::InfoString> info = na::parse_info_string(text, &why);
    require(info.ok() == why.empty());
    if (!info.ok()) return;
    require(!info.value().protocol.empty());
    require((info.value().class_name + info.value().protocol).find_first_of("+:/ ") ==
            std::string::npos);
    std::string again = info.value().protocol;
    if (!info.value().class_name.empty()) again = info.value().class_name + "+" + again;
    again += "://" + info.value().host;
    require(again == text || again == std::string(text) + "://");
}

void check_ip(std::string_view text) {
    const Result<na::sdk::IpAddress> ip = na::sdk::parse_ip(text);
    if (!ip.ok()) return;
    require(text.find('\0') == std::string_view::npos);
    const Result<na::sdk::IpAddress> again = na::sdk::parse_ip(ip.value().to_string());
    require(again.ok() && again.value() == ip.value());
    sockaddr_storage storage{};
    require(ip.value().to_sockaddr(4711, storage) <= sizeof storage);
    std::uint16_t port = 0;
    require(na::sdk::address_of(storage, &port) == ip.value() && port == 4711);
    const auto part = na::sdk::parse_host_part(ip.value().with_port(4711));
    require(part.ok() && part.value().has_port && part.value().port == 4711);
    require(part.value().host == ip.value().to_string());
}

void check_subnet(std::string_view text) {
    const Result<na::sdk::Subnet> subnet = na::sdk::parse_subnet(text);
    if (!subnet.ok()) return;
    const unsigned width = subnet.value().address.family == AF_INET ? 32 : 128;
    require(subnet.value().prefix_bits <= width);
    require(subnet.value().contains(subnet.value().address));
    na::sdk::IpAddress other = subnet.value().address;
    for (unsigned bit = 0; bit < width; ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80u >> (bit % 8));
        other.bytes[bit / 8] ^= mask;
        require(subnet.value().contains(other) == (bit >= subnet.value().prefix_bits));
        other.bytes[bit / 8] ^= mask;
    }
}

void check_host_part(std::string_view text) {
    const Result<na::sdk::HostPart> part = na::sdk::parse_host_part(text);
    if (!part.ok()) return;
    const na::sdk::HostPart& got = part.value();
    require(got.host.find('\0') == std::string::npos);
    require(got.has_port || got.port == 0);
    std::string again = got.host.find(':') == std::string::npos ? got.host : "[" + got.host + "]";
    if (got.has_port) again += ":" + std::to_string(got.port);
    const auto reread = na::sdk::parse_host_part(again);
    require(reread.ok() && reread.value().host == got.host);
    require(reread.value().port == got.port && reread.value().has_port == got.has_port);
}

void check_shared_memory(std::string_view text) {
    const Result<std::string> name = sm::parse_address(text);
    if (!name.ok()) return;
    require(!name.value().empty() && name.value().size() <= sm::max_name_length);
    require(name.value().find('\0') == std::string::npos);
    require(sm::print_address(name.value()) == text);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    switch (data[0] % 5) {
        case 0:
            check_info_string(text);
            break;
        case 1:
            check_ip(text);
            break;
        case 2:
            check_subnet(text);
            break;
        case 3:
            check_host_part(text);
            break;
        default:
            check_shared_memory(text);
    }
    return 0;
}
