// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/library_floor.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

// Enough for a steady figure; starting the programs takes longer.
constexpr std::uint64_t round_trips = 5000;

struct Program {
    const char* path;
    const char* name;
    const char* variables;  // of both processes
    const char* server;     // arguments; {port} stands for the port, {count} for the round trips
    const char* client;
    const char* line;    // how the line of the result begins, after blanks
    const char* format;  // that finds microseconds one way in it
};

constexpr Program programs[] = {
    {"ofi+tcp", "fi_pingpong",
     "FI_LOG_LEVEL=", "-p tcp -e rdm -m tagged -S 64 -I {count} -B {port}",
     "-p tcp -e rdm -m tagged -S 64 -I {count} -P {port} 127.0.0.1", "64 ",
     "%*s %*s %*s %*s %*s %*s %lf"},
    {"ucx+tcp", "ucx_perftest", "UCX_TLS=tcp", "-p {port}",
     "-p {port} -t tag_lat -s 64 -n {count} -w 500 -f -v 127.0.0.1", "5000,",
     "%*[^,],%*[^,],%*[^,],%lf"},
    {"ucx+all", "ucx_perftest", "UCX_TLS=all", "-p {port}",
     "-p {port} -t tag_lat -s 64 -n {count} -w 500 -f -v 127.0.0.1", "5000,",
     "%*[^,],%*[^,],%*[^,],%lf"},
};

// One that nobody uses now; both programs need to be told one.
unsigned free_port() {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_system(socket >= 0 && ::bind(socket, generic, size) == 0 &&
                     ::getsockname(socket, generic, &size) == 0,
                 "finding a port");
    ::close(socket);
    return ntohs(address.sin_port);
}

// A shell's: the client is started until the server listens, which nothing announces.
std::string script(const Program& program, int server_cpu) {
    const unsigned port = free_port();
    const auto arguments = [&](const char* text) {
        return fmt::format(fmt::runtime(text), fmt::arg("port", port),
                           fmt::arg("count", round_trips));
    };
    const std::string command =
        fmt::format("env {} timeout 30 {}", program.variables, program.name);
    const std::string place = server_cpu < 0 ? "" : fmt::format("taskset -c {} ", server_cpu);
    return fmt::format(
        "{0}{1} {2} >/dev/null 2>&1 & server=$!\n"
        "while kill -0 $server 2>/dev/null; do\n"
        "  if result=$({1} {3} 2>/dev/null); then echo \"$result\"; break; fi\n"
        "  sleep 0.05\n"
        "done\n"
        "kill $server 2>/dev/null; wait $server 2>/dev/null; true\n",
        place, command, arguments(program.server), arguments(program.client));
}

// Microseconds one way, 0 if the output does not say.
double measure_once(const Program& program, int server_cpu) {
    double found = 0;
    std::FILE* output = ::popen(script(program, server_cpu).c_str(), "r");
    check_system(output != nullptr, "starting a shell");
    std::array<char, 512> line;
    while (std::fgets(line.data(), line.size(), output) != nullptr) {
        const char* text = line.data() + std::strspn(line.data(), " ");
        if (std::strncmp(text, program.line, std::strlen(program.line)) == 0)
            (void)std::sscanf(text, program.format, &found);
    }
    ::pclose(output);
    if (found <= 0) fmt::print(stderr, "cinnabar-perf: {} gave no figure\n", program.name);
    return found;
}

bool is_installed(const char* program) {
    return std::system(fmt::format("command -v {} >/dev/null 2>&1", program).c_str()) == 0;
}

}  // namespace

std::optional<Probe> library_call(const std::string& path, int server_cpu) {
    for (const Program& program : programs) {
        if (path != program.path || !is_installed(program.name)) continue;
        Probe probe;
        probe.name = fmt::format("{} over {}, 64 bytes there and back", program.name,
                                 path.substr(path.find('+') + 1));
        probe.multiple = round_trips;
        probe.is_slow = true;
        probe.run = [&program, server_cpu](std::uint64_t, std::uint64_t count) {
            return 2e-6 * measure_once(program, server_cpu) * static_cast<double>(count);
        };
        return probe;
    }
    return {};
}

}  // namespace cinnabar::perf
