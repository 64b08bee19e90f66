// SPDX-License-Identifier: BSD-3-Clause
// Engines that a JSON text describes: what they have is what it says, what is printed opens the
// same again, and what is wrong with a text is said with its key.
#include <catch2/catch.hpp>

#include "cinnabar/cinnabar.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;

namespace {

constexpr const char* whole = R"({
  "info": "na+sm", "listen": true, "auto_sm": false, "busy": false, "introspection": false,
  "progress": "shared", "drain_seconds": 2.5, "monitor": "statistics",
  "pools": [{"name": "quick", "stack_size": 131072}, {"name": "slow", "sticky": true}],
  "streams": [{"name": "first", "pools": ["quick"]},
              {"name": "second", "pools": ["slow", "quick"]}],
  "net": {"checksum_level": "payload", "no_bulk_eager": true, "request_post_init": 64}
})";

}  // namespace

TEST_CASE("an engine is opened from JSON, and its configuration opens the same again") {
    const Engine first = Engine::from_json(whole);
    const std::string said = first.configuration();
    CHECK(said.find("\"drain_seconds\": 2.5") != std::string::npos);
    CHECK(said.find("\"stack_size\": 131072") != std::string::npos);
    CHECK(said.find("\"stack_size\": 262144") != std::string::npos);
    CHECK(said.find("\"sticky\": true") > said.find("\"sticky\": false"));
    CHECK(said.find("\"checksum_level\": \"payload\"") != std::string::npos);
    CHECK(said.find("\"monitor\": \"statistics\"") != std::string::npos);
    Engine second = Engine::from_json(said);
    CHECK(second.configuration() == said);
    // Its pools are there, and drained.
    CHECK(second.pool().name() == "quick");
    CHECK_FALSE(second.find_pool("none").has_value());
    const Pool slow = second.find_pool("slow").value();
    second.define("where", [] { return Pool::here().name(); }).value();
    second
        .define(
            "slow", [] { return Pool::here().name(); }, slow)
        .value();
    Engine client = Engine::from_json(
        R"({"info": "na+sm", "listen": false, "net": {"checksum_level": "payload"}})");
    const Endpoint peer = client.lookup(second.address());
    CHECK(client.procedure<std::string()>("where").on(peer)().value() == "quick");
    CHECK(client.procedure<std::string()>("slow").on(peer)().value() == "slow");
    CHECK(Engine::from_json(client.configuration()).value().configuration() ==
          client.configuration());
}

TEST_CASE("what the text does not say is as the program has it") {
    EngineOptions options;
    options.monitor = std::make_shared<Monitor>();
    options.pool.name = "mine";
    options.drain = 1s;
    const Engine kept = Engine::from_json(R"({"info": "na+sm", "streams": 3})", options);
    CHECK(kept.pool().name() == "mine");
    const std::string said = kept.configuration();
    CHECK(said.find("\"drain_seconds\": 1.0") != std::string::npos);
    // A monitor of the program's own has no name.
    CHECK(said.find("monitor") == std::string::npos);
    const std::string drains = "\"pools\": [\n        \"mine\"";
    std::size_t streams = 0;
    for (auto at = said.find(drains); at != std::string::npos; at = said.find(drains, at + 1))
        ++streams;
    CHECK(streams == 3);
}

TEST_CASE("what is wrong with a configuration is said with its key") {
    const auto refused = [](const std::string& text, const std::string& key) {
        const Result<Engine> opened = Engine::from_json(text);
        CAPTURE(text);
        REQUIRE_FALSE(opened.ok());
        CHECK(opened.error().code == Errc::invalid);
        CAPTURE(opened.error().text);
        CHECK(opened.error().text.find("configuration: " + key + ": ") == 0);
    };
    const auto with = [](const std::string& more) { return R"({"info": "na+sm", )" + more + "}"; };
    refused("{", "the text");
    refused("[]", "the text");
    refused("{}", "info");
    refused(R"({"info": 1})", "info");
    refused(R"({"info": "na+sm\u0000"})", "info");
    refused(with(R"("lisen": true)"), "lisen");
    refused(with(R"("listen": 1)"), "listen");
    refused(with(R"("progress": "fast")"), "progress");
    refused(with(R"("progress": 1)"), "progress");
    refused(with(R"("drain_seconds": -1)"), "drain_seconds");
    refused(with(R"("drain_seconds": 1e300)"), "drain_seconds");
    refused(with(R"("drain_seconds": "5")"), "drain_seconds");
    refused(with(R"("monitor": "all")"), "monitor");
    refused(with(R"("pools": {})"), "pools");
    refused(with(R"("pools": [1])"), "pools[0]");
    refused(with(R"("pools": [{"name": "a"}, {"name": "b", "size": 1}])"), "pools[1].size");
    refused(with(R"("pools": [{"name": "a"}, {"name": "a"}])"), "pools[1].name");
    refused(with(R"("pools": [{"stack_size": -5}])"), "pools[0].stack_size");
    refused(with(R"("pools": [{"stack_size": 1.5}])"), "pools[0].stack_size");
    refused(with(R"("pools": [{"stack_size": 100}])"), "pools[0].stack_size");
    refused(with(R"("pools": [{"sticky": 1}])"), "pools[0].sticky");
    refused(with(R"("streams": "two")"), "streams");
    refused(with(R"("streams": -1)"), "streams");
    refused(with(R"("streams": 99999999999)"), "streams");
    refused(with(R"("streams": 99999999)"), "streams");
    refused(with(R"("streams": [{"pools": ["none"]}])"), "streams[0].pools[0]");
    refused(with(R"("streams": [{"pools": "pool"}])"), "streams[0].pools");
    refused(with(R"("streams": [{"name": "s"}])"), "streams[0].pools");
    refused(with(R"("pools": [{"name": "a"}, {"name": "b"}], "streams": [{"pools": ["a"]}])"),
            "pools[1]");
    refused(with(R"("net": {"checksum_level": "all"})"), "net.checksum_level");
    refused(with(R"("net": {"request_post_init": 4294967296})"), "net.request_post_init");
    refused(with(R"("net": {"subnet": ""})"), "net.subnet");
    // The same for a program's own options.
    EngineOptions options;
    options.stream_list = {{"s", {"none"}}};
    CHECK(Engine::open("na+sm", options).error().text.find("streams[0].pools[0]") !=
          std::string::npos);
}
