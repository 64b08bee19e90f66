// SPDX-License-Identifier: BSD-3-Clause
// What many times say in a few: how long one of ten, of a hundred, of a thousand took at least.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace cinnabar::perf {

struct Percentiles {
    double p50 = 0;
    double p90 = 0;
    double p99 = 0;
    double p999 = 0;
    double max = 0;
};

// Sorts them. All zeros if there are none.
inline Percentiles percentiles_of(std::vector<float>& seconds) {
    if (seconds.empty()) return {};
    std::sort(seconds.begin(), seconds.end());
    const auto at = [&](double part) -> double {
        const auto place = static_cast<std::size_t>(part * static_cast<double>(seconds.size()));
        return seconds[std::min(place, seconds.size() - 1)];
    };
    return {at(0.5), at(0.9), at(0.99), at(0.999), seconds.back()};
}

}  // namespace cinnabar::perf
