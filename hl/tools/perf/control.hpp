// SPDX-License-Identifier: BSD-3-Clause
// What the client tells its server process, outside of what is measured: commands and replies as
// whole packets over a socket pair that the server inherits, or a stream. The server says "ready"
// before it begins what a command asks for, so that starting it is not part of a figure. One thread
// at each end.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cinnabar::perf {

enum class Task : std::uint32_t {
    open_net,       // text: the network, flag: poll busily; replies with the address
    close_net,      // replies when it is closed
    serve,          // calls, until one of "stop", in count threads or one; flag: crowded
    export_region,  // size, flag: memory of the library; replies with its description and address
    drop_region,    // replies when it is gone
    // The floors: these and what follows.
    find_area,      // replies with the address of the shared area there
    own_memory,     // replies with the address of `largest_transfer` bytes
    bounce_line,    // count times
    echo_ring,      // count messages, as they come
    echo_event,     // count times, over eventfds
    echo_socket,    // count messages, flag: blocking; size: bytes of a batch
    stream_socket,  // count blocks of size bytes
    answer_socket,  // count requests with size bytes each
    quit,
};

struct Command {
    Task task = Task::quit;
    std::uint32_t flag = 0;
    std::uint64_t count = 0;
    std::uint64_t size = 0;
    std::array<char, 64> text{};  // ends with NUL
    std::uint32_t net = 0;        // which of the nets that the server may have open
};

inline constexpr std::uint32_t most_nets = 2;

struct Reply {
    std::uint64_t value = 0;
    std::string bytes;
};

// One end of the socket pair; borrowed by who uses it, open until the process ends.
class Control {
public:
    explicit Control(int socket) : socket_(socket) {}

    // Both fail if the server is gone; ask() waits for the reply.
    void tell(const Command& command);
    Reply ask(const Command& command);
    // The next command; quit when the client is gone.
    Command next();
    void reply(std::uint64_t value = 0, std::string_view bytes = {});

private:
    int socket_;
};

// What the server process inherits.
struct Inheritance {
    int control = -1;
    int shared_area = -1;
    int socket = -1;  // connected over loopback to the client's
    int event_to_server = -1;
    int event_to_client = -1;
    int cpu = -1;  // to be pinned to, or -1
};

// As text for a command line, and back; fails if it is malformed.
std::string to_text(const Inheritance& inheritance);
Inheritance from_text(const std::string& text);

// Starts this program again as the server, and returns its process id. It dies with the client, and
// the client with it until end_server().
pid_t start_server(const Inheritance& inheritance);

// Tells the server to quit, and reaps it; fails unless it ended well.
void end_server(Control& control, pid_t server);

}  // namespace cinnabar::perf
