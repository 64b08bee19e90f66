// SPDX-License-Identifier: BSD-3-Clause
// Figures for people and for programs: lines of a table as they come, and one JSON document at the
// end with the facts without which a figure says nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "hl/tools/perf/measure.hpp"

namespace cinnabar::perf {

class Report {
public:
    Report(const Limits& limits, bool pinned);

    void print_header() const;
    // One line of the table, and one entry of the document.
    void add(const Case& what, const Figure& figure);
    // Writes the document; fails if it cannot.
    void write(const std::string& file) const;

private:
    nlohmann::json document_;
};

}  // namespace cinnabar::perf
