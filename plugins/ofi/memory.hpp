// SPDX-License-Identifier: BSD-3-Clause
// Described memory: segments that lie one behind the other as one range of offsets, registered one
// by one with the library. A local handle has the memory, a remote one what its owner serialised:
// where each segment lies for the library, and its key. Neighbouring segments that touch are one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "na/base/result.hpp"
#include "na_plugin.h"
#include "plugins/ofi/fabric.hpp"

namespace cinnabar::ofi {

class Class;

// Registers bytes for an access (FI_SEND, FI_REMOTE_READ, ...), under a key that cannot be guessed
// where the key is ours to choose.
// `endpoint`: for which it is, where the provider demands to know (FI_MR_ENDPOINT).
Result<Fid<fid_mr>> register_bytes(const Fabric& fabric, void* bytes, std::size_t size,
                                   std::uint64_t access, fid_ep* endpoint = nullptr);

// What a transfer needs of one segment. Local: the address is the memory's.
struct Extent {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t key = 0;       // remote
    void* descriptor = nullptr;  // local
};

// Segments as one range. Immutable but for registration; shared by operations under way.
struct Region {
    std::vector<Extent> extents;
    std::vector<std::uint64_t> starts;       // offset at which each begins
    std::vector<Fid<fid_mr>> registrations;  // local, while registered
    std::uint64_t length = 0;
    std::uint32_t flags = 0;

    void add(const Extent& extent);
    bool in_range(std::uint64_t offset, std::uint64_t size) const noexcept {
        return offset <= length && size <= length - offset;
    }
    // The segment of an offset below the length.
    std::size_t at(std::uint64_t offset) const noexcept {
        return static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), offset) -
                                        starts.begin() - 1);
    }
};

// A memory handle, local or remote.
struct Memory {
    static constexpr std::size_t header_size = 32;
    static constexpr std::size_t extent_size = 24;

    std::shared_ptr<Region> region;
    bool local = false;

    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    Status create(Class& cls, const na_segment* segments, std::size_t count, unsigned long flags);
    Status register_memory(Class& cls, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class& cls);
    std::size_t serialize_size(const Class&) const noexcept {
        return header_size + extent_size * region->extents.size();
    }
    Status serialize(const Class& cls, void* buf, std::size_t size) const;
    Status deserialize(const Class& cls, const void* buf, std::size_t size);
};

}  // namespace cinnabar::ofi
