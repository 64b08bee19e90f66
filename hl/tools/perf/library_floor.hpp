// SPDX-License-Identifier: BSD-3-Clause
// The floors of libfabric and UCX: their own ping-pong programs, where they are installed, as two
// processes started for each measurement. One thread; takes seconds.
#pragma once

#include <optional>
#include <string>

#include "hl/tools/perf/probe.hpp"

namespace cinnabar::perf {

// The one for a network ("ofi+tcp", "ucx+tcp", "ucx+all"), if there is one and it is installed. Its
// server runs on that processor, its client where this process does. The probe gives 0 seconds, and
// says so on standard error, when the programs fail.
std::optional<Probe> library_call(const std::string& path, int server_cpu);

}  // namespace cinnabar::perf
