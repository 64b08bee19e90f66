// SPDX-License-Identifier: BSD-3-Clause
#include "hg/wire/digest.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace cinnabar::hg {

std::uint32_t digest_of(const void* data, std::size_t size) noexcept {
    return static_cast<std::uint32_t>(XXH3_64bits(data, size));
}

}  // namespace cinnabar::hg
