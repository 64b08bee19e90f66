// SPDX-License-Identifier: BSD-3-Clause
#include "cinnabar/monitor.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>

namespace cinnabar {
inline namespace v1 {
namespace {

using nlohmann::json;
using Sum = Statistics::Sum;
using Sums = Statistics::Sums;

constexpr const char* others = "others";

double seconds(Clock::duration time) {
    return std::chrono::duration<double>(time).count();
}

// In no locale.
template <class Number>
std::string text_of(Number number) {
    std::array<char, 64> text;
    const auto written = std::to_chars(text.data(), text.data() + text.size(), number);
    return {text.data(), written.ptr};
}

json json_of(const Sums& sums) {
    json list = json::array();
    for (const auto& [key, sum] : sums)
        list.push_back({{"procedure", key.first},
                        {"peer", key.second},
                        {"count", sum.count},
                        {"failed", sum.failed},
                        {"timed", sum.timed},
                        {"seconds", seconds(sum.took)},
                        {"longest_seconds", seconds(sum.longest)},
                        {"queued_seconds", seconds(sum.queued)},
                        {"network_seconds", seconds(sum.network)},
                        {"sent_bytes", sum.sent},
                        {"received_bytes", sum.received}});
    return list;
}

// The value of a label, as Prometheus wants it.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + '"';
}

// One metric: what its name ends in, what it is, and where its value comes from.
struct Metric {
    const char* name;
    const char* type;
    const char* help;
    std::string (*value)(const Sum& sum);
};

constexpr Metric metrics[] = {
    {"total", "counter", "that have ended", [](const Sum& sum) { return text_of(sum.count); }},
    {"failed_total", "counter", "that ended with an error",
     [](const Sum& sum) { return text_of(sum.failed); }},
    {"seconds_total", "counter", "time they took",
     [](const Sum& sum) { return text_of(seconds(sum.took)); }},
    {"longest_seconds", "gauge", "time the longest took",
     [](const Sum& sum) { return text_of(seconds(sum.longest)); }},
    {"sent_bytes_total", "counter", "bytes that left with them",
     [](const Sum& sum) { return text_of(sum.sent); }},
    {"received_bytes_total", "counter", "bytes that came with them",
     [](const Sum& sum) { return text_of(sum.received); }}};

constexpr Metric call_metrics[] = {
    {"timed_total", "counter", "of which the time in the network is known",
     [](const Sum& sum) { return text_of(sum.timed); }},
    {"network_seconds_total", "counter", "time those were neither in a queue nor a handler",
     [](const Sum& sum) { return text_of(seconds(sum.network)); }}};

constexpr Metric request_metrics[] = {
    {"queued_seconds_total", "counter", "time they waited for a stream",
     [](const Sum& sum) { return text_of(seconds(sum.queued)); }}};

// The samples of a metric stand together, below its description.
void write(std::string& out, const std::string& what, const Metric& metric, const Sums& sums) {
    const std::string name = "cinnabar_" + what + "_" + metric.name;
    out += "# HELP " + name + " " + what + ": " + metric.help + "\n";
    out += "# TYPE " + name + " " + metric.type + "\n";
    for (const auto& [key, sum] : sums)
        out += name + "{procedure=" + quoted(key.first) + ",peer=" + quoted(key.second) + "} " +
               metric.value(sum) + "\n";
}

}  // namespace

void Statistics::add(Sums& to, std::string_view procedure, std::string_view peer,
                     const Sum& one) noexcept {
    try {
        Sums::key_type key(procedure, peer);
        const std::lock_guard lock(lock_);
        if (to.size() >= most_peers_ && !to.contains(key)) key.second = others;
        Sum& sum = to[std::move(key)];
        sum.count += one.count;
        sum.failed += one.failed;
        sum.timed += one.timed;
        sum.took += one.took;
        sum.longest = std::max(sum.longest, one.took);
        sum.queued += one.queued;
        sum.network += one.network;
        sum.sent += one.sent;
        sum.received += one.received;
    } catch (const std::bad_alloc&) {
        // Then it is not counted.
    }
}

void Statistics::call_ended(const CallSeen& seen) noexcept {
    Sum one;
    one.count = 1;
    one.failed = seen.error != nullptr ? 1 : 0;
    one.timed = seen.network ? 1 : 0;
    one.took = seen.took;
    one.network = seen.network.value_or(Clock::duration());
    one.sent = seen.sent;
    one.received = seen.received;
    add(calls_, seen.procedure, seen.peer, one);
}

void Statistics::request_ended(const RequestSeen& seen) noexcept {
    Sum one;
    one.count = 1;
    one.failed = seen.failed ? 1 : 0;
    one.took = seen.served;
    one.queued = seen.queued;
    one.sent = seen.sent;
    one.received = seen.received;
    add(requests_, seen.procedure, seen.peer, one);
}

void Statistics::transfer_ended(const TransferSeen& seen) noexcept {
    Sum one;
    one.count = 1;
    one.failed = seen.error != nullptr ? 1 : 0;
    one.took = seen.took;
    // One that failed may have moved anything.
    if (seen.error == nullptr) (seen.pull ? one.received : one.sent) = seen.size;
    add(transfers_, seen.pull ? "pull" : "push", seen.peer, one);
}

std::string Statistics::json() const {
    const std::lock_guard lock(lock_);
    const nlohmann::json document = {{"calls", json_of(calls_)},
                                     {"requests", json_of(requests_)},
                                     {"transfers", json_of(transfers_)}};
    // Names come from programs and peers.
    return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Statistics::prometheus() const {
    const std::lock_guard lock(lock_);
    std::string out;
    const std::pair<const char*, const Sums&> kinds[] = {
        {"calls", calls_}, {"requests", requests_}, {"transfers", transfers_}};
    for (const auto& [what, sums] : kinds)
        for (const Metric& metric : metrics)
            write(out, what, metric, sums);
    for (const Metric& metric : call_metrics)
        write(out, "calls", metric, calls_);
    for (const Metric& metric : request_metrics)
        write(out, "requests", metric, requests_);
    return out;
}

}  // namespace v1
}  // namespace cinnabar
