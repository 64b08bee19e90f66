// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/system_calls.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace cinnabar::test {
namespace {

// A write to no descriptor fails at once and is seen in the trace.
constexpr std::string_view mark_prefix = "write(-1, \"";

std::string temporary_file() {
    char name[] = "/tmp/cinnabar-trace-XXXXXX";
    const int fd = ::mkstemp(name);
    if (fd < 0) throw std::runtime_error("mkstemp");
    ::close(fd);
    return name;
}

// "123 sendto(4, ..." or "123 <... read resumed>": the name of a call that begins here, or nothing.
std::string call_of(std::string_view line) {
    std::size_t at = line.find_first_not_of("0123456789 ");
    if (at == std::string_view::npos) return {};
    const std::size_t start = at;
    while (at < line.size() &&
           (std::isalnum(static_cast<unsigned char>(line[at])) || line[at] == '_'))
        ++at;
    if (at == start || at == line.size() || line[at] != '(') return {};
    return std::string(line.substr(start, at - start));
}

}  // namespace

bool can_count_system_calls() {
    return std::system("strace -f -o /dev/null true > /dev/null 2>&1") == 0;
}

void mark_system_calls(std::string_view mark) {
    if (::write(-1, mark.data(), mark.size()) >= 0) std::abort();
}

namespace {

// The leak check at exit cannot run in a traced process.
std::string sanitizer_options() {
    const char* given = std::getenv("ASAN_OPTIONS");
    return std::string("ASAN_OPTIONS=") + (given == nullptr ? "" : given) + ":detect_leaks=0";
}

}  // namespace

TracedProcess::TracedProcess(std::string_view role, const Arguments& arguments)
    : file_(temporary_file()),
      process(role, arguments, {"strace", "-f", "-E", sanitizer_options(), "-o", file_}) {}

TracedProcess::~TracedProcess() {
    ::unlink(file_.c_str());
}

std::map<std::string, unsigned> TracedProcess::counts() const {
    std::map<std::string, unsigned> result;
    std::ifstream trace(file_);
    std::string thread;  // the number in front of its lines; empty outside the marks
    for (std::string line; std::getline(trace, line);) {
        const std::string number = line.substr(0, line.find(' '));
        if (const std::size_t mark = line.find(mark_prefix); mark != std::string::npos) {
            const bool begin = line.compare(mark + mark_prefix.size(), 5, "begin") == 0;
            thread = begin ? number : std::string();
            continue;
        }
        if (number != thread) continue;
        if (const std::string call = call_of(line); !call.empty()) ++result[call];
    }
    return result;
}

}  // namespace cinnabar::test
