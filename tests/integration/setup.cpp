// SPDX-License-Identifier: BSD-3-Clause
#include "tests/integration/setup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace cinnabar::integration {
namespace {

constexpr Setup table[] = {
    {"tcp", "na+tcp://127.0.0.1:0", "na+tcp://127.0.0.1:{}", false, false},
    {"tcp_busy", "na+tcp://127.0.0.1:0", "na+tcp://127.0.0.1:{}", true, false},
    {"ucx_tcp", "ucx+tcp://127.0.0.1:0", "ucx+tcp://127.0.0.1:{}", false, false, false, true},
    {"ucx_all", "ucx+all://127.0.0.1:0", "ucx+all://127.0.0.1:{}", false, false, false, true},
    {"ucx_all_busy", "ucx+all://127.0.0.1:0", "ucx+all://127.0.0.1:{}", true, false, false, true},
    {"sm", "na+sm://", "na+sm://fixed-{}", false, false},
    {"sm_busy", "na+sm://", "na+sm://fixed-{}", true, false},
    {"ofi_tcp", "ofi+tcp://127.0.0.1:0", "ofi+tcp://127.0.0.1:{}", false, false, false, true},
    {"ofi_tcp_busy", "ofi+tcp://127.0.0.1:0", "ofi+tcp://127.0.0.1:{}", true, false, false, true},
    {"self", "na+sm://", "", false, true},
    {"auto_sm", "na+tcp://127.0.0.1:0", "na+tcp://127.0.0.1:{}", false, false, true},
    {"auto_sm_busy", "na+tcp://127.0.0.1:0", "na+tcp://127.0.0.1:{}", true, false, true},
    {"self_busy", "na+tcp://127.0.0.1:0", "", true, true},
};

template <class Wanted>
std::vector<const Setup*> choose(Wanted&& wanted) {
    const char* chosen = std::getenv("CINNABAR_TEST_SETUP");
    std::vector<const Setup*> result;
    for (const Setup& setup : table)
        if (wanted(setup) &&
            (chosen == nullptr ? !setup.by_name : std::string_view(chosen) == setup.name))
            result.push_back(&setup);
    return result;
}

}  // namespace

std::vector<const Setup*> peer_setups() {
    return choose([](const Setup& setup) { return !setup.self; });
}

std::vector<const Setup*> all_setups() {
    return choose([](const Setup&) { return true; });
}

std::vector<const Setup*> blocking_setups() {
    return choose([](const Setup& setup) { return !setup.self && !setup.busy; });
}

const Setup& setup_named(const std::string& name) {
    for (const Setup& setup : table)
        if (name == setup.name) return setup;
    throw std::runtime_error("no setup " + name);
}

std::string fixed_info(const Setup& setup) {
    static int uses = 0;
    // Below the ports that the kernel gives to others.
    return fmt::format(fmt::runtime(setup.restart), 10000 + (::getpid() * 8 + uses++ % 8) % 20000);
}

}  // namespace cinnabar::integration
