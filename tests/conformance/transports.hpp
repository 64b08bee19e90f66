// SPDX-License-Identifier: BSD-3-Clause
// The table of transports that the conformance suite runs against, and how a test is written for
// all of them. CINNABAR_TEST_TRANSPORT in the environment chooses one; otherwise each test runs for
// all. CINNABAR_TEST_LISTEN names one that is not in the table: that of a plugin from elsewhere.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace cinnabar::conformance {

enum class Peers {
    two,          // two classes talk, in one process or in two
    one_process,  // two classes talk, but never across processes
    self,         // one class talks to its own address
};

struct Transport {
    const char* name;      // lower case letters, digits, underscores; CTest's names have it
    const char* info;      // what a listener is opened with, its class in front
    const char* restart;   // the same naming a fixed address, {} being a free number; null if none
    const char* protocol;  // as the class gives it
    bool busy;             // opened with NA_NO_BLOCK
    Peers peers;
};

// Those that this run is for.
std::vector<const Transport*> transports();
const Transport& transport_named(const std::string& name);

// What stands before the '+' of its addresses.
std::string class_of(const Transport& transport);

// Why this test does not apply to this transport; null if it does. From the list in transports.cpp.
const char* exception_for(const Transport& transport, const std::string& test);

}  // namespace cinnabar::conformance

// Defines a test case that runs for each transport, which the body sees as `transport`.
#define CINNABAR_CONFORMANCE(title) CINNABAR_CONFORMANCE_AT(title, __LINE__)
#define CINNABAR_CONFORMANCE_AT(title, line) CINNABAR_CONFORMANCE_JOIN(title, line)
#define CINNABAR_CONFORMANCE_JOIN(title, line) \
    CINNABAR_CONFORMANCE_AS(title, conformance_body_##line)
#define CINNABAR_CONFORMANCE_AS(title, body)                                              \
    static void body(const ::cinnabar::conformance::Transport& transport);                \
    TEST_CASE(title) {                                                                    \
        const auto* chosen = GENERATE(from_range(::cinnabar::conformance::transports())); \
        CAPTURE(std::string(chosen->name));                                               \
        if (const char* reason = ::cinnabar::conformance::exception_for(*chosen, title))  \
            WARN(chosen->name << ": does not apply: " << reason);                         \
        else                                                                              \
            body(*chosen);                                                                \
    }                                                                                     \
    static void body([[maybe_unused]] const ::cinnabar::conformance::Transport& transport)
