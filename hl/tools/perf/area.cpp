// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/area.hpp"

#include <cstring>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/pattern.hpp"

namespace cinnabar::perf {
namespace {

// Between segments, so that no two of them can be taken for one.
constexpr std::size_t gap = 128;

}  // namespace

Area::Area(hg_class_t* hg_class, const Shape& shape) {
    std::vector<void*> starts;
    std::vector<hg_size_t> sizes;
    const std::uint32_t count = shape.from_library ? 1 : shape.segments;
    if (!shape.from_library) memory_.resize(shape.bytes + count * gap);
    for (std::size_t at = 0, i = 0; i < count; ++i) {
        const std::size_t size = shape.bytes / count + (i < shape.bytes % count ? 1 : 0);
        starts.push_back(memory_.data() + at);
        sizes.push_back(size);
        at += size + gap;
    }
    check(HG_Bulk_create(hg_class, count, shape.from_library ? nullptr : starts.data(),
                         sizes.data(), HG_BULK_READWRITE, &region_),
          "HG_Bulk_create");
    if (shape.from_library) {
        hg_size_t length = 0;
        check(HG_Bulk_access(region_, 0, shape.bytes, HG_BULK_READWRITE, 1, starts.data(), &length,
                             nullptr),
              "HG_Bulk_access");
    }
    for (std::size_t i = 0; i < count; ++i)
        segments_.emplace_back(static_cast<std::byte*>(starts[i]), sizes[i]);
}

Area::~Area() {
    check(HG_Bulk_free(region_), "HG_Bulk_free");
}

void Area::fill_with_pattern() {
    std::size_t offset = 0;
    for (const auto& [start, size] : segments_)
        for (std::size_t i = 0; i < size; ++i)
            start[i] = pattern_at(offset++);
}

void Area::clear() {
    for (const auto& [start, size] : segments_)
        std::memset(start, 0, size);
}

bool Area::has_pattern(std::size_t size) const {
    std::size_t offset = 0;
    for (const auto& [start, length] : segments_)
        for (std::size_t i = 0; i < length && offset < size; ++i, ++offset)
            if (start[i] != pattern_at(offset)) return false;
    return true;
}

}  // namespace cinnabar::perf
