// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/server.hpp"

#include <mercury_bulk.h>

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

struct OpenNet {
    std::unique_ptr<Service> service;
    std::unique_ptr<Net> net;
};

class Server {
public:
    explicit Server(const Inheritance& inheritance)
        : inheritance_(inheritance),
          control_(inheritance.control),
          area_(open_shared_area(inheritance.shared_area)),
          ring_(area_),
          memory_(largest_transfer) {
        write_pattern(memory_.data(), largest_pull);
    }

    int run() {
        for (;;) {
            const Command command = control_.next();
            if (command.task == Task::quit) return 0;
            if (!control_net(command)) answer(command);
        }
    }

private:
    bool control_net(const Command& command);
    void answer(const Command& command);
    void export_region(const Command& command);

    const Inheritance inheritance_;
    Control control_;
    SharedArea& area_;
    RingFloor ring_;
    std::vector<std::byte> memory_;
    std::array<OpenNet, most_nets> nets_;
    hg_bulk_t region_ = HG_BULK_NULL;
};

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
        case Task::own_memory:
            control_.reply(reinterpret_cast<std::uint64_t>(memory_.data()));
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
            return write_stream(socket, command.count, command.size, memory_.data());
        case Task::answer_socket:
            return answer_socket(socket, command.count, command.size, memory_.data());
        default:
            fail("an unknown command");
    }
}

void Server::export_region(const Command& command) {
    void* memory = memory_.data();
    const hg_size_t size = command.size;
    const bool from_library = command.flag != 0;
    check(HG_Bulk_create(nets_.at(command.net).net->hg_class(), 1, from_library ? nullptr : &memory,
                         &size, HG_BULK_READ_ONLY, &region_),
          "HG_Bulk_create");
    if (from_library) {
        hg_size_t length = 0;
        check(HG_Bulk_access(region_, 0, size, HG_BULK_READ_ONLY, 1, &memory, &length, nullptr),
              "HG_Bulk_access");
        write_pattern(static_cast<std::byte*>(memory), length);
    }
    std::string description(HG_Bulk_get_serialize_size(region_, 0), '\0');
    check(HG_Bulk_serialize(description.data(), description.size(), 0, region_),
          "HG_Bulk_serialize");
    control_.reply(reinterpret_cast<std::uint64_t>(memory), description);
}

}  // namespace

int run_server(const Inheritance& inheritance) {
    if (inheritance.cpu >= 0) pin_to(inheritance.cpu);
    return Server(inheritance).run();
}

}  // namespace cinnabar::perf
