// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/control.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

constexpr std::size_t largest_reply = 4096;

volatile sig_atomic_t server_process = -1;

// A client that spins for its server's next word would do so for ever. Other children may end.
void child_ended(int) {
    const int error = errno;
    siginfo_t info{};
    const auto server = static_cast<id_t>(server_process);
    const bool ended = server_process > 0 &&
                       ::waitid(P_PID, server, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                       info.si_pid == server_process;
    errno = error;
    if (!ended) return;
    static constexpr char text[] = "cinnabar-perf: the server process has ended\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, sizeof text - 1);
    ::_exit(1);
}

}  // namespace

void Control::tell(const Command& command) {
    check_system(::send(socket_, &command, sizeof command, MSG_NOSIGNAL) == sizeof command,
                 "telling the server");
}

Reply Control::ask(const Command& command) {
    tell(command);
    std::array<char, largest_reply> packet;
    const ssize_t size = ::recv(socket_, packet.data(), packet.size(), 0);
    Reply reply;
    if (size < static_cast<ssize_t>(sizeof reply.value)) fail("the server does not reply");
    std::memcpy(&reply.value, packet.data(), sizeof reply.value);
    reply.bytes.assign(packet.data() + sizeof reply.value,
                       static_cast<std::size_t>(size) - sizeof reply.value);
    return reply;
}

Command Control::next() {
    Command command;
    // Over a stream a command may come in pieces.
    if (::recv(socket_, &command, sizeof command, MSG_WAITALL) != sizeof command) return {};
    return command;
}

void Control::reply(std::uint64_t value, std::string_view bytes) {
    std::string packet(reinterpret_cast<const char*>(&value), sizeof value);
    packet += bytes;
    if (packet.size() > largest_reply) fail("a reply is too long");
    check_system(::send(socket_, packet.data(), packet.size(), MSG_NOSIGNAL) >= 0, "replying");
}

std::string to_text(const Inheritance& inheritance) {
    return fmt::format("{},{},{},{},{},{}", inheritance.control, inheritance.shared_area,
                       inheritance.socket, inheritance.event_to_server, inheritance.event_to_client,
                       inheritance.cpu);
}

Inheritance from_text(const std::string& text) {
    Inheritance read;
    if (std::sscanf(text.c_str(), "%d,%d,%d,%d,%d,%d", &read.control, &read.shared_area,
                    &read.socket, &read.event_to_server, &read.event_to_client, &read.cpu) != 6)
        fail("peer is for this program's own use");
    return read;
}

pid_t start_server(const Inheritance& inheritance) {
    const std::string text = to_text(inheritance);
    const pid_t client = ::getpid();
    struct sigaction action {};
    action.sa_handler = child_ended;
    action.sa_flags = SA_NOCLDSTOP | SA_RESTART;
    check_system(::sigaction(SIGCHLD, &action, nullptr) == 0, "sigaction");
    const pid_t server = ::fork();
    check_system(server >= 0, "fork");
    if (server > 0) {
        server_process = server;
        return server;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != client) ::_exit(1);
    // By its own path, so that the process bears the program's name.
    std::array<char, 4096> program{};
    check_system(::readlink("/proc/self/exe", program.data(), program.size() - 1) > 0, "readlink");
    ::execl(program.data(), program.data(), "peer", text.c_str(), nullptr);
    fail(fmt::format("starting the server: {}", std::strerror(errno)));
}

void end_server(Control& control, pid_t server) {
    int status = 0;
    ::signal(SIGCHLD, SIG_DFL);
    control.tell({});
    check_system(::waitpid(server, &status, 0) == server, "waiting for the server");
    if (status != 0) fail("the server did not end well");
}

}  // namespace cinnabar::perf
