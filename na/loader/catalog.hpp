// SPDX-License-Identifier: BSD-3-Clause
// The plugins of this process: found on first use, loaded when one is asked for that they may be,
// kept until the end. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "na/core/class.hpp"

namespace cinnabar::na {

// Every usable plugin (loads them all), in the order in which protocols are matched: sm, tcp, ofi,
// ucx, then others by search order. The objects live until the process ends.
std::vector<const Plugin*> plugins();

// The first plugin that has this class name (any, if empty) and accepts the protocol; nullptr, with
// *why saying what there is.
const Plugin* find_plugin(std::string_view class_name, const std::string& protocol,
                          std::string* why);

}  // namespace cinnabar::na
