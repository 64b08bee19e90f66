// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/floor_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdio>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/self_process.hpp"
#include "hl/tools/perf/server.hpp"
#include "hl/tools/perf/shared_area.hpp"
#include "hl/tools/perf/socket_floor.hpp"

namespace cinnabar::perf {
namespace {

constexpr unsigned seconds_to_connect = 10;

}  // namespace

std::string host_of(const std::string& address) {
    const std::size_t scheme = address.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    const std::size_t colon = address.rfind(':');
    std::string host =
        colon == std::string::npos || colon < begin ? "" : address.substr(begin, colon - begin);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    return is_numeric_host(host) ? host : "127.0.0.1";
}

FloorPlace start_floor_process(const std::string& host) {
    const SelfProcess self = start_self({"floors", host});
    FloorPlace place;
    if (self.said == nullptr) return place;
    if (std::fscanf(self.said, "%lu %lu %lu", &place.port, &place.area, &place.cookie) != 3)
        place = {};
    std::fclose(self.said);
    place.process = static_cast<std::uint64_t>(self.process);
    return place;
}

int run_floor_process(const std::string& host) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Its memory is for everybody to read: a pattern, which is what a floor reads.
    ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    Inheritance ends;
    SharedArea& area = create_shared_area(ends.shared_area, false);
    check_system(::getrandom(&area.cookie, sizeof area.cookie, 0) == sizeof area.cookie,
                 "getrandom");
    std::uint16_t port = 0;
    const int listener = listen_at(host, port);
    fmt::print("{} {} {}\n", port, ends.shared_area, area.cookie);
    std::fflush(stdout);
    // The server closes what it has mapped; the client opens this one, sooner or later.
    ends.shared_area = ::fcntl(ends.shared_area, F_DUPFD_CLOEXEC, 0);
    check_system(ends.shared_area >= 0, "a descriptor");
    // By default the signal ends the process.
    ::alarm(seconds_to_connect);
    ends.control = accept_one(listener);
    ends.socket = accept_one(listener);
    ::close(listener);
    set_blocking(ends.control, true);
    return run_server(ends, true);
}

}  // namespace cinnabar::perf
