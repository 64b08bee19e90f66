// SPDX-License-Identifier: BSD-3-Clause
// Lines of programs in the library's log: under whose name, at which level, and when not.
#include "mercury_log.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "mercury.h"
#include "tests/support/log_check.hpp"

HG_LOG_DECL_REGISTER(program);
HG_LOG_SUBSYS_DECL_REGISTER(program_part, program);

namespace {

std::string written;

int keep(FILE*, const char* format, ...) {
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    const int size = std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    written += line;
    return size;
}

bool comes(enum hg_log_level level) {
    written.clear();
    HG_LOG_WRITE(program, level, "number %d", 42);
    return written.find("number 42\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a program's line bears its outlet's name, and where it was written") {
    hg_log_set_func(keep);
    written.clear();
    HG_LOG_SUBSYS_WRITE(program_part, HG_LOG_LEVEL_ERROR, "%s", "what happened");
    CHECK(written.find("->program_part [error] ") != std::string::npos);
    CHECK(written.find("log_test.cpp:") != std::string::npos);
    CHECK(written.find("() what happened\n") != std::string::npos);
    written.clear();
    hg_log_write(&HG_LOG_OUTLET(program), HG_LOG_LEVEL_WARNING, "module", "file", 7, "f", true,
                 "its own end\n");
    CHECK(written.find("module:file:7 f() its own end\n") != std::string::npos);
    CHECK(written.find("end\n\n") == std::string::npos);
    // Too long a line is cut.
    written.clear();
    const std::string long_text(5000, 'x');
    HG_LOG_WRITE(program, HG_LOG_LEVEL_ERROR, "%s", long_text.c_str());
    CHECK(written.size() > 1000);
    CHECK(written.size() < 3000);
    cinnabar::test::install_log_check();
}

TEST_CASE("the settings of the library decide, unless the outlet does") {
    hg_log_set_func(keep);
    CHECK(comes(HG_LOG_LEVEL_WARNING));
    CHECK_FALSE(comes(HG_LOG_LEVEL_INFO));
    CHECK_FALSE(comes(HG_LOG_LEVEL_NONE));
    hg_log_set_level(HG_LOG_LEVEL_DEBUG);
    CHECK(comes(HG_LOG_LEVEL_INFO));
    CHECK(comes(HG_LOG_LEVEL_DEBUG));
    hg_log_set_level(HG_LOG_LEVEL_WARNING);
    hg_log_set_subsys("other");
    CHECK_FALSE(comes(HG_LOG_LEVEL_ERROR));
    hg_log_set_subsys("program");
    CHECK(comes(HG_LOG_LEVEL_ERROR));
    hg_log_set_subsys("");
    HG_LOG_OUTLET(program).state = HG_LOG_OFF;
    CHECK_FALSE(comes(HG_LOG_LEVEL_ERROR));
    HG_LOG_OUTLET(program).state = HG_LOG_ON;
    CHECK(comes(HG_LOG_LEVEL_DEBUG));
    HG_LOG_OUTLET(program).state = HG_LOG_PASS;
    HG_LOG_OUTLET(program).level = HG_LOG_LEVEL_ERROR;
    CHECK_FALSE(comes(HG_LOG_LEVEL_WARNING));
    CHECK(comes(HG_LOG_LEVEL_ERROR));
    HG_LOG_OUTLET(program).level = HG_LOG_LEVEL_NONE;
    cinnabar::test::install_log_check();
}

TEST_CASE("levels have names") {
    for (int level = HG_LOG_LEVEL_NONE; level < HG_LOG_LEVEL_MAX; ++level) {
        const auto each = static_cast<enum hg_log_level>(level);
        CHECK(hg_log_name_to_level(hg_log_level_to_string(each)) == each);
    }
    CHECK(hg_log_name_to_level("dbg") == HG_LOG_LEVEL_DEBUG);
    CHECK(hg_log_name_to_level("nonsense") == HG_LOG_LEVEL_NONE);
    CHECK(hg_log_name_to_level(nullptr) == HG_LOG_LEVEL_NONE);
    CHECK(hg_log_level_to_string(HG_LOG_LEVEL_MAX) == nullptr);
}
