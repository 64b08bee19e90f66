// SPDX-License-Identifier: BSD-3-Clause
// The process's one log sink: level, subsystems, stream. Environment HG_LOG_LEVEL and HG_LOG_SUBSYS
// give the initial settings. Silent below warning by default. Any thread; a line is written with
// one call.
#include <atomic>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "na.h"
#include "na/base/log.hpp"
#include "na/base/mutex.hpp"

namespace cinnabar {
namespace {

using LogFunction = int (*)(FILE*, const char*, ...);

struct LevelName {
    std::string_view name;
    LogLevel level;
};

constexpr LevelName level_names[] = {
    {"none", LogLevel::none},    {"fatal", LogLevel::error}, {"ftl", LogLevel::error},
    {"error", LogLevel::error},  {"err", LogLevel::error},   {"warning", LogLevel::warning},
    {"warn", LogLevel::warning}, {"info", LogLevel::info},   {"inf", LogLevel::info},
    {"debug", LogLevel::debug},  {"dbg", LogLevel::debug},   {"min_debug", LogLevel::trace},
    {"trace", LogLevel::trace},
};

constexpr const char* level_texts[] = {"none", "error", "warning", "info", "debug", "trace"};

struct Sink {
    std::atomic<int> level{static_cast<int>(LogLevel::warning)};
    std::atomic<bool> filtered{false};  // `subsystems` must be asked
    Mutex mutex;
    std::vector<std::string> subsystems;
    std::atomic<LogFunction> function{nullptr};
    std::atomic<FILE*> streams[6] = {};
};

void set_level(Sink& sink, const char* name);
void set_subsystems(Sink& sink, const char* list);

Sink& sink() {
    // Never destroyed: a library user may log from its own static destructors.
    static Sink* instance = [] {
        auto* made = new Sink;
        if (const char* level = std::getenv("HG_LOG_LEVEL")) set_level(*made, level);
        if (const char* subsystems = std::getenv("HG_LOG_SUBSYS"))
            set_subsystems(*made, subsystems);
        return made;
    }();
    return *instance;
}

void emit(Sink& s, LogLevel level, const char* subsystem, const char* text) {
    const auto index = static_cast<std::size_t>(level);
    FILE* stream = s.streams[index].load(std::memory_order_relaxed);
    if (stream == nullptr) stream = stderr;
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const double seconds =
        static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
    if (LogFunction function = s.function.load(std::memory_order_relaxed))
        function(stream, "# [%f] cinnabar->%s [%s] %s\n", seconds, subsystem, level_texts[index],
                 text);
    else
        std::fprintf(stream, "# [%f] cinnabar->%s [%s] %s\n", seconds, subsystem,
                     level_texts[index], text);
}

void set_level(Sink& s, const char* name) {
    for (const LevelName& entry : level_names)
        if (entry.name == name) {
            s.level.store(static_cast<int>(entry.level), std::memory_order_relaxed);
            return;
        }
    emit(s, LogLevel::warning, "log",
         "unknown log level: use none, error, warning, info, debug, trace");
}

void set_subsystems(Sink& s, const char* list) {
    std::vector<std::string> names;
    std::string_view rest = list;
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        const std::string_view name = rest.substr(0, comma);
        if (!name.empty()) names.emplace_back(name);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    MutexLock lock(s.mutex);
    s.subsystems = std::move(names);
    s.filtered.store(!s.subsystems.empty(), std::memory_order_release);
}

// "hg" names every "hg_..." too, "hg_all" everything; "~name" excludes; the last match decides.
bool names(std::string_view entry, std::string_view subsystem) {
    return entry == "hg_all" || entry == subsystem ||
           (subsystem.size() > entry.size() && subsystem.starts_with(entry) &&
            subsystem[entry.size()] == '_');
}

bool selected(Sink& s, std::string_view subsystem) {
    MutexLock lock(s.mutex);
    bool only_exclusions = true;
    bool result = false;
    for (std::string_view entry : s.subsystems) {
        const bool exclude = entry.starts_with('~');
        if (!exclude) only_exclusions = false;
        if (names(exclude ? entry.substr(1) : entry, subsystem)) {
            if (exclude) return false;
            result = true;
        }
    }
    return result || only_exclusions;
}

}  // namespace

bool LogSink::enabled(LogLevel level, const char* subsystem) noexcept {
    return NA_Log_enabled(static_cast<int>(level), subsystem);
}

void LogSink::write(LogLevel level, const char* subsystem, const char* text) noexcept {
    NA_Log_write(static_cast<int>(level), subsystem, text);
}

}  // namespace cinnabar

using namespace cinnabar;

bool NA_Log_enabled(int level, const char* subsys) {
    Sink& s = sink();
    if (level <= 0 || level > s.level.load(std::memory_order_relaxed)) return false;
    return !s.filtered.load(std::memory_order_acquire) ||
           selected(s, subsys == nullptr ? "" : subsys);
}

void NA_Log_write(int level, const char* subsys, const char* text) {
    if (level <= 0 || level > static_cast<int>(LogLevel::trace) || text == nullptr) return;
    emit(sink(), static_cast<LogLevel>(level), subsys == nullptr ? "" : subsys, text);
}

void NA_Set_log_level(const char* level) {
    if (level != nullptr) set_level(sink(), level);
}

void NA_Set_log_subsys(const char* subsys) {
    if (subsys != nullptr) set_subsystems(sink(), subsys);
}

void NA_Set_log_func(int (*log_func)(FILE* stream, const char* format, ...)) {
    sink().function.store(log_func, std::memory_order_relaxed);
}

void NA_Set_log_stream(const char* level, FILE* stream) {
    if (level == nullptr) return;
    for (const LevelName& entry : level_names)
        if (entry.name == level)
            sink().streams[static_cast<std::size_t>(entry.level)].store(stream,
                                                                        std::memory_order_relaxed);
}

void NA_Diag_dump_counters(void) {}
