// SPDX-License-Identifier: BSD-3-Clause
// A memory handle of a framed transport: a region of this process, or what a peer said about one of
// its own: the key under which the owner finds it, its length, what it allows. The owner checks
// everything again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "na/base/result.hpp"
#include "na/sdk/region.hpp"
#include "na_plugin.h"

namespace cinnabar::na::sdk::framed {

class Class;

struct Memory {
    std::shared_ptr<Region> region;  // local
    RegionTable* table = nullptr;    // while registered
    std::uint64_t key = 0;
    std::uint64_t length = 0;
    std::uint32_t flags = 0;

    Memory() = default;
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    Status create(Class& cls, const na_segment* segments, std::size_t count, unsigned long allowed);
    Status register_memory(Class& cls, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class& cls);
    std::size_t serialize_size(Class&) const noexcept { return serialized_size; }
    Status serialize(Class& cls, void* buf, std::size_t size) const;
    Status deserialize(Class& cls, const void* buf, std::size_t size);

private:
    static constexpr std::size_t serialized_size = 24;
};

}  // namespace cinnabar::na::sdk::framed
