// SPDX-License-Identifier: BSD-3-Clause
// Host ids: the same each time, through a string and back, and what is no id.
#include <catch2/catch.hpp>
#include <cstring>

#include "na_sm.h"

TEST_CASE("the host id is the same each time and survives its string") {
    na_sm_id_t first = 0;
    na_sm_id_t second = 0;
    REQUIRE(NA_SM_Host_id_get(&first) == NA_SUCCESS);
    REQUIRE(NA_SM_Host_id_get(&second) == NA_SUCCESS);
    CHECK(first > 0);
    CHECK(NA_SM_Host_id_cmp(first, second));
    CHECK_FALSE(NA_SM_Host_id_cmp(first, first + 1));
    char text[NA_SM_HOST_ID_LEN];
    for (const na_sm_id_t id : {first, na_sm_id_t{1}, na_sm_id_t{4294967295}}) {
        REQUIRE(NA_SM_Host_id_to_string(id, text) == NA_SUCCESS);
        CHECK(std::strlen(text) < sizeof text);
        REQUIRE(NA_SM_String_to_host_id(text, &second) == NA_SUCCESS);
        CHECK(second == id);
    }
    NA_SM_Host_id_copy(&second, first);
    CHECK(second == first);
}

TEST_CASE("what is no host id is refused") {
    na_sm_id_t id = 7;
    for (const char* text : {"", "0", "-1", "12x", " 1", "4294967296", "99999999999999999999"})
        CHECK(NA_SM_String_to_host_id(text, &id) == NA_PROTOCOL_ERROR);
    CHECK(id == 7);
    char text[NA_SM_HOST_ID_LEN];
    CHECK(NA_SM_Host_id_to_string(0, text) == NA_INVALID_ARG);
    CHECK(NA_SM_Host_id_to_string(1, nullptr) == NA_INVALID_ARG);
    CHECK(NA_SM_Host_id_get(nullptr) == NA_INVALID_ARG);
}
