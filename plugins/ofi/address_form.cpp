// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/address_form.hpp"

#include <algorithm>
#include <cstring>

#include "na/base/log.hpp"
#include "plugins/ofi/options.hpp"

namespace cinnabar::ofi {

namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

std::string library_prefix(const Provider& provider) {
    return fmt::format("fi_{}://", provider.library);
}

Result<Raw> raw_of_host(std::string_view text, na_addr_format format, bool resolve,
                        std::string& canonical) {
    auto host = na::sdk::parse_host_part(text);
    if (!host.ok()) return host.status();
    if (host->host.empty() || !host->has_port || host->port == 0)
        return log_error(NA_INVALID_ARG, log_name, "\"{}\": {} is missing", text,
                         host->host.empty() ? "the host" : "the port");
    auto ip = na::sdk::parse_ip(host->host);
    if (!ip.ok()) {
        if (!resolve)
            return log_error(NA_PROTOCOL_ERROR, log_name, "\"{}\" is not a numeric address", text);
        ip = na::sdk::resolve(host->host, format);
        if (!ip.ok()) return ip.status();
    }
    if (ip->is_wildcard())
        return log_error(NA_INVALID_ARG, log_name, "\"{}\" is nobody's address", text);
    canonical = ip->with_port(host->port);
    return raw_of_ip(*ip, host->port);
}

Result<Raw> raw_of_text(const Provider& provider, std::string_view text, std::string& canonical) {
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 127 && c != '/' && c != '#';
    });
    const std::string whole = library_prefix(provider) + std::string(text);
    if (text.empty() || !printable || whole.size() + 1 > options::max_raw_size)
        return log_error(NA_INVALID_ARG, log_name, "\"{}\" is not an address of {}",
                         text.substr(0, 100), provider.protocol);
    canonical = text;
    Raw raw(whole.size() + 1);
    std::memcpy(raw.data(), whole.c_str(), raw.size());
    return raw;
}

Result<Raw> raw_of_hex(const Provider& provider, std::string_view text, std::string& canonical) {
    Raw raw;
    bool good = !text.empty() && text.size() % 2 == 0 && text.size() <= 2 * options::max_raw_size;
    for (std::size_t i = 0; good && i < text.size(); i += 2) {
        const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        good = high >= 0 && low >= 0;
        if (good) raw.push_back(static_cast<std::byte>(high * 16 + low));
    }
    if (!good)
        return log_error(NA_INVALID_ARG, log_name, "\"{}\" is not an address of {}",
                         text.substr(0, 100), provider.protocol);
    canonical = text;
    return raw;
}

}  // namespace

bool ip_of(const Raw& raw, na::sdk::IpAddress& ip, std::uint16_t& port) noexcept {
    sockaddr_storage storage{};
    if (raw.size() < sizeof(sockaddr_in) || raw.size() > sizeof storage) return false;
    std::memcpy(&storage, raw.data(), raw.size());
    const bool v6 = storage.ss_family == AF_INET6;
    if (!v6 && storage.ss_family != AF_INET) return false;
    if (v6 && raw.size() < sizeof(sockaddr_in6)) return false;
    ip = na::sdk::address_of(storage, &port);
    return true;
}

Raw raw_of_ip(const na::sdk::IpAddress& ip, std::uint16_t port) {
    sockaddr_storage storage;
    const socklen_t size = ip.to_sockaddr(port, storage);
    Raw raw(size);
    std::memcpy(raw.data(), &storage, size);
    return raw;
}

Result<std::string> text_of(const Provider& provider, const Raw& raw) {
    const auto refuse = [&] {
        return log_error(NA_PROTOCOL_ERROR, log_name, "{} bytes are no address of {}", raw.size(),
                         provider.protocol);
    };
    if (raw.empty() || raw.size() > options::max_raw_size) return refuse();
    if (provider.form == AddressForm::ip) {
        na::sdk::IpAddress ip;
        std::uint16_t port = 0;
        if (!ip_of(raw, ip, port)) return refuse();
        return ip.with_port(port);
    }
    if (provider.form == AddressForm::text) {
        const auto* bytes = reinterpret_cast<const char*>(raw.data());
        std::string_view text(bytes, ::strnlen(bytes, raw.size()));
        const std::string prefix = library_prefix(provider);
        if (!text.starts_with(prefix) || text.size() == prefix.size()) return refuse();
        return std::string(text.substr(prefix.size()));
    }
    std::string text;
    for (const std::byte byte : raw)
        text += fmt::format("{:02x}", static_cast<unsigned>(byte));
    return text;
}

Result<Raw> raw_of(const Provider& provider, std::string_view text, na_addr_format format,
                   bool resolve, std::string& canonical) {
    switch (provider.form) {
        case AddressForm::ip:
            return raw_of_host(text, format, resolve, canonical);
        case AddressForm::text:
            return raw_of_text(provider, text, canonical);
        case AddressForm::hex:
            break;
    }
    return raw_of_hex(provider, text, canonical);
}

}  // namespace cinnabar::ofi
