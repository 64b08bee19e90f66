// SPDX-License-Identifier: BSD-3-Clause
// Greetings between shared-memory peers: descriptors travel, and what is not a greeting is refused
// without leaking what came with it.
#include <catch2/catch.hpp>

#include <sys/mman.h>
#include <sys/socket.h>

#include "plugins/sm/address.hpp"
#include "plugins/sm/handshake.hpp"
#include "plugins/sm/region.hpp"

using namespace cinnabar;
using namespace cinnabar::sm;

namespace {

struct Sockets {
    FileDescriptor a;
    FileDescriptor b;
    Sockets() {
        int pair[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
        a.reset(pair[0]);
        b.reset(pair[1]);
    }
};

}  // namespace

TEST_CASE("a greeting arrives with its descriptors, and the memory can be adopted") {
    Sockets s;
    FileDescriptor fd;
    auto region = Region::create("test", 8192, fd);
    REQUIRE(region.ok());
    region->as<int>() = 4711;
    Greeting hello;
    hello.set_sender("12-3");
    const int fds[] = {fd.get()};
    REQUIRE(send_greeting(s.a.get(), hello, fds, 1).ok());
    Greeting got;
    GreetingFds got_fds;
    REQUIRE(receive_greeting(s.b.get(), got, got_fds).ok());
    CHECK(got.sender() == "12-3");
    auto same = Region::adopt(got_fds[0].get(), 8192);
    REQUIRE(same.ok());
    CHECK(same->as<int>() == 4711);
    CHECK_FALSE(got_fds[1]);
    CHECK(Region::adopt(got_fds[0].get(), 4096).status().code() == NA_PROTOCOL_ERROR);
}

TEST_CASE("memory that its maker could shrink is refused") {
    FileDescriptor fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(fd);
    REQUIRE(::ftruncate(fd.get(), 4096) == 0);
    CHECK(Region::adopt(fd.get(), 4096).status().code() == NA_PROTOCOL_ERROR);
}

TEST_CASE("nothing, a hang-up and nonsense are told apart") {
    Sockets s;
    Greeting got;
    GreetingFds fds;
    CHECK(receive_greeting(s.b.get(), got, fds).code() == NA_AGAIN);
    SECTION("short") {
        REQUIRE(::send(s.a.get(), "hello", 5, 0) == 5);
        CHECK(receive_greeting(s.b.get(), got, fds).code() == NA_PROTOCOL_ERROR);
    }
    SECTION("wrong version") {
        Greeting hello;
        hello.version = greeting_version + 1;
        REQUIRE(send_greeting(s.a.get(), hello, nullptr, 0).ok());
        CHECK(receive_greeting(s.b.get(), got, fds).code() == NA_PROTOCOL_ERROR);
    }
    SECTION("a name longer than its field") {
        Greeting hello;
        hello.name_length = max_name_length + 1;
        REQUIRE(send_greeting(s.a.get(), hello, nullptr, 0).ok());
        CHECK(receive_greeting(s.b.get(), got, fds).code() == NA_PROTOCOL_ERROR);
    }
    SECTION("hang-up") {
        CHECK_FALSE(hung_up(s.b.get()));
        s.a.reset();
        CHECK(hung_up(s.b.get()));
        CHECK(receive_greeting(s.b.get(), got, fds).code() == NA_HOSTUNREACH);
    }
}

TEST_CASE("a name can be held once, and nobody listens where nobody does") {
    const std::string name = "handshake-test-" + std::to_string(::getpid());
    auto holder = bind_name(name);
    REQUIRE(holder.ok());
    CHECK(bind_name(name).status().code() == NA_ADDRINUSE);
    CHECK(connect_to(name, 0).status().code() == NA_HOSTUNREACH);
    auto listener = listen_on(name, 3);
    REQUIRE(listener.ok());
    CHECK(connect_to(name, 0).status().code() == NA_HOSTUNREACH);
    auto client = connect_to(name, 3);
    REQUIRE(client.ok());
    auto accepted = accept_from(listener->get());
    REQUIRE(accepted.ok());
    auto who = check_credentials(accepted->get());
    REQUIRE(who.ok());
    CHECK(who->pid == ::getpid());
}

TEST_CASE("names and addresses are checked") {
    CHECK(valid_name("1234-0"));
    CHECK_FALSE(valid_name(""));
    CHECK_FALSE(valid_name("a/b"));
    CHECK_FALSE(valid_name("a b"));
    CHECK_FALSE(valid_name(std::string(max_name_length + 1, 'x')));
    auto parsed = parse_address("sm://1234-0");
    REQUIRE(parsed.ok());
    CHECK(*parsed == "1234-0");
    CHECK_FALSE(parse_address("sm:/1234-0").ok());
    CHECK_FALSE(parse_address("tcp://1234-0").ok());
    CHECK_FALSE(parse_address("sm://").ok());
}
