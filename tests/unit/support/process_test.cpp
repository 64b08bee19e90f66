// SPDX-License-Identifier: BSD-3-Clause
// Child processes: talk, exit codes, signals, and that an unannounced log line of a child is seen.
#include "tests/support/process.hpp"

#include <signal.h>

#include <catch2/catch.hpp>

#include "na.h"
#include "tests/support/log_check.hpp"

using namespace cinnabar::test;

CINNABAR_ROLE(echo) {
    for (const std::string& argument : arguments)
        say(argument);
    while (auto line = hear())
        say("echo " + *line);
    return 7;
}

CINNABAR_ROLE(log_unexpectedly) {
    if (::freopen("/dev/null", "w", stderr) == nullptr) return 3;
    NA_Log_write(1, "test", "nobody announced this");
    return 0;
}

CINNABAR_ROLE(log_as_announced) {
    expect_log("announced");
    NA_Log_write(1, "test", "announced text");
    return 0;
}

TEST_CASE("parent and child talk in lines") {
    Process child("echo", {"first", "second word"});
    CHECK(child.listen() == "first");
    CHECK(child.listen() == "second word");
    child.tell("hello");
    CHECK(child.listen() == "echo hello");
    child.finish();
    CHECK(child.wait() == 7);
    CHECK_THROWS(child.listen());
}

TEST_CASE("a child can be suspended, resumed and killed") {
    Process child("echo");
    child.suspend();
    child.tell("late");
    child.resume();
    CHECK(child.listen() == "echo late");
    child.kill();
    CHECK(child.wait() == 128 + SIGKILL);
}

TEST_CASE("a child that is not waited for is killed and reaped") {
    Process child("echo");
}

TEST_CASE("an unknown role is an error") {
    CHECK(Process("no such role").wait() == 2);
}

TEST_CASE("an error line fails the role that logged it, unless announced") {
    CHECK(Process("log_unexpectedly").wait() == 99);
    CHECK(Process("log_as_announced").wait() == 0);
}
