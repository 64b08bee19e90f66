// SPDX-License-Identifier: BSD-3-Clause
// A handle of memory, the SDK's regions behind it. A region may be deregistered while a peer's
// transfer is under way: whoever touches its bytes pins it for the length of one system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "na/base/result.hpp"
#include "na/sdk/region.hpp"
#include "na_plugin.h"

namespace cinnabar::tcp {

class Class;

using na::sdk::Region;
using na::sdk::RegionTable;

// A memory handle, local (region set) or remote.
struct Memory {
    static constexpr std::size_t serialized_size = 32;

    std::shared_ptr<Region> region;
    RegionTable* table = nullptr;  // while registered
    std::uint64_t key = 0;
    std::uint64_t length = 0;
    std::uint32_t flags = 0;

    Memory() = default;
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    Status create(Class& cls, const na_segment* segments, std::size_t count,
                  unsigned long flags_in);
    Status register_memory(Class& cls, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class& cls);
    std::size_t serialize_size(Class&) const noexcept { return serialized_size; }
    Status serialize(Class& cls, void* buf, std::size_t size) const;
    Status deserialize(Class& cls, const void* buf, std::size_t size);
};

}  // namespace cinnabar::tcp
