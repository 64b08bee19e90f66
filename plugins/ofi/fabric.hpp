// SPDX-License-Identifier: BSD-3-Clause
// The library opened for a class: the device chosen, its fabric and domain, and what it demands.
// Endpoints, address vectors and queues are made from it by contexts, any thread: it is opened
// thread-safe, since memory is registered while contexts make progress.
#pragma once

#include <string>
#include <vector>

#include "na/base/result.hpp"
#include "na_plugin.h"
#include "plugins/ofi/address_form.hpp"
#include "plugins/ofi/device.hpp"
#include "plugins/ofi/fid.hpp"
#include "plugins/ofi/providers.hpp"

namespace cinnabar::ofi {

class Fabric {
public:
    // Reads protocol, host, ip_subnet and addr_format.
    Status open(const na_plugin_open& request);

    const Provider& provider() const noexcept { return *provider_; }
    bool connected_kind() const noexcept { return provider_->kind == EndpointKind::connected; }
    const fi_info& info() const noexcept { return *info_; }
    fid_fabric* fabric() const noexcept { return fabric_.get(); }
    fid_domain* domain() const noexcept { return domain_.get(); }
    bool demands(std::uint64_t mr_mode) const noexcept {
        return (static_cast<std::uint64_t>(info_->domain_attr->mr_mode) & mr_mode) != 0;
    }
    // A copy of the description, bound to an address (empty: any), or leading to one.
    Info bound_to(const Raw& source) const;
    Info leading_to(const Raw& destination) const;
    // What the first endpoint binds to.
    const Raw& source() const noexcept { return source_; }
    std::uint64_t key_mask() const noexcept;
    std::size_t local_iovecs() const noexcept;
    std::size_t remote_iovecs() const noexcept;

private:
    const Provider* provider_ = nullptr;
    Raw source_;
    Info info_;
    Fid<fid_fabric> fabric_;
    Fid<fid_domain> domain_;
};

// Calls emit(protocol, device) once for each provider of the table and device that is there.
void list_devices(void (*emit)(void* arg, const char* protocol, const char* device), void* arg);

}  // namespace cinnabar::ofi
