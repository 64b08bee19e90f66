// SPDX-License-Identifier: BSD-3-Clause
// Monitors: each step of a call is told once and in order; counts, times and sizes come out as JSON
// and as the text that Prometheus reads, which is checked line by line; a peer can ask for them.
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;
using nlohmann::json;

namespace {

EngineOptions with(std::shared_ptr<Monitor> monitor) {
    EngineOptions options;
    options.monitor = std::move(monitor);
    return options;
}

// The entry of `list` with that procedure; there must be one.
json entry(const json& list, const std::string& procedure) {
    json found;
    int count = 0;
    for (const json& each : list) {
        if (each.at("procedure") != procedure) continue;
        found = each;
        ++count;
    }
    CAPTURE(list.dump(), procedure);
    REQUIRE(count == 1);
    return found;
}

struct Sample {
    std::map<std::string, std::string> labels;
    double value = 0;
};

// The text format of Prometheus: samples of a metric stand together behind its HELP and TYPE, a
// counter is called ..._total, and a unit is a base unit.
std::map<std::string, std::vector<Sample>> parse_prometheus(const std::string& text) {
    static const std::regex help("# HELP ([a-z_]+) [^\\\\]+");
    static const std::regex type("# TYPE ([a-z_]+) (counter|gauge)");
    static const std::regex sample("([a-zA-Z_:][a-zA-Z0-9_:]*)\\{(.*)\\} ([0-9.e+-]+)");
    static const std::regex label(
        "([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\[\"\\\\n])*)\"(,|$)");
    std::map<std::string, std::vector<Sample>> metrics;
    std::string current;
    std::istringstream lines(text);
    REQUIRE((text.empty() || text.back() == '\n'));
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        std::smatch found;
        if (std::regex_match(line, found, help)) {
            current = found[1];
            REQUIRE_FALSE(metrics.contains(current));
            metrics[current];
        } else if (std::regex_match(line, found, type)) {
            REQUIRE(found[1] == current);
            const bool total = current.ends_with("_total");
            CHECK(total == (found[2] == "counter"));
        } else {
            REQUIRE(std::regex_match(line, found, sample));
            REQUIRE(found[1] == current);
            Sample one;
            one.value = std::stod(found[3]);
            std::string labels = found[2];
            while (
                std::regex_search(labels, found, label, std::regex_constants::match_continuous)) {
                one.labels[found[1]] = found[2];
                labels = found.suffix();
            }
            CHECK(labels.empty());
            metrics[current].push_back(one);
        }
    }
    return metrics;
}

}  // namespace

TEST_CASE("a peer tells how its pools fare") {
    const std::string net = chosen_net();
    Engine server(net);
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    Event parked, release;
    server
        .define("wait",
                [&] {
                    parked.set();
                    release.wait();
                })
        .value();
    auto wait = client.procedure<void()>("wait").on(peer).async();
    parked.wait();
    // It is in its wait soon after it has said that it goes there, and longer at every look.
    double longest = 0;
    while (longest < 0.02) {
        const Introspection said = client.introspect(peer, 60s);
        REQUIRE(said.pools.size() == 1);
        CHECK(said.pools[0].name == server.pool().name());
        CHECK(said.pools[0].running == 1);
        CHECK(said.pools[0].parked <= 1);
        CHECK(said.uptime_seconds > 0);
        longest = said.pools[0].longest_parked_seconds;
    }
    release.set();
    CHECK(wait.wait().ok());
    while (client.introspect(peer, 60s).value().pools[0].parked != 0) {
    }
}

TEST_CASE("counts, times and sizes of both sides come as JSON and as Prometheus reads them") {
    auto served = std::make_shared<Statistics>();
    auto called = std::make_shared<Statistics>();
    std::string server_address;
    {
        const std::string net = chosen_net();
        Engine server(net, with(served));
        Engine client(net, with(called));
        server_address = server.address();
        const Endpoint peer = client.lookup(server_address);
        server
            .define("odd",
                    [](int i, const std::string& text) {
                        sleep_for(1ms);
                        if (i % 2 == 0) throw std::runtime_error("even");
                        return text + text;
                    })
            .value();
        auto odd = client.procedure<std::string(int, std::string)>("odd");
        for (int i = 0; i < 10; ++i)
            CHECK(odd.on(peer)(i, std::string(1000, 'x')).ok() == (i % 2 == 1));
        // What does not fit a message is counted like the rest.
        server.define("large", [](const std::vector<int>& values) { return values; }).value();
        const std::vector<int> million(1000000);
        CHECK(client.procedure<std::vector<int>(std::vector<int>)>("large").on(peer)(million).ok());
        const Introspection said = client.introspect(peer, 60s);
        CHECK(said.procedures == std::vector<std::string>{"cinnabar.introspect", "large", "odd"});
        const json told = json::parse(said.statistics);
        CHECK(entry(told.at("requests"), "odd").at("count") == 10);
    }
    const json calls = json::parse(called->json()).at("calls");
    const json odd = entry(calls, "odd");
    CHECK(odd.at("peer") == server_address);
    CHECK(odd.at("count") == 10);
    CHECK(odd.at("failed") == 5);
    CHECK(odd.at("timed") == 10);
    CHECK(odd.at("sent_bytes") >= 10 * 1000);
    CHECK(odd.at("sent_bytes") < 10 * 1100);
    CHECK(odd.at("received_bytes") >= 5 * 2000);
    CHECK(odd.at("received_bytes") < 10 * 1100);
    CHECK(odd.at("seconds") >= 0.01);
    CHECK(odd.at("longest_seconds") >= 0.001);
    // Sleeping in the handler is no time of the network.
    const double network = odd.at("network_seconds");
    CHECK(network > 0);
    CHECK(network <= odd.at("seconds").get<double>() - 0.01);
    const json large = entry(calls, "large");
    CHECK(large.at("sent_bytes") >= 4000000);
    CHECK(large.at("received_bytes") >= 4000000);

    const json requests = json::parse(served->json()).at("requests");
    const json asked = entry(requests, "odd");
    CHECK_FALSE(asked.at("peer").get<std::string>().empty());
    CHECK(asked.at("count") == 10);
    CHECK(asked.at("failed") == 5);
    CHECK(asked.at("seconds") >= 0.01);
    CHECK(asked.at("queued_seconds") > 0);
    CHECK(asked.at("received_bytes") == odd.at("sent_bytes"));
    CHECK(asked.at("sent_bytes") == odd.at("received_bytes"));
    CHECK(entry(requests, "large").at("received_bytes") >= 4000000);

    const auto metrics = parse_prometheus(called->prometheus());
    const auto of_odd = [&](const std::string& name) {
        for (const Sample& each : metrics.at(name))
            if (each.labels.at("procedure") == "odd") return each;
        FAIL("no sample of " << name);
        return Sample();
    };
    CHECK(of_odd("cinnabar_calls_total").value == 10);
    CHECK(of_odd("cinnabar_calls_total").labels.at("peer") == server_address);
    CHECK(of_odd("cinnabar_calls_failed_total").value == 5);
    CHECK(of_odd("cinnabar_calls_seconds_total").value == odd.at("seconds").get<double>());
    CHECK(of_odd("cinnabar_calls_sent_bytes_total").value == odd.at("sent_bytes").get<double>());
    CHECK(of_odd("cinnabar_calls_network_seconds_total").value == network);
    CHECK(parse_prometheus(served->prometheus()).at("cinnabar_requests_total").size() == 3);
}

TEST_CASE("transfers are counted by peer, those that fail without bytes") {
    cinnabar::test::allow_log("");
    auto seen = std::make_shared<Statistics>();
    const std::string net = chosen_net();
    Engine server(net, with(seen));
    Engine client(net);
    const Endpoint peer = client.lookup(server.address());
    server
        .define("move",
                [&](const Caller& caller, const Region& theirs) {
                    std::vector<char> memory(theirs.size());
                    const Region mine =
                        server.expose(std::span(memory), Access::read_write).value();
                    const RemoteRegion remote = theirs.on(caller.endpoint());
                    const bool pulled = (mine << remote).ok();
                    return pulled && (mine.select(0, 10) >> remote.select(0, 10)).ok();
                })
        .value();
    std::vector<char> memory(5000);
    auto move = client.procedure<bool(Region)>("move").on(peer);
    CHECK(move(client.expose(std::span(memory), Access::read_write).value()).value());
    CHECK_FALSE(move(client.expose(std::span(memory), Access::write).value()).value());
    const json transfers = json::parse(seen->json()).at("transfers");
    const json pulled = entry(transfers, "pull");
    CHECK(pulled.at("count") == 2);
    CHECK(pulled.at("failed") == 1);
    CHECK(pulled.at("received_bytes") == 5000);
    CHECK(pulled.at("sent_bytes") == 0);
    CHECK(pulled.at("seconds") > 0);
    CHECK(entry(transfers, "push").at("sent_bytes") == 10);
}

TEST_CASE("names of any kind come out as text that can be read") {
    Statistics counted(3);
    const Error error;
    const auto call = [&](std::string_view procedure, std::string_view peer) {
        counted.call_ended({procedure, peer, 1ms, {}, 1, 2, &error});
    };
    const std::string odd = "a\"b\\c\nd\x01\xff";
    call(odd, "p{}=,");
    for (const char* peer : {"1", "2", "3", "4", "1"})
        call("many", peer);
    const json calls = json::parse(counted.json()).at("calls");
    // The first three pairs are told apart.
    CHECK(calls.size() == 4);
    for (const json& each : calls)
        if (each.at("procedure") == "many")
            CHECK(each.at("count") == (each.at("peer") == "2" ? 1 : 2));
    const auto metrics = parse_prometheus(counted.prometheus());
    const std::vector<Sample>& samples = metrics.at("cinnabar_calls_total");
    REQUIRE(samples.size() == 4);
    CHECK(samples[0].labels.at("procedure").find("a\\\"b\\\\c d ") == 0);
    CHECK(samples[0].labels.at("peer") == "p{}=,");
    CHECK(samples[3].labels.at("peer") == "others");
}

namespace {

// Writes down what it is told.
class Diary final : public Monitor {
public:
    void call_begun(std::string_view procedure) noexcept override { add("call", procedure); }
    void call_sent(std::string_view procedure, std::size_t size) noexcept override {
        add(size > 0 ? "sent" : "nothing sent", procedure);
    }
    void call_answered(std::string_view procedure) noexcept override { add("answer", procedure); }
    void call_ended(const CallSeen& seen) noexcept override {
        add(seen.error == nullptr ? "end" : to_string(seen.error->code), seen.procedure);
    }
    void request_arrived(std::string_view procedure) noexcept override {
        add("request", procedure);
    }
    void request_begun(std::string_view procedure) noexcept override { add("begun", procedure); }
    void request_ended(const RequestSeen& seen) noexcept override {
        add(seen.failed ? "failed" : "served", seen.procedure);
    }
    std::vector<std::string> read() {
        const std::lock_guard lock(mutex_);
        return std::exchange(lines_, {});
    }

private:
    void add(std::string_view step, std::string_view procedure) {
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::string(step) + " " + std::string(procedure));
    }
    std::mutex mutex_;
    std::vector<std::string> lines_;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("each step of a call is told once, in order, at both sides") {
    cinnabar::test::allow_log("not registered");
    const std::string net = chosen_net();
    auto target = std::make_shared<Diary>();
    auto origin = std::make_shared<Diary>();
    auto server = std::make_unique<Engine>(net, with(target));
    Engine client(net, with(origin));
    const Endpoint peer = client.lookup(server->address());
    server->define("good", [] { return 1; }).value();
    server->define("bad", []() -> int { throw 1; }).value();
    Event hold;
    server->define("held", [&] { hold.wait(); }).value();
    const auto call = [&](const char* name) { return client.procedure<int()>(name).on(peer)(); };

    CHECK(call("good").ok());
    CHECK(origin->read() == Lines{"call good", "sent good", "answer good", "end good"});
    CHECK_FALSE(call("bad").ok());
    CHECK(origin->read() == Lines{"call bad", "sent bad", "answer bad", "handler_failed bad"});
    CHECK_FALSE(call("none").ok());
    // The layer below knows that it is not there.
    CHECK(origin->read() == Lines{"call none", "sent none", "unknown_procedure none"});
    auto held = client.procedure<void()>("held").on(peer).async();
    held.cancel();
    CHECK_FALSE(held.wait().ok());
    CHECK(origin->read() == Lines{"call held", "sent held", "canceled held"});
    hold.set();
    server.reset();
    // The last step of one request and the first of the next are of different threads.
    const Lines seen = target->read();
    const auto of = [&](const std::string& procedure) {
        Lines found;
        for (const std::string& line : seen)
            if (line.ends_with(procedure)) found.push_back(line);
        return found;
    };
    CHECK(of(" good") == Lines{"request good", "begun good", "served good"});
    CHECK(of(" bad") == Lines{"request bad", "begun bad", "failed bad"});
    // A call that was canceled at once may have been taken back.
    if (!of(" held").empty())
        CHECK(of(" held") == Lines{"request held", "begun held", "served held"});
    CHECK(of(" none").empty());
}

TEST_CASE("a call to oneself is told as a call and a request, without bytes") {
    auto seen = std::make_shared<Statistics>();
    Engine engine(chosen_net(), with(seen));
    engine.define("next", [](int i) { return i + 1; }).value();
    CHECK(engine.procedure<int(int)>("next").on(engine.self())(1).value() == 2);
    engine.finalize(1s).value();
    const json all = json::parse(seen->json());
    for (const char* side : {"calls", "requests"}) {
        const json next = entry(all.at(side), "next");
        CHECK(next.at("count") == 1);
        CHECK(next.at("sent_bytes") == 0);
        CHECK_FALSE(next.at("peer").get<std::string>().empty());
    }
}
