// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/residue_check.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace cinnabar::test {
namespace {

template <class Visit>
void for_each_entry(const char* folder, Visit&& visit) {
    DIR* stream = ::opendir(folder);
    if (stream == nullptr) return;
    while (const dirent* entry = ::readdir(stream))
        if (entry->d_name[0] != '.') visit(std::string(entry->d_name), ::dirfd(stream));
    ::closedir(stream);
}

std::string target_of(int folder, const std::string& name) {
    char text[256];
    const ssize_t size = ::readlinkat(folder, name.c_str(), text, sizeof text);
    return size < 0 ? std::string("?") : std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

Residue take_residue() {
    Residue residue;
    for_each_entry("/proc/self/fd", [&](const std::string& name, int folder) {
        const int fd = std::atoi(name.c_str());
        if (fd != folder) residue.descriptors.emplace(fd, target_of(folder, name));
    });
    // Others on this machine may use shared memory too: only names that could be ours count.
    for_each_entry("/dev/shm", [&](const std::string& name, int) {
        if (name.find("cinnabar") != std::string::npos || name.find("na_") != std::string::npos)
            residue.shared_memory.insert(name);
    });
    siginfo_t info{};
    residue.children = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    return residue;
}

std::vector<std::string> compare_residue(const Residue& before, const Residue& after) {
    std::vector<std::string> lines;
    for (const auto& [fd, target] : after.descriptors)
        if (!before.descriptors.contains(fd))
            lines.push_back(fmt::format("descriptor {} is left open: {}", fd, target));
    for (const std::string& name : after.shared_memory)
        if (!before.shared_memory.contains(name))
            lines.push_back(fmt::format("/dev/shm/{} is left behind", name));
    if (after.children && !before.children) lines.push_back("a child process is left behind");
    return lines;
}

}  // namespace cinnabar::test
