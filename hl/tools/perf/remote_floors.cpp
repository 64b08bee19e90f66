// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/remote_floors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/floor_process.hpp"
#include "hl/tools/perf/socket_floor.hpp"

namespace cinnabar::perf {
namespace {

bool may_read(pid_t process, std::uint64_t address) {
    std::byte byte{};
    const iovec local{&byte, 1};
    // An address of the other process, never followed here.
    const iovec remote{reinterpret_cast<void*>(address), 1};
    return ::process_vm_readv(process, &local, 1, &remote, 1, 0) == 1;
}

}  // namespace

std::unique_ptr<RemoteFloors> RemoteFloors::open(Caller& caller, const Endpoint& endpoint) {
    const FloorPlace place = caller.floor_place();
    const std::string host = host_of(endpoint.address);
    std::unique_ptr<RemoteFloors> made(new RemoteFloors);
    if (place.port != 0) {
        made->control_socket_ = connect_to(host, place.port);
        if (made->control_socket_ >= 0) made->socket_ = connect_to(host, place.port);
    }
    if (made->socket_ < 0) {
        fmt::print(stderr, "cinnabar-perf: no floor, the server's process for it is not at {}:{}\n",
                   host, place.port);
        return nullptr;
    }
    set_blocking(made->control_socket_, true);
    made->control_ = Control(made->control_socket_);
    made->try_to_share(place);
    return made;
}

RemoteFloors::~RemoteFloors() {
    if (mapped_ != nullptr) ::munmap(mapped_, sizeof(SharedArea));
    for (const int socket : {socket_, control_socket_})
        if (socket >= 0) ::close(socket);
}

void RemoteFloors::try_to_share(const FloorPlace& place) {
    const std::string file = fmt::format("/proc/{}/fd/{}", place.process, place.area);
    struct stat facts {};
    // Opening another process' pipe, if it was that, could wait for ever.
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return;
    if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) ||
        facts.st_size != static_cast<off_t>(sizeof(SharedArea))) {
        ::close(descriptor);
        return;
    }
    mapped_ = &open_shared_area(descriptor, false);
    // On another host a process may have the same number.
    if (mapped_->cookie != place.cookie) return;
    server_ = static_cast<pid_t>(place.process);
    if (may_read(server_, control_.ask({Task::find_area, 0, 0, 0, {}}).value)) share(*mapped_);
}

}  // namespace cinnabar::perf
