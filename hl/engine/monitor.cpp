// SPDX-License-Identifier: BSD-3-Clause
#include "cinnabar/monitor.hpp"

#include <algorithm>
#include <mutex>

namespace cinnabar {
inline namespace v1 {
namespace {

std::string seconds(Clock::duration time) {
    return std::to_string(std::chrono::duration<double>(time).count());
}

// As both JSON and the labels of Prometheus want it.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + '"';
}

}  // namespace

void Statistics::add(std::map<Key, Sum>& to, Key key, const Sum& one) {
    Sum& sum = to[std::move(key)];
    sum.count += one.count;
    sum.failed += one.failed;
    sum.queued += one.queued;
    sum.took += one.took;
    sum.longest = std::max(sum.longest, one.longest);
}

void Statistics::call_ended(const CallSeen& seen) noexcept {
    try {
        Key key(seen.procedure, seen.peer);
        const std::lock_guard lock(lock_);
        add(calls_, std::move(key), {1, seen.error != nullptr ? 1U : 0U, {}, seen.took, seen.took});
    } catch (const std::bad_alloc&) {
        // Then it is not counted.
    }
}

void Statistics::request_ended(const RequestSeen& seen) noexcept {
    try {
        Key key(seen.procedure, std::string());
        const std::lock_guard lock(lock_);
        add(requests_, std::move(key),
            {1, seen.failed ? 1U : 0U, seen.queued, seen.served, seen.served});
    } catch (const std::bad_alloc&) {
        // Then it is not counted.
    }
}

std::string Statistics::json() const {
    const std::lock_guard lock(lock_);
    std::string out = "{\"calls\": [";
    const char* comma = "";
    for (const auto& [key, sum] : calls_) {
        out += comma + ("{\"procedure\": " + quoted(key.first)) +
               ", \"peer\": " + quoted(key.second) + ", \"count\": " + std::to_string(sum.count) +
               ", \"failed\": " + std::to_string(sum.failed) +
               ", \"seconds\": " + seconds(sum.took) +
               ", \"longest_seconds\": " + seconds(sum.longest) + "}";
        comma = ", ";
    }
    out += "], \"requests\": [";
    comma = "";
    for (const auto& [key, sum] : requests_) {
        out += comma + ("{\"procedure\": " + quoted(key.first)) +
               ", \"count\": " + std::to_string(sum.count) +
               ", \"failed\": " + std::to_string(sum.failed) +
               ", \"queued_seconds\": " + seconds(sum.queued) +
               ", \"served_seconds\": " + seconds(sum.took) +
               ", \"longest_seconds\": " + seconds(sum.longest) + "}";
        comma = ", ";
    }
    return out + "]}";
}

std::string Statistics::prometheus() const {
    const std::lock_guard lock(lock_);
    std::string out;
    const auto family = [&](const char* name, const std::map<Key, Sum>& of, auto value) {
        out += std::string("# TYPE cinnabar_") + name + " counter\n";
        for (const auto& [key, sum] : of) {
            out += std::string("cinnabar_") + name + "{procedure=" + quoted(key.first);
            if (!key.second.empty()) out += ",peer=" + quoted(key.second);
            out += "} " + value(sum) + "\n";
        }
    };
    const auto count = [](const Sum& sum) { return std::to_string(sum.count); };
    const auto failed = [](const Sum& sum) { return std::to_string(sum.failed); };
    const auto took = [](const Sum& sum) { return seconds(sum.took); };
    family("calls_total", calls_, count);
    family("calls_failed_total", calls_, failed);
    family("calls_seconds_total", calls_, took);
    family("requests_total", requests_, count);
    family("requests_failed_total", requests_, failed);
    family("requests_queued_seconds_total", requests_,
           [](const Sum& sum) { return seconds(sum.queued); });
    family("requests_served_seconds_total", requests_, took);
    return out;
}

}  // namespace v1
}  // namespace cinnabar
