// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>

extern char** environ;

namespace cinnabar::test {
namespace {

constexpr const char* role_option = "--role";

std::map<std::string, RoleFunction, std::less<>>& roles() {
    static std::map<std::string, RoleFunction, std::less<>> instance;
    return instance;
}

[[noreturn]] void fail(std::string_view what) {
    throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
    return ends;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = ::write(fd, text.data(), text.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

// Takes one line from the descriptor, keeping what follows it in `buffer`.
std::optional<std::string> read_line(int fd, std::string& buffer) {
    for (;;) {
        if (const std::size_t end = buffer.find('\n'); end != std::string::npos) {
            std::string line = buffer.substr(0, end);
            buffer.erase(0, end + 1);
            return line;
        }
        char chunk[1024];
        const ssize_t size = ::read(fd, chunk, sizeof chunk);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return std::nullopt;
        buffer.append(chunk, static_cast<std::size_t>(size));
    }
}

std::string own_program() {
    char path[4096];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    if (size < 0) fail("/proc/self/exe");
    return {path, static_cast<std::size_t>(size)};
}

pid_t spawn(const Arguments& command, int input, int output) {
    std::vector<char*> pointers;
    for (const std::string& word : command)
        pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    pid_t id = -1;
    const int error = ::posix_spawnp(&id, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    errno = error;
    return error == 0 ? id : -1;
}

int exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Process::Process(std::string_view role, const Arguments& arguments, const Arguments& wrapper) {
    Arguments command = wrapper;
    command.push_back(own_program());
    command.emplace_back(role_option);
    command.emplace_back(role);
    command.insert(command.end(), arguments.begin(), arguments.end());
    const std::array<int, 2> input = make_pipe();
    const std::array<int, 2> output = make_pipe();
    id_ = spawn(command, input[0], output[1]);
    const int error = errno;
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    output_ = output[0];
    if (id_ > 0) return;
    ::close(input_);
    ::close(output_);
    errno = error;
    fail(command[0]);
}

Process::~Process() {
    finish();
    if (!status_) {
        kill();
        (void)wait();
    }
    ::close(output_);
}

void Process::tell(std::string_view line) {
    // A child that is gone shows itself in listen() and wait(); it must not kill the test.
    ::signal(SIGPIPE, SIG_IGN);
    (void)write_all(input_, fmt::format("{}\n", line));
}

std::string Process::listen() {
    std::optional<std::string> line = read_line(output_, buffer_);
    if (!line) throw std::runtime_error(fmt::format("child {} has closed its output", id_));
    return *line;
}

void Process::finish() {
    if (input_ >= 0) ::close(input_);
    input_ = -1;
}

void Process::signal(int number) {
    if (!status_) ::kill(id_, number);
}

void Process::kill() {
    signal(SIGKILL);
}

void Process::suspend() {
    signal(SIGSTOP);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(id_), &info, WSTOPPED | WEXITED | WNOWAIT) != 0)
        if (errno != EINTR) fail("waitid");
}

void Process::resume() {
    signal(SIGCONT);
}

int Process::wait() {
    if (status_) return *status_;
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0)
        if (errno != EINTR) fail("waitpid");
    status_ = exit_code(status);
    return *status_;
}

void say(std::string_view line) {
    (void)write_all(STDOUT_FILENO, fmt::format("{}\n", line));
}

std::optional<std::string> hear() {
    static std::string buffer;
    return read_line(STDIN_FILENO, buffer);
}

RoleRegistration::RoleRegistration(const char* name, RoleFunction function) {
    roles().emplace(name, function);
}

bool names_role(int argc, char** argv) {
    return argc >= 3 && std::string_view(argv[1]) == role_option;
}

int run_role(int argc, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto found = roles().find(std::string_view(argv[2]));
    if (found != roles().end()) return found->second(Arguments(argv + 3, argv + argc));
    fmt::print(stderr, "no role \"{}\"\n", argv[2]);
    return 2;
}

}  // namespace cinnabar::test
