// SPDX-License-Identifier: BSD-3-Clause
// What the library makes of an info string or an address: it is opened for listening, or, where it
// is no place to listen at, looked up as a peer's address, and the outcome is compared with all
// that could have been used. What the library logs meanwhile is kept, since it says why something
// failed. One thread; the log of the process is taken over.
#pragma once

#include <string>
#include <vector>

#include "hl/tools/protocols.hpp"

namespace cinnabar::tools {

struct Passed {
    Protocol protocol;
    std::string reason;
};

struct Explanation {
    std::string text;     // what was asked for
    bool opened = false;  // listening at it
    bool called = false;  // it is an address that a peer could have
    Protocol used{};      // the device is empty where the address does not tell
    std::string address;  // as it would be published, or as it is called
    std::vector<Passed> others{};
    std::vector<std::string> log{};
};

Explanation explain(const std::string& text);

}  // namespace cinnabar::tools
