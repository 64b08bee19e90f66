// SPDX-License-Identifier: BSD-3-Clause
// The watchdog bites a process that hangs, and only that one.
#include "tests/support/watchdog.hpp"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/process.hpp"

using namespace cinnabar::test;

CINNABAR_ROLE(hang) {
    // The stacks would only be noise here.
    if (::freopen("/dev/null", "w", stderr) == nullptr) return 3;
    arm_watchdog(1, "hang on purpose");
    for (;;)
        ::pause();
}

CINNABAR_ROLE(calm) {
    arm_watchdog(1, "not a hang");
    disarm_watchdog();
    say("calm");
    return hear() ? 1 : 0;
}

TEST_CASE("the watchdog aborts a process that hangs") {
    Process child("hang");
    CHECK(child.wait() == 128 + SIGABRT);
}

TEST_CASE("the watchdog leaves a process alone that has disarmed it") {
    Process child("calm");
    CHECK(child.listen() == "calm");
    child.finish();
    CHECK(child.wait() == 0);
}
