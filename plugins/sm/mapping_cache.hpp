// SPDX-License-Identifier: BSD-3-Clause
// Memory of one peer that is mapped here, so that a transfer is a copy: found by device and inode,
// opened through the peer's /proc entry when first met, bounded in number. A mapping holds the
// pages' inode, so an inode number cannot come to mean other memory while it is cached. Goes with
// the connection.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "plugins/sm/memory.hpp"
#include "plugins/sm/region.hpp"

namespace cinnabar::sm {

class MappingCache {
public:
    // Where the allocation that holds this place begins in this process; nullptr if it cannot be
    // mapped, which is remembered too.
    std::byte* find(pid_t pid, const SharedPlace& place);

private:
    static constexpr std::size_t capacity = 64;
    struct Entry {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::uint64_t used = 0;
        std::int32_t fd = -1;
        Region region;  // empty: could not be mapped
    };

    std::vector<Entry> entries_;
    std::uint64_t clock_ = 0;
};

}  // namespace cinnabar::sm
