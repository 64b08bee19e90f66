// SPDX-License-Identifier: BSD-3-Clause
// The form in which a region travels (docs/wire.md). Reading checks every length against the bytes
// that are there before anything is allocated or used.
#pragma once

#include "bulk/region.hpp"

namespace cinnabar::bulk {

// Bytes that write_descriptor() needs; with `eager`, data comes along if the region allows it.
std::size_t descriptor_size(const hg_bulk& region, bool eager);
// Whether data can come along: ours, readable, in host memory, not empty.
bool can_be_eager(const hg_bulk& region) noexcept;
// HG_OVERFLOW if `size` is too small.
hg_return_t write_descriptor(const hg_bulk& region, bool eager, void* to, std::size_t size);
// HG_OVERFLOW: shorter than it claims; HG_PROTOCOL_ERROR: malformed.
hg_return_t read_descriptor(hg_class& cls, const void* from, std::size_t size, hg_bulk** region);

}  // namespace cinnabar::bulk
