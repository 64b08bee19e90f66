// SPDX-License-Identifier: BSD-3-Clause
// Host parts, subnets and the choice of the address that a net publishes.
#include "na/sdk/ip.hpp"

#include <catch2/catch.hpp>

#include "tests/support/log_check.hpp"

using namespace cinnabar::na::sdk;
using cinnabar::test::expect_log;

namespace {

Interface interface(const char* name, const char* address, bool up = true) {
    Interface made{name, *parse_ip(address), up, false};
    made.loopback = made.address.is_loopback();
    return made;
}

const std::vector<Interface> machine{
    interface("lo", "127.0.0.1"),     interface("down0", "10.9.0.1", false),
    interface("eth0", "192.168.1.7"), interface("ib0", "10.1.2.3"),
    interface("lo", "::1"),           interface("eth0", "fe80::1%1"),
    interface("eth0", "2001:db8::7"),
};

std::string choose(const std::string& host, const std::string& subnet = "",
                   na_addr_format format = NA_ADDR_UNSPEC,
                   const std::vector<Interface>& interfaces = machine) {
    auto chosen = choose_address(interfaces, {host, subnet, format});
    return chosen.ok() ? chosen->to_string() : std::to_string(chosen.status().code());
}

std::string code(na_return_t ret) {
    return std::to_string(ret);
}

}  // namespace

TEST_CASE("a host part is taken apart") {
    struct Row {
        const char* text;
        const char* host;
        int port;
        bool has_port;
    };
    for (const Row& row : {Row{"", "", 0, false}, Row{"node7", "node7", 0, false},
                           Row{"node7:80", "node7", 80, true}, Row{":80", "", 80, true},
                           Row{"1.2.3.4:0", "1.2.3.4", 0, true}, Row{"[::1]:9", "::1", 9, true},
                           Row{"[::]", "::", 0, false}, Row{"::1", "::1", 0, false},
                           Row{"eth0:65535", "eth0", 65535, true}}) {
        CAPTURE(row.text);
        auto part = parse_host_part(row.text);
        REQUIRE(part.ok());
        CHECK(part->host == row.host);
        CHECK(part->port == row.port);
        CHECK(part->has_port == row.has_port);
    }
}

TEST_CASE("malformed host parts are refused") {
    for (const char* text : {"host:", "host:x", "host:65536", "host:-1", "host:1:2", "[::1",
                             "[1.2.3.4]:5", "[::1]5", "a b", "a/b", "[]:1", "host:99999999999"}) {
        CAPTURE(text);
        expect_log("is malformed");
        CHECK(parse_host_part(text).status().code() == NA_INVALID_ARG);
    }
}

TEST_CASE("numeric addresses survive the way to text and to socket addresses") {
    for (const char* text : {"1.2.3.4", "::1", "2001:db8::7", "0.0.0.0", "fe80::1%1"}) {
        CAPTURE(text);
        auto address = parse_ip(text);
        REQUIRE(address.ok());
        CHECK(address->to_string() == text);
        sockaddr_storage storage{};
        address->to_sockaddr(77, storage);
        std::uint16_t port = 0;
        CHECK(address_of(storage, &port) == *address);
        CHECK(port == 77);
    }
    CHECK(parse_ip("::1")->with_port(5) == "[::1]:5");
    CHECK(parse_ip("1.2.3.4")->with_port(5) == "1.2.3.4:5");
    CHECK_FALSE(parse_ip("1.2.3").ok());
    CHECK_FALSE(parse_ip("").ok());
}

TEST_CASE("a subnet contains what shares its prefix") {
    auto subnet = parse_subnet("10.1.0.0/15");
    REQUIRE(subnet.ok());
    CHECK(subnet->contains(*parse_ip("10.0.9.9")));
    CHECK(subnet->contains(*parse_ip("10.1.9.9")));
    CHECK_FALSE(subnet->contains(*parse_ip("10.2.0.0")));
    CHECK_FALSE(subnet->contains(*parse_ip("::1")));
    CHECK(parse_subnet("0.0.0.0/0")->contains(*parse_ip("8.8.8.8")));
    CHECK(parse_subnet("fd00::/8")->contains(*parse_ip("fd12::1")));
    for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "ten/8", "/8", "::/129"}) {
        expect_log("subnet");
        CHECK_FALSE(parse_subnet(text).ok());
    }
}

TEST_CASE("without a host the first interface that others reach is chosen") {
    CHECK(choose("") == "192.168.1.7");
    CHECK(choose("0.0.0.0") == "192.168.1.7");
    CHECK(choose("::") == "2001:db8::7");
    CHECK(choose("", "", NA_ADDR_IPV6) == "2001:db8::7");
    CHECK(choose("", "10.1.0.0/16") == "10.1.2.3");
    CHECK(choose("", "", NA_ADDR_UNSPEC, {machine[0], machine[1]}) == "127.0.0.1");
}

TEST_CASE("a named interface gives its own address") {
    CHECK(choose("ib0") == "10.1.2.3");
    CHECK(choose("lo") == "127.0.0.1");
    CHECK(choose("eth0", "", NA_ADDR_IPV6) == "2001:db8::7");
    CHECK(choose("eth9") == code(NA_NOENTRY));
}

TEST_CASE("a wish that no interface fulfils is an error") {
    for (const char* line : {"in subnet 172.16.0.0/12", "down0 has none", "ib0 has none",
                             "\"nonsense\" is not a subnet", "this machine has none that is up"})
        expect_log(line);
    CHECK(choose("", "172.16.0.0/12") == code(NA_NODEV));
    CHECK(choose("down0") == code(NA_NODEV));
    CHECK(choose("ib0", "", NA_ADDR_IPV6) == code(NA_NODEV));
    CHECK(choose("", "nonsense") == code(NA_INVALID_ARG));
    CHECK(choose("", "", NA_ADDR_UNSPEC, {}) == code(NA_NODEV));
}

TEST_CASE("an interface with several addresses is one device, and none while it is down") {
    CHECK(names_of_devices(machine) == std::vector<std::string>{"lo", "eth0", "ib0"});
    CHECK(names_of_devices({}).empty());
}
