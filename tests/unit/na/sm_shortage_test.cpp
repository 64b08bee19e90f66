// SPDX-License-Identifier: BSD-3-Clause
// The sm transport without memory, with transfers made by each of its ways.
#include "tests/unit/na/shortage.hpp"

TEST_CASE("whichever allocation fails, operations end and the nets serve on") {
    survive("na+sm", "na+sm");
}

TEST_CASE("whichever allocation fails while transfers go through the ring, the nets serve on") {
    ::setenv("CINNABAR_SM_NO_CMA", "1", 1);
    survive("na+sm", "na+sm");
    ::unsetenv("CINNABAR_SM_NO_CMA");
}
