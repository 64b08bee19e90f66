// SPDX-License-Identifier: BSD-3-Clause
#include "bulk/region.hpp"

#include <algorithm>
#include <memory>

#include "hg/core/context.hpp"
#include "hg/net/status.hpp"

namespace cinnabar::bulk {
namespace {

using hg::fail;
using hg::from_na;

struct RegionDeleter {
    void operator()(hg_bulk* region) const noexcept { unref_region(region); }
};
using RegionPtr = std::unique_ptr<hg_bulk, RegionDeleter>;

// Each segment starts on a cache line of its own.
constexpr std::uint64_t alignment = 64;

hg_return_t allocate(hg_bulk& region) {
    std::uint64_t total = 0;
    for (const na_segment& segment : region.segments) {
        std::uint64_t rounded = 0;
        if (__builtin_add_overflow(segment.len, alignment - 1, &rounded) ||
            __builtin_add_overflow(total, rounded / alignment * alignment, &total))
            return fail(HG_INVALID_ARG, "hg_bulk",
                        "the segments together exceed the address space");
    }
    if (total == 0) return HG_SUCCESS;
    region.owned_memory = NA_Mem_alloc(region.cls->na, total);
    if (region.owned_memory == nullptr)
        return fail(HG_NOMEM, "hg_bulk", "{} bytes cannot be allocated", total);
    region.owned_size = total;
    auto* next = static_cast<char*>(region.owned_memory);
    for (na_segment& segment : region.segments) {
        segment.base = next;
        next += (segment.len + alignment - 1) / alignment * alignment;
    }
    return HG_SUCCESS;
}

// Registers runs of as many segments as one memory handle of the net can hold.
hg_return_t register_with_net(hg_bulk& region) {
    hg_class& cls = *region.cls;
    const std::size_t most = std::max<std::size_t>(NA_Mem_handle_get_max_segments(cls.na), 1);
    for (std::size_t first = 0; first < region.segments.size(); first += most) {
        const std::size_t count = std::min(most, region.segments.size() - first);
        std::uint64_t length = 0;
        for (std::size_t i = 0; i < count; ++i)
            length += region.segments[first + i].len;
        if (length == 0) continue;
        na_mem_handle_t* handle = nullptr;
        na_return_t ret = NA_Mem_handle_create_segments(cls.na, &region.segments[first], count,
                                                        region.permissions, &handle);
        if (ret != NA_SUCCESS)
            return fail(from_na(ret), "hg_bulk", "{} segments cannot be described: {}", count,
                        NA_Error_to_string(ret));
        ret = NA_Mem_register(cls.na, handle, static_cast<na_mem_type>(region.attr.mem_type),
                              region.attr.device);
        if (ret != NA_SUCCESS) {
            NA_Mem_handle_free(cls.na, handle);
            return fail(from_na(ret), "hg_bulk", "{} bytes cannot be registered: {}", length,
                        NA_Error_to_string(ret));
        }
        region.handles.push_back(handle);
        region.lengths.push_back(length);
    }
    return HG_SUCCESS;
}

hg_return_t measure(hg_bulk& region, const RegionRequest& request) {
    for (std::uint32_t i = 0; i < request.count; ++i) {
        void* base = request.bases == nullptr ? nullptr : request.bases[i];
        if (request.bases != nullptr && base == nullptr && request.sizes[i] > 0)
            return fail(HG_INVALID_ARG, "hg_bulk", "segment {} has {} bytes but no memory", i,
                        request.sizes[i]);
        if (__builtin_add_overflow(region.length, request.sizes[i], &region.length))
            return fail(HG_INVALID_ARG, "hg_bulk", "the segments together exceed 2^64 bytes");
        region.segments.push_back({base, request.sizes[i]});
    }
    return HG_SUCCESS;
}

}  // namespace

hg_return_t create_region(hg_class& cls, const RegionRequest& request, hg_bulk** created) {
    RegionPtr region(new hg_bulk);
    region->cls = &cls;
    cls.bulks.fetch_add(1, std::memory_order_relaxed);
    region->segment_count = request.count;
    region->permissions = request.permissions;
    region->attr = request.attr;
    region->segments.reserve(request.count);
    if (const hg_return_t ret = measure(*region, request); ret != HG_SUCCESS) return ret;
    if (request.bases == nullptr)
        if (const hg_return_t ret = allocate(*region); ret != HG_SUCCESS) return ret;
    if (const hg_return_t ret = register_with_net(*region); ret != HG_SUCCESS) return ret;
    *created = region.release();
    return HG_SUCCESS;
}

void destroy_region(hg_bulk& region) noexcept {
    hg_class& cls = *region.cls;
    for (na_mem_handle_t* handle : region.handles) {
        if (!region.remote) (void)NA_Mem_deregister(cls.na, handle);
        NA_Mem_handle_free(cls.na, handle);
    }
    if (region.owned_memory != nullptr) NA_Mem_free(cls.na, region.owned_memory, region.owned_size);
    hg::release_address(region.bound);
    delete &region;
    cls.bulks.fetch_sub(1, std::memory_order_release);
}

hg_return_t bind_region(hg_bulk& region, hg_context& context) {
    if (region.bound != nullptr)
        return fail(HG_INVALID_ARG, "hg_bulk", "the region is bound already");
    if (region.remote || region.cls != context.cls)
        return fail(HG_INVALID_ARG, "hg_bulk", "only a region of this class can be bound");
    if (const hg_return_t ret = hg::self_address(*region.cls, &region.bound); ret != HG_SUCCESS)
        return ret;
    region.bound_context = context.id;
    return HG_SUCCESS;
}

}  // namespace cinnabar::bulk
