// SPDX-License-Identifier: BSD-3-Clause
// Memory that transfers go out of or into, described for them: contiguous or in segments, from the
// program or from the library. Both ends of a measurement have one. One thread; the class that it
// was described for outlives it.
#pragma once

#include <mercury_bulk.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace cinnabar::perf {

inline constexpr std::uint64_t largest_area = std::uint64_t{64} << 20;
inline constexpr std::uint32_t most_segments = 1024;

struct Shape {
    std::uint64_t bytes = 0;
    std::uint32_t segments = 1;  // of equal size, as far as the bytes can be divided
    bool from_library = false;   // then in one segment

    // Whether an area can have it: a shape may come from a peer.
    bool is_possible() const {
        return bytes > 0 && bytes <= largest_area && segments > 0 && segments <= most_segments &&
               segments <= bytes;
    }
};

class Area {
public:
    Area(hg_class_t* hg_class, const Shape& shape);
    Area(const Area&) = delete;
    Area& operator=(const Area&) = delete;
    ~Area();

    hg_bulk_t region() const { return region_; }
    // All bytes in the order of the region: the pattern that a transfer must bring, zeros.
    void fill_with_pattern();
    void clear();
    bool has_pattern(std::size_t size) const;

private:
    std::vector<std::byte> memory_;
    std::vector<std::pair<std::byte*, std::size_t>> segments_;
    hg_bulk_t region_ = HG_BULK_NULL;
};

}  // namespace cinnabar::perf
