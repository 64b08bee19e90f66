// SPDX-License-Identifier: BSD-3-Clause
#include "tests/conformance/transports.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include "na.h"
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
    {"ofi_tcp", "ofi+tcp://127.0.0.1:0", "ofi+tcp://127.0.0.1:{}", "tcp", false, Peers::two},
    {"ofi_tcp_busy", "ofi+tcp://127.0.0.1:0", "ofi+tcp://127.0.0.1:{}", "tcp", true, Peers::two},
    {"ofi_self", "ofi+tcp://127.0.0.1:0", nullptr, "tcp", false, Peers::self},
    // clang-format off
    {"ofi_sockets", "ofi+sockets://127.0.0.1:0", "ofi+sockets://127.0.0.1:{}", "sockets", false, Peers::two},
    {"ofi_sockets_busy", "ofi+sockets://127.0.0.1:0", "ofi+sockets://127.0.0.1:{}", "sockets", true, Peers::two},
    // clang-format on
    {"ucx_tcp", "ucx+tcp://127.0.0.1:0", "ucx+tcp://127.0.0.1:{}", "tcp", false, Peers::two},
    {"ucx_tcp_busy", "ucx+tcp://127.0.0.1:0", "ucx+tcp://127.0.0.1:{}", "tcp", true, Peers::two},
    {"ucx_tcp_ipv6", "ucx+tcp://[::1]:0", "ucx+tcp://[::1]:{}", "tcp", false, Peers::two},
    {"ucx_all", "ucx+all://127.0.0.1:0", "ucx+all://127.0.0.1:{}", "all", false, Peers::two},
    {"ucx_all_busy", "ucx+all://127.0.0.1:0", "ucx+all://127.0.0.1:{}", "all", true, Peers::two},
    {"ucx_self", "ucx+all://127.0.0.1:0", nullptr, "all", false, Peers::self},
    {"local", "na+local://", "na+local://fixed-{}", "local", false, Peers::two},
    {"local_busy", "na+local://", "na+local://fixed-{}", "local", true, Peers::two},
    {"local_self", "na+local://", nullptr, "local", false, Peers::self},
};

constexpr const char* ucx_fork_test =
    "a forked child closes what it inherited and the parent works on";
constexpr const char* ucx_fork_reason = "UCX's networks need a thread that a fork does not copy";

struct Exception {
    const char* transport;
    const char* test;
    const char* reason;
};

// Every test that a transport is excused from. A kind of peers excuses from what needs other peers;
// see exception_for().
constexpr Exception exceptions[] = {
    {"mem", "messages in a steady state allocate nothing",
     "it is a test's transport and copies to the heap"},
    {"mem_busy", "messages in a steady state allocate nothing",
     "it is a test's transport and copies to the heap"},
    {"mem_self", "messages in a steady state allocate nothing",
     "it is a test's transport and copies to the heap"},
    {"ucx_tcp", ucx_fork_test, ucx_fork_reason},
    {"ucx_tcp_busy", ucx_fork_test, ucx_fork_reason},
    {"ucx_tcp_ipv6", ucx_fork_test, ucx_fork_reason},
};

// Tests that all transports of a class are excused from.
struct ClassException {
    std::string_view class_name;
    std::string_view test;
    const char* reason;
};
constexpr ClassException class_exceptions[] = {
    {"ofi", "every descriptor of a class is closed on exec",
     "libfabric opens sockets without FD_CLOEXEC and does not tell their numbers"},
    {"ucx", "every descriptor of a class is closed on exec",
     "UCX opens sockets without FD_CLOEXEC and does not tell their numbers"},
};

// What a busy transport is excused from: there is nothing to sleep on.
constexpr std::string_view needs_sleep[] = {
    "a blocking wait is woken by a message",
    "a sleeper is woken although another thread has polled meanwhile",
    "the descriptor wakes a sleeper",
    "a sleeper in each of several contexts is woken by its message",
};

// Test names that begin so need what is named here.
constexpr std::string_view needs_two_processes = "across processes";
constexpr std::string_view needs_two_classes = "between classes: ";
constexpr std::string_view needs_restart = "across processes, restarted: ";

// Whether its plugin is there: some are optional, and one is built by a test.
bool is_there(const Transport& transport) {
    na_protocol_info* list = nullptr;
    const std::string info = class_of(transport) + "+" + transport.protocol;
    const bool found = NA_Get_protocol_info(info.c_str(), &list) == NA_SUCCESS && list != nullptr;
    NA_Free_protocol_info(list);
    return found;
}

// The transport of somebody else's plugin: docs/plugin-guide.md tells of these variables.
const Transport* outside() {
    static const std::string protocol = [] {
        const char* info = std::getenv("CINNABAR_TEST_LISTEN");
        const std::string text = info == nullptr ? "" : info;
        const std::string head = text.substr(0, text.find(':'));
        return head.substr(head.find('+') + 1);
    }();
    static const Transport transport{"outside",
                                     std::getenv("CINNABAR_TEST_LISTEN"),
                                     std::getenv("CINNABAR_TEST_FIXED"),
                                     protocol.c_str(),
                                     std::getenv("CINNABAR_TEST_BUSY") != nullptr,
                                     Peers::two};
    return transport.info == nullptr ? nullptr : &transport;
}

}  // namespace

std::vector<const Transport*> transports() {
    test::register_memory_plugin();
    if (const Transport* transport = outside()) return {transport};
    const char* chosen = std::getenv("CINNABAR_TEST_TRANSPORT");
    std::vector<const Transport*> result;
    for (const Transport& transport : table)
        if (chosen == nullptr ? is_there(transport) : std::string_view(chosen) == transport.name)
            result.push_back(&transport);
    if (result.empty()) throw std::runtime_error("CINNABAR_TEST_TRANSPORT names no transport");
    return result;
}

const Transport& transport_named(const std::string& name) {
    if (outside() != nullptr && name == outside()->name) return *outside();
    for (const Transport& transport : table)
        if (name == transport.name) return transport;
    throw std::runtime_error("no transport " + name);
}

std::string class_of(const Transport& transport) {
    const std::string info = transport.info;
    return info.substr(0, info.find('+'));
}

const char* exception_for(const Transport& transport, const std::string& test) {
    if (test.starts_with(needs_two_processes) && transport.peers != Peers::two)
        return "this transport stays within a process";
    if (test.starts_with(needs_two_classes) && transport.peers == Peers::self)
        return "there is only one class";
    if (transport.busy &&
        std::find(std::begin(needs_sleep), std::end(needs_sleep), test) != std::end(needs_sleep))
        return "busy: there is nothing to sleep on";
    if (test.starts_with(needs_restart) && transport.restart == nullptr)
        return "no fixed address is known";
    for (const Exception& exception : exceptions)
        if (transport.name == std::string_view(exception.transport) && test == exception.test)
            return exception.reason;
    for (const ClassException& exception : class_exceptions)
        if (class_of(transport) == exception.class_name && test == exception.test)
            return exception.reason;
    return nullptr;
}

}  // namespace cinnabar::conformance
