// SPDX-License-Identifier: BSD-3-Clause
#include <signal.h>

#include <atomic>
#include <memory>
#include <string>

#include "hl/tools/perf/cpu.hpp"
#include "hl/tools/perf/descriptors.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/net.hpp"
#include "hl/tools/perf/roles.hpp"
#include "hl/tools/perf/service.hpp"

namespace cinnabar::perf {
namespace {

struct ServerOptions {
    std::string info;
    bool blocking = false;
    unsigned threads = 1;
    int cpu = -1;
};

std::atomic<Net*> interrupted_net{nullptr};

void on_interrupt(int) {
    if (Net* net = interrupted_net.load()) net->end_service();
}

int run_server_role(const ServerOptions& options) {
    if (options.cpu >= 0) pin_to(options.cpu);
    allow_most_descriptors();
    note_bare_process();
    Net net(options.info, true, !options.blocking);
    const Service service(net.hg_class());
    interrupted_net = &net;
    ::signal(SIGINT, on_interrupt);
    ::signal(SIGTERM, on_interrupt);
    fmt::print("{}\n", net.self());
    std::fflush(stdout);

    net.serve(options.threads);
    interrupted_net = nullptr;
    return 0;
}

}  // namespace

void declare_server(CLI::App& app, std::function<int()>& chosen) {
    auto* command = app.add_subcommand("server", "Prints its address and serves clients");
    auto options = std::make_shared<ServerOptions>();
    command->add_option("info", options->info, "Where to listen, for example na+tcp://0.0.0.0:4242")
        ->required();
    command->add_flag("--blocking", options->blocking, "Sleep while nothing happens");
    command->add_option("--threads", options->threads, "That serve")->check(CLI::Range(1, 256));
    command->add_option("--cpu", options->cpu, "Run on this processor only");
    command->callback(
        [options, &chosen] { chosen = [options] { return run_server_role(*options); }; });
}

}  // namespace cinnabar::perf
