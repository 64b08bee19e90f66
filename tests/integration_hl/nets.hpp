// SPDX-License-Identifier: BSD-3-Clause
// What the test cases of this folder run over: nets, once for each, and one of the two forms of the
// library.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

namespace cinnabar::test {

inline std::string chosen_net() {
    return GENERATE("na+sm", "tcp://127.0.0.1:0");
}

inline bool units_are_threads() {
    const char* said = std::getenv("CINNABAR_TEST_UNITS");
    return said != nullptr && std::string(said) == "threads";
}

}  // namespace cinnabar::test
