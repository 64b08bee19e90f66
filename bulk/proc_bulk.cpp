// SPDX-License-Identifier: BSD-3-Clause
// Regions as arguments: u64 size of the descriptor (0: no region), then the descriptor.
#include "mercury_proc_bulk.h"

#include "bulk/descriptor.hpp"
#include "hg/net/status.hpp"

using namespace cinnabar;
using namespace cinnabar::hg;

namespace {

// More than this is rather fetched by whoever wants it: it would be copied twice at least, and
// perhaps for nobody.
constexpr std::uint64_t most_eager = 4096;

// Small data comes along if the handle allows it and it fits what is left of the message.
bool goes_eagerly(hg_proc_t proc, const hg_bulk& region) {
    if (region.length > most_eager) return false;
    if ((hg_proc_get_flags(proc) & HG_PROC_BULK_EAGER) == 0 || !bulk::can_be_eager(region))
        return false;
    if (proc->current_buf != &proc->proc_buf) return false;
    const hg_size_t left = hg_proc_get_size_left(proc);
    return left > sizeof(std::uint64_t) && region.length < left &&
           bulk::descriptor_size(region, true) <= left - sizeof(std::uint64_t);
}

hg_return_t encode(hg_proc_t proc, const hg_bulk* region) {
    std::uint64_t size = 0;
    if (region == nullptr) return hg_proc_uint64_t(proc, &size);
    const bool eager = goes_eagerly(proc, *region);
    size = bulk::descriptor_size(*region, eager);
    if (const hg_return_t ret = hg_proc_uint64_t(proc, &size); ret != HG_SUCCESS) return ret;
    void* to = hg_proc_save_ptr(proc, size);
    if (to == nullptr) return HG_OVERFLOW;
    const hg_return_t ret = bulk::write_descriptor(*region, eager, to, size);
    if (ret != HG_SUCCESS) return ret;
    return hg_proc_restore_ptr(proc, to, size);
}

hg_return_t decode(hg_proc_t proc, hg_bulk_t* region) {
    std::uint64_t size = 0;
    *region = HG_BULK_NULL;
    if (const hg_return_t ret = hg_proc_uint64_t(proc, &size); ret != HG_SUCCESS) return ret;
    if (size == 0) return HG_SUCCESS;
    if (size > hg_proc_get_size_left(proc))
        return fail(HG_OVERFLOW, "hg_bulk", "a descriptor claims {} bytes, {} are left", size,
                    hg_proc_get_size_left(proc));
    void* from = hg_proc_save_ptr(proc, size);
    if (from == nullptr) return HG_OVERFLOW;
    hg_class* cls = hg_proc_get_class(proc);
    if (cls == nullptr) return HG_INVALID_ARG;
    const hg_return_t ret = bulk::read_descriptor(*cls, from, size, region);
    if (ret != HG_SUCCESS) return ret;
    return hg_proc_restore_ptr(proc, from, size);
}

}  // namespace

hg_return_t hg_proc_hg_bulk_t(hg_proc_t proc, void* data) {
    if (proc == nullptr || data == nullptr) return HG_INVALID_ARG;
    auto* region = static_cast<hg_bulk_t*>(data);
    return border("hg_proc_hg_bulk_t", [&] {
        switch (hg_proc_get_op(proc)) {
            case HG_ENCODE:
                return encode(proc, *region);
            case HG_DECODE:
                return decode(proc, region);
            case HG_FREE:
                bulk::unref_region(*region);
                *region = HG_BULK_NULL;
                return HG_SUCCESS;
            default:
                return HG_INVALID_ARG;
        }
    });
}
