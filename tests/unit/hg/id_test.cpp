// SPDX-License-Identifier: BSD-3-Clause
// Ids of RPC names. Peers that were built elsewhere compute the same, so the values must never
// change.
#include <catch2/catch.hpp>
#include <string>

#include "hg/core/class.hpp"

using cinnabar::hg::id_of_name;

TEST_CASE("the id of a name is Bernstein's hash of 32 bits") {
    CHECK(id_of_name("") == 5381);
    CHECK(id_of_name("a") == 177670);
    CHECK(id_of_name("hello") == 261238937);
    CHECK(id_of_name("mercury_test_rpc") == 0xd6dd046f);
    CHECK(id_of_name(std::string(100, 'x').c_str()) == 0xa53d4465);
}

TEST_CASE("characters of names are signed on every machine") {
    CHECK(id_of_name("\xff") == 177572);
    CHECK(id_of_name("\xc3\xa9t\xc3\xa9") == 58808753);
}
