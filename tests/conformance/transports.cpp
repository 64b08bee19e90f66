// SPDX-License-Identifier: BSD-3-Clause
#include "tests/conformance/transports.hpp"

#include <cstdlib>
#include <stdexcept>

#include "tests/support/memory_plugin.hpp"

namespace cinnabar::conformance {
namespace {

// A line here registers a transport; CTest's list is made from these lines too.
constexpr Transport table[] = {
    {"mem", "na+mem://", "na+mem://fixed-{}", "mem", false, Peers::one_process},
    {"mem_busy", "na+mem://", "na+mem://fixed-{}", "mem", true, Peers::one_process},
    {"mem_self", "na+mem://", nullptr, "mem", false, Peers::self},
    {"sm", "na+sm://", "na+sm://fixed-{}", "sm", false, Peers::two},
    {"sm_busy", "na+sm://", "na+sm://fixed-{}", "sm", true, Peers::two},
    {"sm_self", "na+sm://", nullptr, "sm", false, Peers::self},
    {"tcp", "na+tcp://127.0.0.1:0", "na+tcp://127.0.0.1:{}", "tcp", false, Peers::two},
    {"tcp_busy", "na+tcp://127.0.0.1:0", "na+tcp://127.0.0.1:{}", "tcp", true, Peers::two},
    {"tcp_ipv6", "na+tcp://[::1]:0", "na+tcp://[::1]:{}", "tcp", false, Peers::two},
    {"tcp_self", "na+tcp://127.0.0.1:0", nullptr, "tcp", false, Peers::self},
};

struct Exception {
    const char* transport;
    const char* test;
    const char* reason;
};

// Every test that a transport is excused from. A kind of peers excuses from what needs other peers;
// see exception_for().
constexpr Exception exceptions[] = {
    {"mem_busy", "a blocking wait is woken by a message", "busy: there is nothing to wait on"},
    {"sm_busy", "a blocking wait is woken by a message", "busy: there is nothing to wait on"},
    {"tcp_busy", "a blocking wait is woken by a message", "busy: there is nothing to wait on"},
    {"mem_busy", "a sleeper is woken although another thread has polled meanwhile",
     "busy: nobody sleeps"},
    {"sm_busy", "a sleeper is woken although another thread has polled meanwhile",
     "busy: nobody sleeps"},
    {"tcp_busy", "a sleeper is woken although another thread has polled meanwhile",
     "busy: nobody sleeps"},
    {"mem", "messages in a steady state allocate nothing",
     "it is a test's transport and copies to the heap"},
    {"mem_busy", "messages in a steady state allocate nothing",
     "it is a test's transport and copies to the heap"},
    {"mem_self", "messages in a steady state allocate nothing",
     "it is a test's transport and copies to the heap"},
    {"mem_busy", "the descriptor wakes a sleeper", "busy: there is no descriptor"},
    {"sm_busy", "the descriptor wakes a sleeper", "busy: there is no descriptor"},
    {"tcp_busy", "the descriptor wakes a sleeper", "busy: there is no descriptor"},
};

// Test names that begin so need what is named here.
constexpr std::string_view needs_two_processes = "across processes: ";
constexpr std::string_view needs_two_classes = "between classes: ";

}  // namespace

std::vector<const Transport*> transports() {
    test::register_memory_plugin();
    const char* chosen = std::getenv("CINNABAR_TEST_TRANSPORT");
    std::vector<const Transport*> result;
    for (const Transport& transport : table)
        if (chosen == nullptr || std::string_view(chosen) == transport.name)
            result.push_back(&transport);
    if (result.empty()) throw std::runtime_error("CINNABAR_TEST_TRANSPORT names no transport");
    return result;
}

const Transport& transport_named(const std::string& name) {
    for (const Transport& transport : table)
        if (name == transport.name) return transport;
    throw std::runtime_error("no transport " + name);
}

const char* exception_for(const Transport& transport, const std::string& test) {
    if (test.starts_with(needs_two_processes) && transport.peers != Peers::two)
        return "this transport stays within a process";
    if (test.starts_with(needs_two_classes) && transport.peers == Peers::self)
        return "there is only one class";
    for (const Exception& exception : exceptions)
        if (transport.name == std::string_view(exception.transport) && test == exception.test)
            return exception.reason;
    return nullptr;
}

}  // namespace cinnabar::conformance
