// SPDX-License-Identifier: BSD-3-Clause
// What can be opened on this machine: class, protocol and device, as the library lists them. Plain
// values; one thread.
#pragma once

#include <string>
#include <vector>

namespace cinnabar::tools {

struct Protocol {
    std::string class_name;
    std::string protocol;
    std::string device;

    bool operator==(const Protocol&) const = default;
};

// Those that an info string ("tcp", "na+sm") could use, all of them for an empty one; none if the
// string is malformed. Loads plugins.
std::vector<Protocol> list_protocols(const std::string& info);

}  // namespace cinnabar::tools
