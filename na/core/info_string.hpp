// SPDX-License-Identifier: BSD-3-Clause
// Parses "[class+]protocol[://[host part]]". Pure.
#pragma once

#include <string>
#include <string_view>

#include "na/base/result.hpp"

namespace cinnabar::na {

struct InfoString {
    std::string class_name;  // empty if not given
    std::string protocol;
    std::string host;  // verbatim, empty if not given
};

// On error, *why receives what is wrong with it, for the log line of the caller.
Result<InfoString> parse_info_string(std::string_view text, std::string* why);

}  // namespace cinnabar::na
