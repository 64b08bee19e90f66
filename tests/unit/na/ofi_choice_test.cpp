// SPDX-License-Identifier: BSD-3-Clause
// What ofi decides without the library: which device, which provider, what an address means, what
// an error number means.
#include "plugins/ofi/choice.hpp"

#include <rdma/fi_errno.h>

#include <catch2/catch.hpp>
#include <set>

#include "plugins/ofi/address_form.hpp"
#include "plugins/ofi/error_code.hpp"
#include "plugins/ofi/options.hpp"
#include "plugins/ofi/providers.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::ofi;
using cinnabar::na::sdk::parse_ip;
using cinnabar::test::allow_log;

namespace {

std::vector<Candidate> candidates() {
    return {{"tcp;ofi_rxm", "192.0.2.0/24", "eth0", *parse_ip("192.0.2.2"), true},
            {"tcp", "192.0.2.0/24", "eth0", *parse_ip("192.0.2.2"), true},
            {"tcp", "fd00::", "eth0", *parse_ip("fd00::2"), true},
            {"tcp", "127.0.0.0/8", "lo", *parse_ip("127.0.0.1"), true},
            {"tcp", "198.51.100.0/24", "eth1", *parse_ip("198.51.100.1"), false},
            {"cxi", "cxi", "cxi0", std::nullopt, true}};
}

}  // namespace

TEST_CASE("the first device that fits is chosen") {
    std::string why;
    const auto list = candidates();
    CHECK(choose(list, {"tcp", "", std::nullopt}, why) == 1);
    CHECK(choose(list, {"tcp", "", *parse_ip("127.0.0.1")}, why) == 3);
    CHECK(choose(list, {"tcp", "eth0", *parse_ip("fd00::2")}, why) == 2);
    CHECK(choose(list, {"tcp", "lo", std::nullopt}, why) == 3);
    CHECK(choose(list, {"cxi", "cxi0", std::nullopt}, why) == 5);
}

TEST_CASE("when no device fits, each is named with the reason") {
    std::string why;
    const auto list = candidates();
    CHECK_FALSE(choose(list, {"verbs;ofi_rxm", "", std::nullopt}, why).has_value());
    CHECK(why.find("tcp domain eth0 at 192.0.2.2: the provider is not verbs;ofi_rxm") !=
          std::string::npos);
    CHECK(why.find("cxi domain cxi0: the provider is not") != std::string::npos);
    CHECK_FALSE(choose(list, {"tcp", "eth7", std::nullopt}, why).has_value());
    CHECK(why.find("tcp domain lo at 127.0.0.1: the domain is not eth7") != std::string::npos);
    CHECK_FALSE(choose(list, {"tcp", "", *parse_ip("10.0.0.1")}, why).has_value());
    CHECK(why.find("its address is not 10.0.0.1") != std::string::npos);
    CHECK_FALSE(choose(list, {"tcp", "eth1", std::nullopt}, why).has_value());
    CHECK(why.find("does not keep the order") != std::string::npos);
    CHECK_FALSE(choose(list, {"cxi", "", *parse_ip("10.0.0.1")}, why).has_value());
    CHECK(why.find("it has no IP address") != std::string::npos);
    CHECK_FALSE(choose({}, {"tcp", "", std::nullopt}, why).has_value());
    CHECK(why == "the library offers nothing");
}

TEST_CASE("providers are found by protocol and alias, and no name is used twice") {
    CHECK(find_provider("tcp") != nullptr);
    CHECK(find_provider("tcp_exp") == find_provider("tcp"));
    CHECK(find_provider("tcp_rxm") == find_provider("tcp;ofi_rxm"));
    CHECK(find_provider("verbs") == find_provider("verbs;ofi_rxm"));
    CHECK(find_provider("sm") == find_provider("shm"));
    for (const char* name : {"sockets", "psm2", "opx", "cxi", "gni"})
        CHECK(find_provider(name) != nullptr);
    for (const char* name : {"", "TCP", "tcp ", "ofi_rxm", "udp"})
        CHECK(find_provider(name) == nullptr);
    std::set<std::string_view> names;
    for (const Provider& provider : providers()) {
        CHECK(names.insert(provider.protocol).second);
        if (*provider.alias != '\0') CHECK(names.insert(provider.alias).second);
    }
}

TEST_CASE("ofi addresses go from text to bytes and back") {
    struct Row {
        const char* protocol;
        const char* text;
        const char* canonical;
    };
    for (const Row& row :
         {Row{"tcp", "127.0.0.1:80", "127.0.0.1:80"}, Row{"sockets", "[::1]:65535", "[::1]:65535"},
          Row{"tcp", "[0:0::1]:1", "[::1]:1"}, Row{"shm", "name-1", "name-1"},
          Row{"cxi", "00ff10", "00ff10"}}) {
        CAPTURE(row.protocol, row.text);
        const Provider& provider = *find_provider(row.protocol);
        std::string canonical;
        auto raw = raw_of(provider, row.text, NA_ADDR_UNSPEC, false, canonical);
        REQUIRE(raw.ok());
        CHECK(canonical == row.canonical);
        auto text = text_of(provider, *raw);
        REQUIRE(text.ok());
        CHECK(*text == row.canonical);
    }
}

TEST_CASE("what is no ofi address is refused") {
    allow_log("");
    struct Row {
        const char* protocol;
        std::string text;
    };
    const std::vector<Row> rows = {{"tcp", ""},
                                   {"tcp", "127.0.0.1"},
                                   {"tcp", "127.0.0.1:0"},
                                   {"tcp", ":80"},
                                   {"tcp", "0.0.0.0:80"},
                                   {"tcp", "[::]:80"},
                                   {"tcp", "127.0.0.1:65536"},
                                   {"tcp", "127.0.0.1:x"},
                                   {"tcp", "[::1:80"},
                                   {"tcp", "a/b:80"},
                                   {"tcp", "some.host.name:80"},
                                   {"tcp", std::string(5000, 'a')},
                                   {"tcp", std::string("127.0.0.1\0:80", 13)},
                                   {"shm", ""},
                                   {"shm", "a b"},
                                   {"shm", "a/b"},
                                   {"shm", "a#b"},
                                   {"shm", "\xff\xfe"},
                                   {"shm", std::string(options::max_raw_size, 'a')},
                                   {"cxi", ""},
                                   {"cxi", "0"},
                                   {"cxi", "0g"},
                                   {"cxi", "FF"},
                                   {"cxi", std::string(2 * options::max_raw_size + 2, '0')}};
    for (const Row& row : rows) {
        CAPTURE(row.protocol, row.text);
        std::string canonical;
        CHECK_FALSE(
            raw_of(*find_provider(row.protocol), row.text, NA_ADDR_UNSPEC, false, canonical).ok());
    }
    CHECK_FALSE(text_of(*find_provider("tcp"), Raw(3)).ok());
    CHECK_FALSE(text_of(*find_provider("tcp"), Raw(16)).ok());
    CHECK_FALSE(text_of(*find_provider("shm"), Raw(16, std::byte{'x'})).ok());
    CHECK_FALSE(text_of(*find_provider("cxi"), Raw()).ok());
    CHECK_FALSE(text_of(*find_provider("cxi"), Raw(options::max_raw_size + 1)).ok());
}

TEST_CASE("error numbers of libfabric become codes") {
    CHECK(code_of_fi(0) == NA_SUCCESS);
    CHECK(code_of_fi(-FI_EADDRINUSE) == NA_ADDRINUSE);
    CHECK(code_of_fi(FI_ECONNREFUSED) == NA_HOSTUNREACH);
    CHECK(code_of_fi(FI_ETRUNC) == NA_MSGSIZE);
    CHECK(code_of_fi(FI_ENOKEY) == NA_INVALID_ARG);
    CHECK(code_of_fi(FI_ECANCELED) == NA_HOSTUNREACH);
    CHECK(code_of_fi(987654) == NA_PROTOCOL_ERROR);
    CHECK(loss_of_fi(FI_EINVAL) == NA_HOSTUNREACH);
    CHECK(loss_of_fi(FI_ENOMEM) == NA_NOMEM);
    CHECK(is_again(-FI_EAGAIN));
    CHECK_FALSE(is_again(0));
    CHECK_FALSE(is_again(-FI_EINVAL));
}
