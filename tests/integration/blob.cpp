// SPDX-License-Identifier: BSD-3-Clause
#include "tests/integration/blob.hpp"

#include "mercury_proc.h"
#include "mercury_proc_bulk.h"

namespace cinnabar::integration {

std::vector<unsigned char> content_of(std::size_t size, unsigned seed) {
    std::vector<unsigned char> bytes(size);
    std::uint32_t state = seed * 2654435761u + 1;
    for (unsigned char& byte : bytes) {
        state = state * 1664525u + 1013904223u;
        byte = static_cast<unsigned char>(state >> 24);
    }
    return bytes;
}

hg_return_t proc_blob(hg_proc_t proc, void* data) {
    auto& blob = *static_cast<Blob*>(data);
    std::uint64_t size = blob.bytes.size();
    if (hg_proc_get_op(proc) == HG_FREE) {
        blob.bytes = {};
        return HG_SUCCESS;
    }
    if (const hg_return_t ret = hg_proc_uint64_t(proc, &size); ret != HG_SUCCESS) return ret;
    if (hg_proc_get_op(proc) == HG_DECODE) {
        if (size > hg_proc_get_size_left(proc)) return HG_OVERFLOW;
        blob.bytes.resize(size);
    }
    return hg_proc_bytes(proc, blob.bytes.data(), size);
}

hg_return_t proc_number(hg_proc_t proc, void* data) {
    return hg_proc_uint64_t(proc, data);
}

hg_return_t proc_bulk_request(hg_proc_t proc, void* data) {
    auto& request = *static_cast<BulkRequest*>(data);
    hg_return_t ret = hg_proc_hg_bulk_t(proc, &request.bulk);
    for (std::uint64_t* number : {&request.op, &request.offset, &request.local_offset,
                                  &request.size, &request.segment_size, &request.seed})
        if (ret == HG_SUCCESS) ret = hg_proc_uint64_t(proc, number);
    return ret;
}

hg_return_t proc_undecodable(hg_proc_t proc, void* data) {
    return hg_proc_get_op(proc) == HG_DECODE ? HG_IO_ERROR : proc_blob(proc, data);
}

hg_return_t proc_unencodable(hg_proc_t proc, void* data) {
    return hg_proc_get_op(proc) == HG_ENCODE ? HG_IO_ERROR : proc_blob(proc, data);
}

}  // namespace cinnabar::integration
