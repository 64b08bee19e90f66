// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/neighbour.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/operations.hpp"

namespace cinnabar::perf {
namespace {

constexpr std::size_t calls_in_flight = 16;
constexpr std::uint32_t call_bytes = 16 * 1024;
constexpr unsigned slow_us = 1000;
constexpr double forever = 1e9;

// Looks at nothing for a while before each call but the first ones.
class SlowEcho : public Operation {
public:
    explicit SlowEcho(Caller& caller) : echo_(caller, calls_in_flight, call_bytes) {}
    void start(Place& slot) override {
        if (++started_ == calls_in_flight + 1) {
            fmt::print("calling\n");
            std::fflush(stdout);
        }
        if (started_ > calls_in_flight) ::usleep(slow_us);
        echo_.start(slot);
    }

private:
    EchoCall echo_;
    std::uint64_t started_ = 0;
};

int run_neighbour(const Endpoint& endpoint) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Caller caller(endpoint);
    SlowEcho echo(caller);
    (void)Pipeline(caller.net(), echo, calls_in_flight).run(forever);
    return 0;
}

}  // namespace

Neighbour::Neighbour(const Endpoint& endpoint, Trouble trouble)
    : self_(start_self({"neighbour", endpoint.address, endpoint.info})) {
    char word[16];
    if (self_.said == nullptr || std::fgets(word, sizeof word, self_.said) == nullptr)
        fail("the neighbour does not call");
    if (trouble == Trouble::stopped) {
        int status = 0;
        ::kill(self_.process, SIGSTOP);
        check_system(::waitpid(self_.process, &status, WUNTRACED) == self_.process, "stopping it");
    }
}

Neighbour::~Neighbour() {
    ::kill(self_.process, SIGKILL);
    ::waitpid(self_.process, nullptr, 0);
    std::fclose(self_.said);
}

void declare_neighbour(CLI::App& app, std::function<int()>& chosen) {
    auto* command = app.add_subcommand("neighbour")->group("");
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->busy = false;
    command->add_option("address", endpoint->address)->required();
    command->add_option("info", endpoint->info)->required();
    command->callback(
        [endpoint, &chosen] { chosen = [endpoint] { return run_neighbour(*endpoint); }; });
}

}  // namespace cinnabar::perf
