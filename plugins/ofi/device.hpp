// SPDX-License-Identifier: BSD-3-Clause
// The device that an info string means, among the library's offers. Asks the system for its
// interfaces and the library for nothing, so that it is tested with offers that are made up.
#pragma once

#include <cstdint>

#include "na/base/result.hpp"
#include "na_plugin.h"
#include "plugins/ofi/address_form.hpp"
#include "plugins/ofi/choice.hpp"
#include "plugins/ofi/fid.hpp"

namespace cinnabar::ofi {

// The kinds of memory registration that this plugin knows how to do.
inline constexpr std::uint64_t done_mr_modes =
    FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_ENDPOINT;

struct Device {
    Info info;   // a copy of the offer
    Raw source;  // what the first endpoint binds to; empty: any
};

// What matters of an offer.
Candidate candidate_of(const Provider& provider, const fi_info& info);
// Reads host, ip_subnet and addr_format of the request. NA_NODEV: nothing fits, and one line in the
// log lists each offer with the reason. NA_INVALID_ARG, NA_ADDRNOTAVAIL: the host is at fault.
Result<Device> pick_device(const Provider& provider, const na_plugin_open& request,
                           const fi_info* list);

}  // namespace cinnabar::ofi
