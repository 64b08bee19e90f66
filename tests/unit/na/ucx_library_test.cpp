// SPDX-License-Identifier: BSD-3-Clause
// Which protocols are UCX's, and what its descriptions of lanes and resources say.
#include "plugins/ucx/library.hpp"

#include <catch2/catch.hpp>
#include <initializer_list>

#include "plugins/ucx/lanes.hpp"
#include "plugins/ucx/region.hpp"

using namespace cinnabar::ucx;

TEST_CASE("protocols are names of UCX, with commas between") {
    for (const char* protocol : {"all", "tcp", "sm", "rc", "ud_x", "rc,sm", "tcp,sm,self"})
        CHECK(known_protocol(protocol));
    for (const char* protocol : {"", ",", "tcp,", ",tcp", "tcp,,sm", "TCP", "tcp sm", "verbs;x"})
        CHECK_FALSE(known_protocol(protocol));
}

TEST_CASE("lanes are memory only if all of them are") {
    constexpr std::string_view sysv =
        "#\n#   lane[0]:  3:sysv/memory.0 md[2] -> md[2]/sysv/sysdev[255] am am_bw#0\n";
    constexpr std::string_view cma = "#   lane[2]:  5:cma/memory.0 md[4] -> md[4]/cma rma_bw#0\n";
    constexpr std::string_view tcp = "#   lane[0]:  1:tcp/lo.0 md[1] -> md[1]/tcp am wireup\n";
    constexpr std::string_view rc = "#   lane[1]:  6:rc_mlx5/mlx5_0:1.0 md[5] -> md[5]/ib rma\n";
    const auto kind = [](std::initializer_list<std::string_view> lines) {
        std::string text;
        for (const std::string_view line : lines)
            text += line;
        return kind_of_lanes(text, "lane[");
    };
    CHECK(kind({sysv}) == Lanes::memory);
    CHECK(kind({sysv, cma}) == Lanes::memory);
    CHECK(kind({tcp}) == Lanes::messages);
    CHECK(kind({sysv, tcp}) == Lanes::messages);
    CHECK(kind({tcp, cma}) == Lanes::messages);
    CHECK(kind({sysv, rc}) == Lanes::one_sided);
    CHECK(kind({tcp, rc}) == Lanes::one_sided);
    CHECK(kind({}) == Lanes::messages);
    CHECK(kind({"lane[0]"}) == Lanes::messages);
    CHECK(kind({"lane[0]:\n", rc}) == Lanes::one_sided);
}

TEST_CASE("a context is one-sided if one of its resources is") {
    constexpr std::string_view here =
        "#  resource 0  :  md 0  dev 0  flags -- self/memory0\n"
        "#  resource 1  :  md 1  dev 1  flags -- tcp/lo\n"
        "#  resource 2  :  md 4  dev 3  flags -- cma/memory\n";
    CHECK(kind_of_lanes(here, "resource ") == Lanes::messages);
    const std::string there =
        std::string(here) + "#  resource 3  :  md 5  dev 4  flags -- rc_verbs/mlx5_0:1\n";
    CHECK(kind_of_lanes(there, "resource ") == Lanes::one_sided);
}

TEST_CASE("an offset lies in one segment") {
    const std::vector<Segment> segments = {{1000, 10, 0, 0}, {5000, 1, 10, 0}, {70, 100, 11, 1}};
    CHECK(segment_at(segments, 0) == 0);
    CHECK(segment_at(segments, 9) == 0);
    CHECK(segment_at(segments, 10) == 1);
    CHECK(segment_at(segments, 11) == 2);
    CHECK(segment_at(segments, 110) == 2);
}

TEST_CASE("UCX's codes have ours") {
    CHECK(code_of(UCS_OK) == NA_SUCCESS);
    CHECK(code_of(UCS_ERR_CANCELED) == NA_HOSTUNREACH);
    CHECK(code_of(UCS_ERR_ENDPOINT_TIMEOUT) == NA_HOSTUNREACH);
    CHECK(code_of(UCS_ERR_NO_MEMORY) == NA_NOMEM);
}
