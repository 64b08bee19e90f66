// SPDX-License-Identifier: BSD-3-Clause
// What a program does with the library, in one thread and over one transport: a server and a
// client, calls with small and large payloads, one-way calls, bulk transfers in both directions,
// calls to oneself, a call that is cancelled. Whatever fails on the way is taken as it comes; what
// must hold all the same is checked: each operation that was accepted calls back exactly once, a
// success brings the right bytes, everything can be ended and closed, and nothing is left of it.
#pragma once

#include <string>

#include "tests/fault/faults.hpp"

namespace cinnabar::fault {

struct Expectation {
    bool serves_on = true;       // afterwards, calm, a call succeeds
    bool closes_at_once = true;  // else a second attempt may be needed
};

// Runs it under a plan; `protocol` is one of protocols(). Assertions name what() as the case.
// Returns what the plan has led to.
Report run(const char* protocol, const Plan& plan, const Expectation& expectation);

// For messages: the plan in a form from which it can be repeated.
std::string what(const char* protocol, const Plan& plan);

}  // namespace cinnabar::fault
