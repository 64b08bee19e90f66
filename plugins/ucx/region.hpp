// SPDX-License-Identifier: BSD-3-Clause
// The SDK's regions by this plugin's names. The key of a segment says which of the packed UCX keys
// it has; only those of a peer's memory have one.
#pragma once

#include "na/sdk/region.hpp"

namespace cinnabar::ucx {

using na::sdk::inside;
using na::sdk::Region;
using na::sdk::RegionTable;
using na::sdk::Segment;
using na::sdk::segment_at;

}  // namespace cinnabar::ucx
