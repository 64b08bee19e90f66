// SPDX-License-Identifier: BSD-3-Clause
// Child processes of a test. A child is the same program started again with the name of a role, a
// function that some file has registered:
//
//   CINNABAR_ROLE(echo) {              // std::vector<std::string> arguments; gives the exit code
//       while (auto line = hear()) say(*line);
//       return 0;
//   }
//   TEST_CASE("...") { Process child("echo"); child.tell("hello"); CHECK(child.listen() ==
//   "hello"); }
//
// They talk in lines, through the child's standard input and output. A Process is used by one
// thread; its destructor kills the child, if it still runs, and reaps it. A child dies with its
// parent.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cinnabar::test {

using Arguments = std::vector<std::string>;

class Process {
public:
    // Starts the child; `wrapper` is a command to run it under ("strace", "-f"). Throws on failure.
    explicit Process(std::string_view role, const Arguments& arguments = {},
                     const Arguments& wrapper = {});
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    void tell(std::string_view line);
    // The next line of the child; blocks. Throws if the child has closed its output.
    std::string listen();
    // Closes the child's input, which ends a role that hears until the end.
    void finish();
    void signal(int number);
    void kill();     // SIGKILL
    void suspend();  // SIGSTOP, and waits until it is stopped
    void resume();   // SIGCONT
    // Reaps it: its exit code, or 128 + the signal that ended it. Blocks.
    int wait();
    pid_t id() const { return id_; }

private:
    pid_t id_ = -1;
    int input_ = -1;   // what the child reads
    int output_ = -1;  // what the child writes
    std::string buffer_;
    std::optional<int> status_;
};

// In a role: writes a line to the parent; reads its next one, nothing at the end.
void say(std::string_view line);
std::optional<std::string> hear();

using RoleFunction = int (*)(const Arguments& arguments);

struct RoleRegistration {
    RoleRegistration(const char* name, RoleFunction function);
};

// For the main program: whether the command line names a role; runs it and gives its exit code.
bool names_role(int argc, char** argv);
int run_role(int argc, char** argv);

}  // namespace cinnabar::test

// Registers the function body that follows as a role. [[maybe_unused]] because few roles take
// arguments.
#define CINNABAR_ROLE(name)                                                                       \
    static int role_##name(const ::cinnabar::test::Arguments& arguments);                         \
    static const ::cinnabar::test::RoleRegistration role_registration_##name(#name, role_##name); \
    static int role_##name([[maybe_unused]] const ::cinnabar::test::Arguments& arguments)
