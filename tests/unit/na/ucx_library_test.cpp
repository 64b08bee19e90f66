// SPDX-License-Identifier: BSD-3-Clause
// Which protocols are UCX's, which share memory, and what its description of lanes says.
#include "plugins/ucx/library.hpp"

#include <catch2/catch.hpp>

#include "plugins/ucx/memory.hpp"
#include "plugins/ucx/worker.hpp"

using namespace cinnabar::ucx;

TEST_CASE("protocols are names of UCX, with commas between") {
    for (const char* protocol : {"all", "tcp", "sm", "rc", "ud_x", "rc,sm", "tcp,sm,self"})
        CHECK(known_protocol(protocol));
    for (const char* protocol : {"", ",", "tcp,", ",tcp", "tcp,,sm", "TCP", "tcp sm", "verbs;x"})
        CHECK_FALSE(known_protocol(protocol));
}

TEST_CASE("memory is shared by protocols that have such lanes") {
    for (const char* protocol : {"all", "sm", "shm", "posix", "rc,sysv"})
        CHECK(shares_memory(protocol));
    for (const char* protocol : {"tcp", "rc", "ib", "self", "cma"})
        CHECK_FALSE(shares_memory(protocol));
}

TEST_CASE("lanes are memory only if all of them are") {
    constexpr std::string_view sysv =
        "#\n#   lane[0]:  3:sysv/memory.0 md[2] -> md[2]/sysv/sysdev[255] am am_bw#0\n";
    constexpr std::string_view cma = "#   lane[2]:  5:cma/memory.0 md[4] -> md[4]/cma rma_bw#0\n";
    constexpr std::string_view tcp = "#   lane[0]:  1:tcp/lo.0 md[1] -> md[1]/tcp am wireup\n";
    const auto join = [](std::string_view a, std::string_view b) {
        return std::string(a) + std::string(b);
    };
    CHECK(lanes_are_memory(sysv));
    CHECK(lanes_are_memory(join(sysv, cma)));
    CHECK_FALSE(lanes_are_memory(tcp));
    CHECK_FALSE(lanes_are_memory(join(sysv, tcp)));
    CHECK_FALSE(lanes_are_memory(join(tcp, cma)));
    CHECK_FALSE(lanes_are_memory(""));
    CHECK_FALSE(lanes_are_memory("lane[0]"));
    CHECK_FALSE(lanes_are_memory("lane[0]:"));
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
