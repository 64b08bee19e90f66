// SPDX-License-Identifier: BSD-3-Clause
// An engine's dump: handlers by the names of their procedures, and where they are parked.
#include <catch2/catch.hpp>
#include <thread>

#include "cinnabar/cinnabar.hpp"

using namespace cinnabar;

TEST_CASE("the dump of an engine names the handlers that are parked") {
    Event release;
    Engine server("na+sm");
    Engine client("na+sm");
    const Endpoint to_client = client.lookup(server.address());
    const Endpoint to_server = server.lookup(client.address());
    client.define("hold", [&] { release.wait(); }).value();
    auto hold = server.procedure<void()>("hold");
    server.define("outer", [&] { hold.on(to_server)().value(); }).value();
    auto outer = client.procedure<void()>("outer").on(to_client).async();

    const auto shows = [](const Engine& engine, const std::string& name, const std::string& what) {
        const std::string text = engine.dump();
        return text.find("  " + name + " parked for ") != std::string::npos &&
               text.find("waits for " + what + "\n") != std::string::npos;
    };
    while (!shows(server, "outer", "call") || !shows(client, "hold", "event"))
        std::this_thread::yield();
    CHECK_THAT(server.dump(), Catch::StartsWith("pool pool: 1 units\n"));
    release.set();
    outer.wait().value();
}
