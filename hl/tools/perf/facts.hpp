// SPDX-License-Identifier: BSD-3-Clause
// What was measured, and on what machine.
#pragma once

#include <nlohmann/json.hpp>

namespace cinnabar::perf {

// Commit, build and host, as the beginning of a report.
nlohmann::json host_facts();

// Of the last minute: how many threads wanted a processor.
double load_average();

}  // namespace cinnabar::perf
