// SPDX-License-Identifier: BSD-3-Clause
// The log: levels, subsystems and their exclusion, streams, what a line looks like, and that a
// disabled line is not formatted.
#include "na/base/log.hpp"

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <string>

#include "na.h"
#include "tests/support/log_check.hpp"

namespace cinnabar {
namespace {

// Puts the settings back, so that other tests find the default.
struct Settings {
    ~Settings() {
        NA_Set_log_level("warning");
        NA_Set_log_subsys("");
    }
};

bool enabled(LogLevel level, const char* subsystem = "na_test") {
    return NA_Log_enabled(static_cast<int>(level), subsystem);
}

TEST_CASE("a level enables itself and what is more important") {
    const Settings settings;
    struct Row {
        const char* name;
        LogLevel least;
    };
    for (const Row& row : {Row{"error", LogLevel::error}, Row{"err", LogLevel::error},
                           Row{"warning", LogLevel::warning}, Row{"warn", LogLevel::warning},
                           Row{"info", LogLevel::info}, Row{"debug", LogLevel::debug},
                           Row{"trace", LogLevel::trace}, Row{"min_debug", LogLevel::trace}}) {
        CAPTURE(row.name);
        NA_Set_log_level(row.name);
        for (int level = 1; level <= 5; ++level)
            CHECK(NA_Log_enabled(level, "na_test") == (level <= static_cast<int>(row.least)));
    }
    NA_Set_log_level("none");
    CHECK_FALSE(enabled(LogLevel::error));
    CHECK_FALSE(NA_Log_enabled(0, "na_test"));
    CHECK_FALSE(NA_Log_enabled(-1, "na_test"));
    CHECK_FALSE(NA_Log_enabled(6, "na_test"));
}

TEST_CASE("an unknown level is a warning and changes nothing") {
    const Settings settings;
    NA_Set_log_level("info");
    test::expect_log("unknown log level");
    NA_Set_log_level("loud");
    NA_Set_log_level(nullptr);
    CHECK(enabled(LogLevel::info));
    CHECK_FALSE(enabled(LogLevel::debug));
}

TEST_CASE("subsystems are chosen by name and prefix, and excluded") {
    const Settings settings;
    NA_Set_log_subsys("na_tcp,hg");
    CHECK(enabled(LogLevel::error, "na_tcp"));
    CHECK(enabled(LogLevel::error, "hg"));
    CHECK(enabled(LogLevel::error, "hg_rpc"));
    CHECK_FALSE(enabled(LogLevel::error, "hgx"));
    CHECK_FALSE(enabled(LogLevel::error, "na_sm"));
    NA_Set_log_subsys("na,~na_sm");
    CHECK(enabled(LogLevel::error, "na_tcp"));
    CHECK_FALSE(enabled(LogLevel::error, "na_sm"));
    NA_Set_log_subsys("~na_sm");
    CHECK(enabled(LogLevel::error, "hg_rpc"));
    CHECK_FALSE(enabled(LogLevel::error, "na_sm"));
    NA_Set_log_subsys("hg_all");
    CHECK(enabled(LogLevel::error, "na_sm"));
    NA_Set_log_subsys(",,");
    CHECK(enabled(LogLevel::error, "anything"));
    NA_Set_log_subsys(nullptr);
    CHECK(NA_Log_enabled(1, nullptr));
}

TEST_CASE("an error is logged once and carried as its code") {
    test::expect_log("peer 7 has gone: 19");
    const Status status = log_error(NA_HOSTUNREACH, "na_test", "peer {} has gone: {}", 7, 19);
    CHECK(status.code() == NA_HOSTUNREACH);
}

struct Counting {
    int* formatted;
};

}  // namespace
}  // namespace cinnabar

template <>
struct fmt::formatter<cinnabar::Counting> : fmt::formatter<int> {
    template <class Context>
    auto format(const cinnabar::Counting& value, Context& context) const {
        return fmt::format_to(context.out(), "{}", ++*value.formatted);
    }
};

namespace cinnabar {
namespace {

TEST_CASE("a disabled line is not formatted") {
    const Settings settings;
    int formatted = 0;
    log_debug("na_test", "{}", Counting{&formatted});
    CHECK(formatted == 0);
    NA_Set_log_level("debug");
    log_debug("na_test", "{}", Counting{&formatted});
    CHECK(formatted == 1);
}

TEST_CASE("a level has its own stream") {
    // The stream is given to the log function, which the test's main program has set.
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    NA_Set_log_func(nullptr);
    NA_Set_log_stream("error", file);
    NA_Set_log_stream("nonsense", file);
    NA_Set_log_stream(nullptr, file);
    NA_Log_write(1, "na_test", "the text, with 100% of it");
    NA_Log_write(9, "na_test", "no such level");
    NA_Log_write(1, "na_test", nullptr);
    NA_Set_log_stream("error", nullptr);
    test::install_log_check();
    char text[256] = {};
    std::rewind(file);
    const std::size_t size = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);
    const std::string line(text, size);
    CHECK(line.starts_with("# ["));
    CHECK(line.ends_with("] cinnabar->na_test [error] the text, with 100% of it\n"));
}

}  // namespace
}  // namespace cinnabar
