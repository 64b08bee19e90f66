// SPDX-License-Identifier: BSD-3-Clause
// Which of the devices that the library offers is used. Pure: works on a list of candidates, so
// that every refusal can be tested, and says of each candidate why it was not taken.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "na/sdk/ip.hpp"

namespace cinnabar::ofi {

struct Candidate {
    std::string provider;  // the library's name
    std::string fabric;
    std::string domain;
    std::optional<na::sdk::IpAddress> ip;
    bool ordered = true;  // keeps the order of messages
    std::string lacks{};  // why it cannot be used whatever is wished; empty: it can
};

struct Wish {
    std::string provider;                  // the library's name
    std::string domain;                    // empty: any
    std::optional<na::sdk::IpAddress> ip;  // none: any
};

// The first candidate that fits. None: `why` lists each of them with the reason.
std::optional<std::size_t> choose(std::span<const Candidate> candidates, const Wish& wish,
                                  std::string& why);

}  // namespace cinnabar::ofi
