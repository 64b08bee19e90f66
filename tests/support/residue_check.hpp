// SPDX-License-Identifier: BSD-3-Clause
// What a test must not leave behind in the process and on the system: open descriptors, shared
// memory files, child processes. The main program takes a snapshot before and after each test case.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace cinnabar::test {

struct Residue {
    std::map<int, std::string> descriptors;  // and what they refer to
    std::set<std::string> shared_memory;
    bool children = false;
};

Residue take_residue();
// What is there in `after` and was not in `before`, one line each.
std::vector<std::string> compare_residue(const Residue& before, const Residue& after);

}  // namespace cinnabar::test
