// SPDX-License-Identifier: BSD-3-Clause
// What was measured, and on what machine.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cinnabar::perf {

// Commit, build and host, as the beginning of a report.
nlohmann::json host_facts();

// Writes what began with host_facts() to a file, with the load there is now; ends the program if it
// cannot.
void write_facts(nlohmann::json document, const std::string& file);

}  // namespace cinnabar::perf
