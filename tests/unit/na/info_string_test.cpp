// SPDX-License-Identifier: BSD-3-Clause
// The info string grammar, "[class+]protocol[://[host part]]": what is accepted, and what each
// mistake is answered with.
#include "na/core/info_string.hpp"

#include <catch2/catch.hpp>

namespace cinnabar::na {
namespace {

struct Good {
    const char* text;
    const char* class_name;
    const char* protocol;
    const char* host;
};

TEST_CASE("an info string is split into class, protocol and host part") {
    const Good good = GENERATE(
        Good{"tcp", "", "tcp", ""}, Good{"na+sm", "na", "sm", ""}, Good{"na+sm://", "na", "sm", ""},
        Good{"tcp://127.0.0.1:0", "", "tcp", "127.0.0.1:0"},
        Good{"ofi+tcp;ofi_rxm://[::1]:5", "ofi", "tcp;ofi_rxm", "[::1]:5"},
        Good{"ucx+rc_x,ud", "ucx", "rc_x,ud", ""}, Good{"na+sm://a+b://c", "na", "sm", "a+b://c"},
        Good{"tcp://eth0+1", "", "tcp", "eth0+1"});
    CAPTURE(good.text);
    std::string why;
    Result<InfoString> info = parse_info_string(good.text, &why);
    REQUIRE(info.ok());
    CHECK(info->class_name == good.class_name);
    CHECK(info->protocol == good.protocol);
    CHECK(info->host == good.host);
}

struct Bad {
    const char* text;
    na_return_t code;
};

TEST_CASE("a malformed info string is refused with the reason") {
    const Bad bad = GENERATE(
        Bad{"", NA_INVALID_ARG}, Bad{":", NA_PROTONOSUPPORT}, Bad{"tcp:", NA_PROTONOSUPPORT},
        Bad{"tcp:/", NA_PROTONOSUPPORT}, Bad{"tcp:/x", NA_PROTONOSUPPORT},
        Bad{"tcp:80", NA_PROTONOSUPPORT}, Bad{"://host", NA_INVALID_ARG},
        Bad{"+tcp", NA_INVALID_ARG}, Bad{"na+", NA_INVALID_ARG}, Bad{"na+://x", NA_INVALID_ARG},
        Bad{"a+b+c", NA_INVALID_ARG}, Bad{"tc p", NA_INVALID_ARG}, Bad{"tcp\n://h", NA_INVALID_ARG},
        Bad{"n/a+tcp", NA_INVALID_ARG}, Bad{"\xff\xfe", NA_INVALID_ARG});
    CAPTURE(bad.text);
    std::string why;
    Result<InfoString> info = parse_info_string(bad.text, &why);
    REQUIRE_FALSE(info.ok());
    CHECK(info.status().code() == bad.code);
    CHECK_FALSE(why.empty());
}

TEST_CASE("a zero byte is no part of a name") {
    std::string why;
    CHECK_FALSE(parse_info_string(std::string_view("tc\0p", 4), &why).ok());
}

}  // namespace
}  // namespace cinnabar::na
