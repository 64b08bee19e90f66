// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/fabric.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

#include "na/base/log.hpp"
#include "plugins/ofi/error_code.hpp"
#include "plugins/ofi/options.hpp"

namespace cinnabar::ofi {

namespace {

// What the calls made here mean did not change since this version.
constexpr std::uint32_t api_version = FI_VERSION(1, 9);

Info hints_for(const Provider& provider, bool polled) {
    Info hints(fi_allocinfo());
    if (hints == nullptr) return hints;
    hints->caps = FI_MSG | FI_RMA;
    hints->mode = FI_CONTEXT | FI_CONTEXT2;
    hints->ep_attr->type = provider.kind == EndpointKind::connected ? FI_EP_MSG : FI_EP_RDM;
    if (provider.kind == EndpointKind::connected) hints->ep_attr->rx_ctx_cnt = FI_SHARED_CONTEXT;
    hints->domain_attr->threading = FI_THREAD_SAFE;
    hints->domain_attr->resource_mgmt = FI_RM_ENABLED;
    // Threads of the library would only be in the way of one that polls; who sleeps needs them.
    if (provider.own_threads && polled)
        hints->domain_attr->data_progress = hints->domain_attr->control_progress =
            FI_PROGRESS_MANUAL;
    hints->domain_attr->mr_mode =
        static_cast<int>(FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY);
    hints->tx_attr->msg_order = FI_ORDER_SAS;
    hints->rx_attr->msg_order = FI_ORDER_SAS;
    hints->fabric_attr->prov_name = ::strdup(provider.library);
    return hints;
}

// Before the library reads its environment for the first time: what the user has not set.
void set_defaults() {
    static const bool done = [] {
        // A thread that spins this long before it sleeps takes a processor from who waits for it.
        return ::setenv("FI_SOCKETS_PE_WAITTIME", "0", 0) == 0;
    }();
    (void)done;
}

// The library's list for a provider; empty when it has none.
Info offers_of(const Provider& provider, bool polled) {
    set_defaults();
    Info hints = hints_for(provider, polled);
    fi_info* list = nullptr;
    if (hints != nullptr) (void)fi_getinfo(api_version, nullptr, nullptr, 0, hints.get(), &list);
    return Info(list);
}

Raw bytes_of(const void* address, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(address);
    return bytes == nullptr ? Raw() : Raw(bytes, bytes + size);
}

const char* text_or_empty(const char* text) {
    return text == nullptr ? "" : text;
}

Candidate candidate_of(const fi_info& info) {
    Candidate candidate;
    candidate.provider = text_or_empty(info.fabric_attr->prov_name);
    candidate.fabric = text_or_empty(info.fabric_attr->name);
    candidate.domain = text_or_empty(info.domain_attr->name);
    candidate.ordered = (info.tx_attr->msg_order & FI_ORDER_SAS) != 0;
    na::sdk::IpAddress ip;
    std::uint16_t port = 0;
    if (ip_of(bytes_of(info.src_addr, info.src_addrlen), ip, port)) candidate.ip = ip;
    return candidate;
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

Status Fabric::open(const na_plugin_open& request) {
    provider_ = find_provider(request.protocol);
    if (provider_ == nullptr) return NA_PROTONOSUPPORT;
    const bool polled = (request.init->progress_mode & NA_NO_BLOCK) != 0;
    const Info offers = offers_of(*provider_, polled);
    CINNABAR_TRY(pick(request, offers.get()));
    fid_fabric* fabric = nullptr;
    if (const int ret = fi_fabric(info_->fabric_attr, &fabric, nullptr); ret != 0)
        return log_error(code_of_fi(ret), log_name, "{}: fi_fabric: {}", provider_->protocol,
                         fi_strerror(-ret));
    fabric_.reset(fabric);
    fid_domain* domain = nullptr;
    if (const int ret = fi_domain(fabric, info_.get(), &domain, nullptr); ret != 0)
        return log_error(code_of_fi(ret), log_name, "{}: fi_domain: {}", provider_->protocol,
                         fi_strerror(-ret));
    domain_.reset(domain);
    return NA_SUCCESS;
}

Status Fabric::pick(const na_plugin_open& request, const fi_info* list) {
    std::vector<Candidate> candidates;
    std::vector<const fi_info*> infos;
    for (const fi_info* info = list; info != nullptr; info = info->next) {
        candidates.push_back(candidate_of(*info));
        infos.push_back(info);
    }
    Wish wish;
    wish.provider = provider_->library;
    std::string_view host = request.host;
    wish.domain = take_domain(host);
    na::sdk::HostPart part;
    if (provider_->form == AddressForm::ip && !candidates.empty()) {
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
    info_.reset(fi_dupinfo(infos[*chosen]));
    if (info_ == nullptr) return NA_NOMEM;
    if (candidates[*chosen].ip.has_value()) {
        source_ = raw_of_ip(*candidates[*chosen].ip, part.port);
    } else if (!host.empty()) {
        std::string canonical;
        auto raw = raw_of(*provider_, host, NA_ADDR_UNSPEC, false, canonical);
        if (!raw.ok()) return raw.status();
        source_ = *raw;
    }
    return NA_SUCCESS;
}

Info Fabric::bound_to(const Raw& source) const {
    Info info(fi_dupinfo(info_.get()));
    if (info == nullptr || source.empty()) return info;
    std::free(info->src_addr);
    info->src_addr = std::malloc(source.size());
    info->src_addrlen = info->src_addr == nullptr ? 0 : source.size();
    if (info->src_addr != nullptr) std::memcpy(info->src_addr, source.data(), source.size());
    return info;
}

Info Fabric::leading_to(const Raw& destination) const {
    Info info(fi_dupinfo(info_.get()));
    if (info == nullptr) return info;
    // Where it comes from is the system's business.
    std::free(info->src_addr);
    info->src_addr = nullptr;
    info->src_addrlen = 0;
    std::free(info->dest_addr);
    info->dest_addr = std::malloc(destination.size());
    info->dest_addrlen = info->dest_addr == nullptr ? 0 : destination.size();
    if (info->dest_addr != nullptr)
        std::memcpy(info->dest_addr, destination.data(), destination.size());
    return info;
}

std::uint64_t Fabric::key_mask() const noexcept {
    const std::size_t size = info_->domain_attr->mr_key_size;
    return size == 0 || size >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1;
}

std::size_t Fabric::local_iovecs() const noexcept {
    return std::clamp<std::size_t>(info_->tx_attr->iov_limit, 1, options::max_iovecs);
}

std::size_t Fabric::remote_iovecs() const noexcept {
    return std::clamp<std::size_t>(info_->tx_attr->rma_iov_limit, 1, options::max_iovecs);
}

void list_devices(void (*emit)(void* arg, const char* protocol, const char* device), void* arg) {
    for (const Provider& provider : providers()) {
        const Info offers = offers_of(provider, true);
        std::set<std::string> seen;
        for (const fi_info* info = offers.get(); info != nullptr; info = info->next) {
            const Candidate candidate = candidate_of(*info);
            if (candidate.provider != provider.library || !seen.insert(candidate.domain).second)
                continue;
            emit(arg, provider.protocol, candidate.domain.c_str());
        }
    }
}

}  // namespace cinnabar::ofi
