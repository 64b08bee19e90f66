// SPDX-License-Identifier: BSD-3-Clause
// Plots of a table as SVG files, by gnuplot, which may be missing: then one line says so.
#pragma once

#include <string>
#include <vector>

#include "hl/tools/perf/row.hpp"

namespace cinnabar::perf {

// Writes FOLDER/latency.svg (over size), bandwidth.svg (over size), rate.svg (over calls in
// flight), clients.svg and threads.svg (rate over how many there are), those that the rows have
// points for.
void plot(const std::vector<Row>& rows, const std::string& folder, const std::string& title);

}  // namespace cinnabar::perf
