// SPDX-License-Identifier: BSD-3-Clause
// The lines of a client: printed as they come, and kept for a JSON document and for plots. One
// thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hl/tools/perf/row.hpp"

namespace cinnabar::perf {

class Table {
public:
    // `about` is put at the beginning of the document.
    explicit Table(const nlohmann::json& about);

    void add(const Row& row);
    const std::vector<Row>& rows() const { return rows_; }
    // Fails if it cannot.
    void write(const std::string& file) const;

private:
    nlohmann::json document_;
    std::vector<Row> rows_;
};

}  // namespace cinnabar::perf
