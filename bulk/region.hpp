// SPDX-License-Identifier: BSD-3-Clause
// A region: memory described for transfers, ours or a peer's; what hg_bulk_t points to. Counted;
// nothing in it changes after creation except by bind.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "hg/core/address.hpp"
#include "mercury_bulk.h"
#include "na/base/local_atomic.hpp"

struct hg_bulk {
    hg_class* cls = nullptr;
    cinnabar::LocalAtomic<int> references{1};
    std::uint64_t length = 0;
    std::uint32_t segment_count = 0;
    std::uint8_t permissions = 0;  // HG_BULK_*, as the remote side may use it
    bool remote = false;           // made from a descriptor
    hg_bulk_attr attr{HG_MEM_TYPE_HOST, 0};

    // Ours: the segments. A peer's: one segment over `eager` if its data came along, else none.
    std::vector<na_segment> segments;
    void* owned_memory = nullptr;  // allocated by the library for all segments
    std::size_t owned_size = 0;
    std::vector<char> eager;

    // What the net knows: memory handles in order, and how many bytes each covers.
    std::vector<na_mem_handle_t*> handles;
    std::vector<std::uint64_t> lengths;

    std::vector<char> descriptor;  // a peer's: as it came, without eager data, to be passed on
    hg_addr* bound = nullptr;
    std::uint8_t bound_context = 0;

    bool has_data() const noexcept { return !remote || !eager.empty() || length == 0; }
};

namespace cinnabar::bulk {

struct RegionRequest {
    std::uint32_t count;
    void** bases;  // nullptr: the library allocates zeroed memory
    const hg_size_t* sizes;
    std::uint8_t permissions;
    hg_bulk_attr attr;
};

// Describes and registers local memory; one reference. HG_INVALID_ARG, HG_NOMEM, or what the net
// says.
hg_return_t create_region(hg_class& cls, const RegionRequest& request, hg_bulk** region);
void destroy_region(hg_bulk& region) noexcept;
inline void ref_region(hg_bulk& region) noexcept {
    region.references.fetch_add(1, std::memory_order_relaxed);
}
// The last one destroys it.
inline void unref_region(hg_bulk* region) noexcept {
    if (region != nullptr && region->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
        destroy_region(*region);
}
// Puts our own address into the region, so that its descriptor says where it is.
hg_return_t bind_region(hg_bulk& region, hg_context& context);

}  // namespace cinnabar::bulk
