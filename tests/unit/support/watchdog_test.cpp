// SPDX-License-Identifier: BSD-3-Clause
// The watchdog bites a process that hangs, and only that one.
#include "tests/support/watchdog.hpp"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/support/process.hpp"

using namespace cinnabar::test;

namespace {

// The stacks would only be noise here, and gdb takes its time.
bool without_stacks() {
    return ::setenv("PATH", "/nowhere", 1) == 0 && ::freopen("/dev/null", "w", stderr) != nullptr;
}

}  // namespace

CINNABAR_ROLE(hang) {
    if (!without_stacks()) return 3;
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

namespace {

// So many threads on one processor that each waits for it most of the time.
void crowd_one_processor() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    for (int i = 0; i < 4; ++i)
        std::thread([] {
            for (;;)
                (void)std::chrono::steady_clock::now();
        }).detach();
}

}  // namespace

CINNABAR_ROLE(starve) {
    // It has until four times the deadline to get the processor once more.
    arm_watchdog(4, "starved, not a hang");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    crowd_one_processor();
    while (std::chrono::steady_clock::now() < end) {
    }
    disarm_watchdog();
    say("fed");
    // Not at an exit that its threads would run into.
    ::_exit(hear() ? 1 : 0);
}

CINNABAR_ROLE(spin) {
    if (!without_stacks()) return 3;
    arm_watchdog(1, "spinning on purpose");
    crowd_one_processor();
    for (;;)
        (void)std::chrono::steady_clock::now();
}

TEST_CASE("the watchdog leaves a process alone that does not get a processor") {
    Process child("starve");
    CHECK(child.listen() == "fed");
    child.finish();
    CHECK(child.wait() == 0);
}

TEST_CASE("the watchdog aborts a process that spins, whoever else wants the processor") {
    Process child("spin");
    CHECK(child.wait() == 128 + SIGABRT);
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
