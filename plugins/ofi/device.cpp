// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/device.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "na/base/log.hpp"
#include "plugins/ofi/options.hpp"

namespace cinnabar::ofi {

namespace {

Raw bytes_of(const void* address, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(address);
    return bytes == nullptr ? Raw() : Raw(bytes, bytes + size);
}

const char* text_or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

// Why an offer cannot be used at all; empty if it can.
std::string lack_of(const Provider& provider, const fi_info& info) {
    const auto kind = provider.kind == EndpointKind::connected ? FI_EP_MSG : FI_EP_RDM;
    if (info.ep_attr->type != kind)
        return provider.kind == EndpointKind::connected ? "its endpoints are not connected ones"
                                                        : "its endpoints are not for all peers";
    if ((info.caps & FI_MSG) == 0) return "it has no messages";
    if ((info.caps & FI_RMA) == 0) return "it has no transfers (RMA)";
    const auto modes = static_cast<std::uint64_t>(info.domain_attr->mr_mode);
    if ((modes & ~done_mr_modes) != 0)
        return fmt::format("it wants memory registered in a way not done here (mode {:#x})",
                           modes & ~done_mr_modes);
    const std::uint64_t wants = info.mode & ~(FI_CONTEXT | FI_CONTEXT2);
    if (wants != 0) return fmt::format("it wants what is not done here (mode {:#x})", wants);
    return {};
}

// "domain/rest" names a domain; the rest, or the whole, is the host part.
std::string_view take_domain(std::string_view& host) {
    const auto slash = host.find('/');
    if (slash == std::string_view::npos) return {};
    const std::string_view domain = host.substr(0, slash);
    host.remove_prefix(slash + 1);
    return domain;
}

bool is_domain(std::span<const Candidate> candidates, std::string_view name) {
    return std::any_of(candidates.begin(), candidates.end(),
                       [&](const Candidate& candidate) { return candidate.domain == name; });
}

// The address that a host part means, among those that the candidates have.
Result<na::sdk::IpAddress> address_wanted(const na_plugin_open& request,
                                          std::span<const Candidate> candidates,
                                          const na::sdk::HostPart& host) {
    auto interfaces = na::sdk::list_interfaces();
    std::erase_if(interfaces, [&](const na::sdk::Interface& interface) {
        return std::none_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
            return candidate.ip == interface.address;
        });
    });
    const na::sdk::AddressWish wish{
        host.host, request.init->ip_subnet == nullptr ? "" : request.init->ip_subnet,
        request.init->addr_format};
    auto chosen = na::sdk::choose_address(interfaces, wish);
    if (!chosen.ok() && chosen.status().code() == NA_NOENTRY)
        chosen = na::sdk::resolve(host.host, wish.format);
    return chosen;
}

}  // namespace

Candidate candidate_of(const Provider& provider, const fi_info& info) {
    Candidate candidate;
    candidate.lacks = lack_of(provider, info);
    candidate.provider = text_or_empty(info.fabric_attr->prov_name);
    candidate.fabric = text_or_empty(info.fabric_attr->name);
    candidate.domain = text_or_empty(info.domain_attr->name);
    candidate.ordered = (info.tx_attr->msg_order & FI_ORDER_SAS) != 0;
    na::sdk::IpAddress ip;
    std::uint16_t port = 0;
    if (ip_of(bytes_of(info.src_addr, info.src_addrlen), ip, port)) candidate.ip = ip;
    return candidate;
}

Result<Device> pick_device(const Provider& provider, const na_plugin_open& request,
                           const fi_info* list) {
    std::vector<Candidate> candidates;
    std::vector<const fi_info*> infos;
    for (const fi_info* info = list; info != nullptr; info = info->next) {
        candidates.push_back(candidate_of(provider, *info));
        infos.push_back(info);
    }
    Wish wish;
    wish.provider = provider.library;
    std::string_view host = request.host;
    wish.domain = take_domain(host);
    na::sdk::HostPart part;
    if (provider.form == AddressForm::ip && !candidates.empty()) {
        auto parsed = na::sdk::parse_host_part(host);
        if (!parsed.ok()) return parsed.status();
        part = *parsed;
        // An interface is mostly named like a domain too: then its addresses are chosen from.
        const bool any_interface = part.host.empty() && !wish.domain.empty();
        auto ip = any_interface ? Result<na::sdk::IpAddress>(NA_NOENTRY)
                                : address_wanted(request, candidates, part);
        if (ip.ok())
            wish.ip = *ip;
        else if (is_domain(candidates, part.host))
            wish.domain = part.host;
        else if (!any_interface)
            return ip.status();
    } else if (wish.domain.empty() && is_domain(candidates, host)) {
        wish.domain = host;
        host = {};
    }
    std::string why;
    const auto chosen = choose(candidates, wish, why);
    if (!chosen.has_value())
        return log_error(NA_NODEV, log_name, "no device for {}://{}: {}", request.protocol,
                         request.host, why);
    Device device{Info(fi_dupinfo(infos[*chosen])), {}};
    if (device.info == nullptr) return Status(NA_NOMEM);
    if (candidates[*chosen].ip.has_value()) {
        device.source = raw_of_ip(*candidates[*chosen].ip, part.port);
    } else if (!host.empty()) {
        std::string canonical;
        auto raw = raw_of(provider, host, NA_ADDR_UNSPEC, false, canonical);
        if (!raw.ok()) return raw.status();
        device.source = *raw;
    }
    return device;
}

}  // namespace cinnabar::ofi
