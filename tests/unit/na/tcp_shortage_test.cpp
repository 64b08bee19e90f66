// SPDX-License-Identifier: BSD-3-Clause
// The tcp transport without memory.
#include "tests/unit/na/shortage.hpp"

TEST_CASE("whichever allocation fails, operations end and the nets serve on") {
    survive("na+tcp://127.0.0.1:0", "na+tcp://127.0.0.1");
}
