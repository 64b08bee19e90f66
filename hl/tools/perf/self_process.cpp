// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/self_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace cinnabar::perf {

SelfProcess start_self(std::vector<std::string> arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return {};
    // By its own path, so that the process bears the program's name.
    std::string program(4096, '\0');
    const ssize_t size = ::readlink("/proc/self/exe", program.data(), program.size() - 1);
    std::vector<char*> list{program.data()};
    for (std::string& argument : arguments)
        list.push_back(argument.data());
    list.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    SelfProcess started;
    const bool good = size > 0 && ::posix_spawn(&started.process, program.data(), &actions, nullptr,
                                                list.data(), environ) == 0;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (!good) {
        ::close(ends[0]);
        return {};
    }
    started.said = ::fdopen(ends[0], "r");
    return started;
}

}  // namespace cinnabar::perf
