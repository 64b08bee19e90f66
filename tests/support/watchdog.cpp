// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/watchdog.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

extern char** environ;

namespace cinnabar::test {
namespace {

using Clock = std::chrono::steady_clock;

// How many times the deadline a test may be given more because it does not get a processor.
constexpr int starved_times = 3;

// How long each thread has waited for a processor, by its id.
using Delays = std::map<pid_t, std::chrono::nanoseconds>;

struct Watchdog {
    std::mutex mutex;
    std::condition_variable changed;
    Clock::time_point deadline = Clock::time_point::max();
    Clock::time_point begun;
    Delays delays;
    int seconds = 0;
    std::string what;
    bool running = false;
};

// Never destroyed: its thread outlives main().
Watchdog& watchdog() {
    static auto* instance = new Watchdog;
    return *instance;
}

template <class Visit>
void for_each_number(const std::string& folder, Visit&& visit) {
    DIR* stream = ::opendir(folder.c_str());
    if (stream == nullptr) return;
    while (const dirent* entry = ::readdir(stream))
        if (const pid_t number = std::atoi(entry->d_name); number > 0) visit(number);
    ::closedir(stream);
}

pid_t parent_of(pid_t process) {
    std::ifstream file(fmt::format("/proc/{}/stat", process));
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return 0;
    return std::atoi(text.c_str() + std::min(name_end + 4, text.size()));
}

// This process and all below it.
std::vector<pid_t> family() {
    std::map<pid_t, pid_t> parents;
    for_each_number("/proc", [&](pid_t process) { parents[process] = parent_of(process); });
    std::vector<pid_t> members{::getpid()};
    for (std::size_t i = 0; i < members.size(); ++i)
        for (const auto& [process, parent] : parents)
            if (parent == members[i]) members.push_back(process);
    return members;
}

Delays delays_of(const std::vector<pid_t>& processes) {
    Delays delays;
    for (const pid_t process : processes) {
        const std::string folder = fmt::format("/proc/{}/task", process);
        for_each_number(folder, [&](pid_t thread) {
            std::ifstream file(fmt::format("{}/{}/schedstat", folder, thread));
            long long run = 0, waited = 0;
            if (file >> run >> waited) delays[thread] = std::chrono::nanoseconds(waited);
        });
    }
    return delays;
}

// How long the threads of the family have waited for a processor since the watchdog was armed. Who
// wants to run and may not does not hang.
std::chrono::nanoseconds starved(const Delays& before) {
    std::chrono::nanoseconds sum{0};
    for (const auto& [thread, waited] : delays_of(family())) {
        const auto known = before.find(thread);
        sum += known == before.end() ? waited : waited - known->second;
    }
    return sum;
}

void print_stacks(pid_t process) {
    fmt::print(stderr, "watchdog: stacks of process {}\n", process);
    const std::string id = std::to_string(process);
    const char* arguments[] = {"gdb", "-nx",      "-batch", "-ex", "thread apply all backtrace 30",
                               "-p",  id.c_str(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t gdb = 0;
    const int error = ::posix_spawnp(&gdb, "gdb", &actions, nullptr,
                                     const_cast<char* const*>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        fmt::print(stderr, "watchdog: no gdb, no stacks\n");
    else
        ::waitpid(gdb, nullptr, 0);
}

[[noreturn]] void bite(const std::string& what, int seconds, Clock::duration more) {
    fmt::print(stderr, "watchdog: \"{}\" has not ended after {} s, and {} for want of processors\n",
               what, seconds, std::chrono::duration_cast<std::chrono::seconds>(more).count());
    // Lets gdb, a child, attach to its parent.
    ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    const std::vector<pid_t> members = family();
    for (const pid_t process : members)
        print_stacks(process);
    for (const pid_t process : members)
        if (process != ::getpid()) ::kill(process, SIGKILL);
    // Not through the handler of the test framework, which would report from this thread.
    ::signal(SIGABRT, SIG_DFL);
    std::abort();
}

void watch() {
    Watchdog& dog = watchdog();
    std::unique_lock lock(dog.mutex);
    for (;;) {
        if (dog.deadline == Clock::time_point::max())
            dog.changed.wait(lock);
        else
            dog.changed.wait_until(lock, dog.deadline);
        if (Clock::now() < dog.deadline) continue;
        // One that spins may always want a processor: it is not waited for without end.
        const auto patience = std::chrono::seconds(dog.seconds);
        const auto more = std::min<Clock::duration>(starved(dog.delays), patience * starved_times);
        dog.deadline = dog.begun + patience + more;
        if (Clock::now() >= dog.deadline) bite(dog.what, dog.seconds, more);
    }
}

}  // namespace

int slowdown() {
    static const int factor = [] {
        const char* text = std::getenv("CINNABAR_TEST_SLOWDOWN");
        return text == nullptr ? 1 : std::max(1, std::atoi(text));
    }();
    return factor;
}

void arm_watchdog(int seconds, std::string what) {
    Watchdog& dog = watchdog();
    std::lock_guard lock(dog.mutex);
    dog.seconds = seconds * slowdown();
    dog.begun = Clock::now();
    dog.delays = delays_of({::getpid()});
    dog.deadline = dog.begun + std::chrono::seconds(dog.seconds);
    dog.what = std::move(what);
    if (!dog.running) std::thread(watch).detach();
    dog.running = true;
    dog.changed.notify_one();
}

void disarm_watchdog() {
    Watchdog& dog = watchdog();
    std::lock_guard lock(dog.mutex);
    dog.deadline = Clock::time_point::max();
    dog.changed.notify_one();
}

}  // namespace cinnabar::test
