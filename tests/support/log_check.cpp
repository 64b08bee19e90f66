// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/log_check.hpp"

#include <cstdarg>
#include <cstdio>
#include <mutex>

#include "na.h"

namespace cinnabar::test {
namespace {

struct Announcement {
    std::string text;
    bool required;
    bool seen = false;
};

std::mutex mutex;
std::vector<Announcement> announcements;
std::vector<std::string> findings;

bool announced(const std::string& line) {
    bool found = false;
    for (Announcement& announcement : announcements)
        if (line.find(announcement.text) != std::string::npos) announcement.seen = found = true;
    return found;
}

void take_line(const std::string& line) {
    const bool bad = line.find(" [error] ") != std::string::npos ||
                     line.find(" [warning] ") != std::string::npos;
    std::lock_guard lock(mutex);
    if (announced(line)) return;
    std::fputs(line.c_str(), stderr);
    if (bad) findings.push_back("unexpected log line: " + line.substr(0, line.find('\n')));
}

int log_function(FILE*, const char* format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    const int size = std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    take_line(text);
    return size;
}

}  // namespace

void expect_log(std::string text) {
    std::lock_guard lock(mutex);
    announcements.push_back({std::move(text), true});
}

void allow_log(std::string text) {
    std::lock_guard lock(mutex);
    announcements.push_back({std::move(text), false});
}

void install_log_check() {
    NA_Set_log_func(log_function);
}

void begin_log_check() {
    std::lock_guard lock(mutex);
    announcements.clear();
    findings.clear();
}

std::vector<std::string> end_log_check() {
    std::lock_guard lock(mutex);
    std::vector<std::string> result = std::move(findings);
    for (const Announcement& announcement : announcements)
        if (announcement.required && !announcement.seen)
            result.push_back("expected log line never came: " + announcement.text);
    announcements.clear();
    findings.clear();
    return result;
}

}  // namespace cinnabar::test
