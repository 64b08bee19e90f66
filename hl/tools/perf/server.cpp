// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/server.hpp"

#include <mercury_bulk.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "hl/tools/perf/cpu.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/memory_floor.hpp"
#include "hl/tools/perf/net.hpp"
#include "hl/tools/perf/pattern.hpp"
#include "hl/tools/perf/service.hpp"
#include "hl/tools/perf/socket_floor.hpp"

namespace cinnabar::perf {
namespace {

constexpr unsigned seconds_of_silence = 60;

struct OpenNet {
    std::unique_ptr<Service> service;
    std::unique_ptr<Net> net;
};

class Server {
public:
    Server(const Inheritance& inheritance, bool floors_only)
        : inheritance_(inheritance),
          floors_only_(floors_only),
          control_(inheritance.control),
          area_(open_shared_area(inheritance.shared_area, !floors_only)),
          ring_(area_) {}

    int run() {
        for (;;) {
            if (floors_only_) ::alarm(seconds_of_silence);
            const Command command = control_.next();
            if (command.task == Task::quit) return 0;
            check_bounds(command);
            if (!control_net(command)) answer(command);
        }
    }

private:
    // What is read of this process; made when it is first wanted, for few floors read it.
    std::byte* memory() {
        if (memory_.empty()) {
            memory_.resize(largest_transfer);
            write_pattern(memory_.data(), largest_pull);
        }
        return memory_.data();
    }
    void check_bounds(const Command& command) const;
    bool control_net(const Command& command);
    void answer(const Command& command);
    void export_region(const Command& command);

    const Inheritance inheritance_;
    const bool floors_only_;
    Control control_;
    SharedArea& area_;
    RingFloor ring_;
    std::vector<std::byte> memory_;
    std::array<OpenNet, most_nets> nets_;
    hg_bulk_t region_ = HG_BULK_NULL;
};

// A client of floors may be anybody.
void Server::check_bounds(const Command& command) const {
    const bool is_floor = command.task >= Task::find_area && command.task < Task::quit;
    if (floors_only_ && !is_floor) fail("a command that is no floor");
    if (command.size > largest_transfer || command.net >= most_nets)
        fail("a command asks too much");
    if (command.task == Task::echo_socket && (command.size < 1 || command.size > largest_batch))
        fail("a batch is empty or too large");
    if (command.task == Task::echo_event && inheritance_.event_to_server < 0)
        fail("there is no event");
}

// Tasks that reply when they are done; false if it is none of them.
bool Server::control_net(const Command& command) {
    OpenNet& open = nets_.at(command.net);
    switch (command.task) {
        case Task::open_net:
            note_bare_process();
            open.net = std::make_unique<Net>(command.text.data(), true, command.flag != 0);
            open.service = std::make_unique<Service>(open.net->hg_class());
            control_.reply(0, open.net->self());
            return true;
        case Task::close_net:
            open = {};
            control_.reply();
            return true;
        case Task::export_region:
            export_region(command);
            return true;
        case Task::find_area:
            control_.reply(reinterpret_cast<std::uint64_t>(&area_));
            return true;
        case Task::own_memory:
            control_.reply(reinterpret_cast<std::uint64_t>(memory()));
            return true;
        case Task::drop_region:
            check(HG_Bulk_free(region_), "HG_Bulk_free");
            region_ = HG_BULK_NULL;
            control_.reply();
            return true;
        default:
            return false;
    }
}

// Tasks that begin once the reply has been sent.
void Server::answer(const Command& command) {
    // Making it must not be timed.
    if (command.task == Task::stream_socket || command.task == Task::answer_socket) (void)memory();
    control_.reply();
    const int socket = inheritance_.socket;
    switch (command.task) {
        case Task::serve:
            return nets_.at(command.net)
                .net->serve(std::max(1U, static_cast<unsigned>(command.count)), command.flag != 0);
        case Task::bounce_line:
            return bounce_line_back(area_, command.count);
        case Task::echo_ring:
            return ring_.echo(command.count);
        case Task::echo_event:
            return echo_event(inheritance_.event_to_server, inheritance_.event_to_client,
                              command.count);
        case Task::echo_socket:
            return echo_socket(socket, command.count, command.size, command.flag != 0);
        case Task::stream_socket:
            return write_stream(socket, command.count, command.size, memory());
        case Task::answer_socket:
            return answer_socket(socket, command.count, command.size, memory());
        default:
            fail("an unknown command");
    }
}

void Server::export_region(const Command& command) {
    void* where = memory();
    const hg_size_t size = command.size;
    const bool from_library = command.flag != 0;
    check(HG_Bulk_create(nets_.at(command.net).net->hg_class(), 1, from_library ? nullptr : &where,
                         &size, HG_BULK_READ_ONLY, &region_),
          "HG_Bulk_create");
    if (from_library) {
        hg_size_t length = 0;
        check(HG_Bulk_access(region_, 0, size, HG_BULK_READ_ONLY, 1, &where, &length, nullptr),
              "HG_Bulk_access");
        write_pattern(static_cast<std::byte*>(where), length);
    }
    std::string description(HG_Bulk_get_serialize_size(region_, 0), '\0');
    check(HG_Bulk_serialize(description.data(), description.size(), 0, region_),
          "HG_Bulk_serialize");
    control_.reply(reinterpret_cast<std::uint64_t>(where), description);
}

}  // namespace

int run_server(const Inheritance& inheritance, bool floors_only) {
    if (inheritance.cpu >= 0) pin_to(inheritance.cpu);
    return Server(inheritance, floors_only).run();
}

}  // namespace cinnabar::perf
