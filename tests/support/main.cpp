// SPDX-License-Identifier: BSD-3-Clause
// The main program of every test binary: Catch2, and around each test case the watchdog, the check
// of the log and the check of what is left behind. Findings are printed with the name of the test
// case and make the program fail. Started with a role (process.hpp) it runs that instead, as a test
// case too, so that a role may use assertions and is checked in the same way.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "tests/support/log_check.hpp"
#include "tests/support/process.hpp"
#include "tests/support/residue_check.hpp"
#include "tests/support/watchdog.hpp"

namespace cinnabar::test {
namespace {

// The exit code of a role that has failed an assertion or a check.
constexpr int bad_role_code = 99;

int finding_count = 0;
int role_argc = 0;
char** role_argv = nullptr;
int role_code = 0;

class Checks : public Catch::TestEventListenerBase {
public:
    using TestEventListenerBase::TestEventListenerBase;

    void testCaseStarting(const Catch::TestCaseInfo& info) override {
        TestEventListenerBase::testCaseStarting(info);
        arm_watchdog(default_deadline_s, info.name);
        begin_log_check();
        before_ = take_residue();
    }

    void testCaseEnded(const Catch::TestCaseStats& stats) override {
        disarm_watchdog();
        report(stats, end_log_check());
        report(stats, compare_residue(before_, take_residue()));
        TestEventListenerBase::testCaseEnded(stats);
    }

private:
    static void report(const Catch::TestCaseStats& stats, const std::vector<std::string>& lines) {
        for (const std::string& line : lines)
            std::fprintf(stderr, "FAILED: \"%s\": %s\n", stats.testInfo.name.c_str(), line.c_str());
        finding_count += static_cast<int>(lines.size());
    }

    Residue before_;
};

CATCH_REGISTER_LISTENER(Checks)

TEST_CASE("role", "[.role]") {
    role_code = run_role(role_argc, role_argv);
}

int run_role_in_session(int argc, char** argv) {
    role_argc = argc;
    role_argv = argv;
    // Standard output is the line to the parent: the report goes elsewhere, if it is of interest.
    std::ostringstream report;
    std::streambuf* const usual = std::cout.rdbuf(report.rdbuf());
    const char* arguments[] = {argv[0], "role"};
    const int failures = Catch::Session().run(2, arguments);
    std::cout.rdbuf(usual);
    if (failures != 0) std::fprintf(stderr, "role %s:\n%s", argv[2], report.str().c_str());
    return role_code == 0 && (failures != 0 || finding_count != 0) ? bad_role_code : role_code;
}

}  // namespace
}  // namespace cinnabar::test

int main(int argc, char** argv) {
    using namespace cinnabar::test;
    install_log_check();
    if (names_role(argc, argv)) return run_role_in_session(argc, argv);
    const int code = Catch::Session().run(argc, argv);
    if (finding_count == 0) return code;
    std::fprintf(stderr, "FAILED: %d finding(s) around the test cases\n", finding_count);
    return code == 0 ? 1 : code;
}
