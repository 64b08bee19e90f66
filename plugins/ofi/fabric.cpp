// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/fabric.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

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
    hints->domain_attr->mr_mode = static_cast<int>(done_mr_modes);
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

// What the library has, of one provider or of all, whatever it demands.
Info all_offers(const char* library) {
    Info hints(fi_allocinfo());
    if (hints == nullptr) return hints;
    hints->mode = ~std::uint64_t{0};
    hints->domain_attr->mode = ~std::uint64_t{0};
    hints->domain_attr->mr_mode = ~3;
    if (library != nullptr) hints->fabric_attr->prov_name = ::strdup(library);
    fi_info* list = nullptr;
    (void)fi_getinfo(api_version, nullptr, nullptr, 0, hints.get(), &list);
    return Info(list);
}

}  // namespace

Status Fabric::open(const na_plugin_open& request) {
    provider_ = find_provider(request.protocol);
    if (provider_ == nullptr) return NA_PROTONOSUPPORT;
    if (*provider_->refused != '\0')
        return log_error(NA_PROTONOSUPPORT, log_name, "{} is not opened: {}", provider_->protocol,
                         provider_->refused);
    const bool polled = (request.init->progress_mode & NA_NO_BLOCK) != 0;
    Info offers = offers_of(*provider_, polled);
    // Nothing fits: what there is says why.
    if (offers == nullptr) offers = all_offers(provider_->library);
    if (offers == nullptr) offers = all_offers(nullptr);
    auto device = pick_device(*provider_, request, offers.get());
    if (!device.ok()) return device.status();
    info_ = std::move(device->info);
    source_ = std::move(device->source);
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
        if (*provider.refused != '\0') continue;
        const Info offers = offers_of(provider, true);
        std::set<std::string> seen;
        for (const fi_info* info = offers.get(); info != nullptr; info = info->next) {
            const Candidate candidate = candidate_of(provider, *info);
            if (candidate.provider != provider.library || !seen.insert(candidate.domain).second)
                continue;
            emit(arg, provider.protocol, candidate.domain.c_str());
        }
    }
}

}  // namespace cinnabar::ofi
