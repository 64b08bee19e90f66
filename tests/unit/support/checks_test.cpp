// SPDX-License-Identifier: BSD-3-Clause
// The checks around test cases see what they are there for: log lines, descriptors, files,
// children; and the counters count.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "na.h"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/residue_check.hpp"
#include "tests/support/system_calls.hpp"

using namespace cinnabar::test;

TEST_CASE("an open descriptor is residue") {
    const Residue before = take_residue();
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const auto lines = compare_residue(before, take_residue());
    ::close(fd);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("/dev/null") != std::string::npos);
    CHECK(compare_residue(before, take_residue()).empty());
}

TEST_CASE("a shared memory file is residue") {
    const Residue before = take_residue();
    const std::string name = "/cinnabar-test-" + std::to_string(::getpid());
    const int fd = ::shm_open(name.c_str(), O_CREAT | O_RDWR, 0600);
    ::close(fd);
    const auto lines = compare_residue(before, take_residue());
    ::shm_unlink(name.c_str());
    CHECK(lines.size() == 1);
}

TEST_CASE("a child, running or dead, is residue") {
    const Residue before = take_residue();
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    CHECK(compare_residue(before, take_residue()).size() == 1);
    ::waitpid(child, nullptr, 0);
    CHECK(compare_residue(before, take_residue()).empty());
}

TEST_CASE("the log check tells announced lines from others") {
    begin_log_check();
    allow_log("may come");
    expect_log("must come");
    expect_log("never comes");
    NA_Log_write(1, "test", "this may come");
    NA_Log_write(2, "test", "this must come");
    NA_Log_write(3, "test", "(information is no finding)");
    const auto lines = end_log_check();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("never comes") != std::string::npos);

    begin_log_check();
    NA_Log_write(2, "test", "(a warning, part of this test)");
    CHECK(end_log_check().size() == 1);
    begin_log_check();
}

TEST_CASE("allocations of this thread are counted") {
    if (!AllocationCounter::available()) return;
    const AllocationCounter counter;
    CHECK(counter.count() == 0);
    void* volatile block = std::malloc(10);
    CHECK(counter.count() == 1);
    std::free(block);
    auto* volatile number = new int(1);
    delete number;
    block = std::aligned_alloc(64, 64);
    std::free(block);
    const unsigned long count = counter.count();
    CHECK(count >= 3);
}

CINNABAR_ROLE(three_calls) {
    (void)::getppid();
    mark_system_calls("begin");
    (void)::getppid();
    (void)::getppid();
    (void)::getuid();
    mark_system_calls("end");
    (void)::getppid();
    return 0;
}

TEST_CASE("system calls between the marks are counted") {
    REQUIRE(can_count_system_calls());
    TracedProcess traced("three_calls");
    REQUIRE(traced.process.wait() == 0);
    const auto counts = traced.counts();
    CHECK(counts == std::map<std::string, unsigned>{{"getppid", 2}, {"getuid", 1}});
}
