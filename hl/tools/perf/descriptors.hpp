// SPDX-License-Identifier: BSD-3-Clause
// A process with a thousand peers needs more descriptors than it is given by default.
#pragma once

#include <sys/resource.h>

namespace cinnabar::perf {

// Raises the soft limit to the hard one, if it can.
inline void allow_most_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace cinnabar::perf
