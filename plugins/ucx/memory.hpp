// SPDX-License-Identifier: BSD-3-Clause
// Memory for put and get: local regions, and what a peer's handle says about its memory. Both are
// immutable and shared with the operations under way. Where the net has one-sided operations,
// regions are registered with UCX too, and handles bring its keys, still packed: unpacked they
// belong to connections.
#pragma once

#include <ucp/api/ucp.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "na/base/result.hpp"
#include "na_plugin.h"
#include "plugins/ucx/region.hpp"

namespace cinnabar::ucx {

class Class;

// UCX's registration of the segments of a region; undone with the last reference.
struct Registration {
    ucp_context_h context = nullptr;
    std::vector<ucp_mem_h> handles;  // one for each segment
    Registration() = default;
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration();
};

// A peer's memory as its handle describes it.
struct Remote {
    std::uint64_t id = 0;   // of this object, never used again in this process
    std::uint64_t key = 0;  // by which the owner knows it; 0: it is not registered
    // For one-sided operations; empty if the owner has none.
    std::vector<Segment> segments;
    std::vector<std::string> keys;  // packed
    // Contexts that hold unpacked keys of it, one bit each.
    std::array<std::atomic<std::uint64_t>, 4> users{};
};

// A memory handle, local (a region and perhaps a registration) or remote.
struct Memory {
    std::shared_ptr<Region> region;
    RegionTable* table = nullptr;                // while registered
    std::uint64_t key = 0;                       // there
    std::shared_ptr<Registration> registration;  // with UCX, while registered
    std::vector<std::string> packed;             // its keys, each content once
    std::vector<std::uint32_t> key_of;           // for each segment the number of its key
    std::shared_ptr<Remote> remote;
    Class* cls = nullptr;  // remote
    std::uint64_t length = 0;
    std::uint32_t flags = 0;

    Memory() = default;
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    Status create(Class& owner, const na_segment* from, std::size_t count, unsigned long flags_in);
    Status register_memory(Class& owner, na_mem_type type, std::uint64_t device);
    Status deregister_memory(Class& owner);
    std::size_t serialize_size(Class&) const noexcept;
    Status serialize(Class& owner, void* buf, std::size_t size) const;
    Status deserialize(Class& owner, const void* buf, std::size_t size);

private:
    Status register_with_ucx(ucp_context_h context);
    Status pack(ucp_context_h context, Registration& made);
};

}  // namespace cinnabar::ucx
