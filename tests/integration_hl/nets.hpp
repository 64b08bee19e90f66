// SPDX-License-Identifier: BSD-3-Clause
// The nets that a test case of this folder runs over: once for each.
#pragma once

#include <catch2/catch.hpp>
#include <string>

namespace cinnabar::test {

inline std::string chosen_net() {
    return GENERATE("na+sm", "tcp://127.0.0.1:0");
}

}  // namespace cinnabar::test
