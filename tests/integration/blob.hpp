// SPDX-License-Identifier: BSD-3-Clause
// The arguments that the tests send: any number of bytes, whose content a seed determines, and a
// region with numbers that say what to do with it. Plain values; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mercury.h"
#include "mercury_bulk.h"

namespace cinnabar::integration {

// Bytes that differ from seed to seed and from place to place.
std::vector<unsigned char> content_of(std::size_t size, unsigned seed);

struct Blob {
    std::vector<unsigned char> bytes;

    Blob() = default;
    Blob(std::size_t size, unsigned seed) : bytes(content_of(size, seed)) {}
    bool operator==(const Blob&) const = default;
    // What it takes when encoded.
    std::size_t encoded() const { return sizeof(std::uint64_t) + bytes.size(); }
};

// What a server is asked to do with a region of its client.
struct BulkRequest {
    hg_bulk_t bulk = HG_BULK_NULL;
    std::uint64_t op = HG_BULK_PULL;
    std::uint64_t offset = 0;        // in the client's region
    std::uint64_t local_offset = 0;  // in the server's
    std::uint64_t size = 0;
    std::uint64_t segment_size = 0;  // of the server's region; 0: all in one
    std::uint64_t seed = 0;          // of what is pushed
};

hg_return_t proc_blob(hg_proc_t proc, void* data);
hg_return_t proc_number(hg_proc_t proc, void* data);  // std::uint64_t
hg_return_t proc_bulk_request(hg_proc_t proc, void* data);
// As proc_blob() on the encoding side; decoding fails with HG_IO_ERROR.
hg_return_t proc_undecodable(hg_proc_t proc, void* data);
// Encoding fails with HG_IO_ERROR.
hg_return_t proc_unencodable(hg_proc_t proc, void* data);

}  // namespace cinnabar::integration
