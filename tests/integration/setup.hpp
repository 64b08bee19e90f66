// SPDX-License-Identifier: BSD-3-Clause
// What the integration tests run over: each transport, polled busily and blocking, and a class that
// calls itself. A test is written once and sees its Setup. CINNABAR_TEST_SETUP in the environment
// chooses one.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace cinnabar::integration {

struct Setup {
    const char* name;
    const char* info;      // what a listener is opened with
    const char* restart;   // the same naming a fixed address, {} being a free number
    bool busy;             // opened with NA_NO_BLOCK
    bool self;             // there is one class, which calls its own address
    bool auto_sm = false;  // a second net, of shared memory, is opened
    bool by_name = false;  // of an optional plugin: only for runs that choose it

    bool tcp() const { return !auto_sm && std::string(info).starts_with("na+tcp"); }
    // Whether the child of a fork may open a net like its parent's. UCX's networks need a thread
    // that is not in the child.
    bool forks() const { return !std::string(info).starts_with("ucx+tcp"); }
};

// Those with two peers, those and self, those that wait by sleeping.
std::vector<const Setup*> peer_setups();
std::vector<const Setup*> all_setups();
std::vector<const Setup*> blocking_setups();
const Setup& setup_named(const std::string& name);

// The info of a fixed address that other runs on this machine hardly use at the same time.
std::string fixed_info(const Setup& setup);

}  // namespace cinnabar::integration

// Defines a test case that runs for each setup of a list, which the body sees as `setup`.
#define CINNABAR_INTEGRATION(title, setups) CINNABAR_INTEGRATION_AT(title, setups, __LINE__)
#define CINNABAR_INTEGRATION_AT(title, setups, line) CINNABAR_INTEGRATION_JOIN(title, setups, line)
#define CINNABAR_INTEGRATION_JOIN(title, setups, line) \
    CINNABAR_INTEGRATION_AS(title, setups, integration_body_##line)
#define CINNABAR_INTEGRATION_AS(title, setups, body)                                  \
    static void body(const ::cinnabar::integration::Setup& setup);                    \
    TEST_CASE(title) {                                                                \
        const auto* chosen = GENERATE(from_range(::cinnabar::integration::setups())); \
        CAPTURE(std::string(chosen->name));                                           \
        body(*chosen);                                                                \
    }                                                                                 \
    static void body([[maybe_unused]] const ::cinnabar::integration::Setup& setup)
