// SPDX-License-Identifier: BSD-3-Clause
// Looking at calls: a Monitor is told of each step, at the side that calls and at the side that
// serves; Statistics is one that counts. Given to an engine with EngineOptions::monitor; without
// one nothing is measured. Hooks run in the thread in which the step happens, many at once, and
// must neither block nor throw.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "cinnabar/error.hpp"
#include "cinnabar/lock.hpp"
#include "cinnabar/pool.hpp"

namespace cinnabar {
inline namespace v1 {

// A call that has ended, at its origin.
struct CallSeen {
    std::string_view procedure;
    std::string_view peer;  // as it was looked up; empty for peers that have called us
    Clock::duration took;   // until its outcome was read, or decided by somebody else
    const Error* error;     // null: success
};

// A request that has been answered, at its target.
struct RequestSeen {
    std::string_view procedure;
    Clock::duration queued;  // from its arrival until its unit ran
    Clock::duration served;  // from there until the answer was given to the network
    bool failed;
};

class CINNABAR_API Monitor {
public:
    virtual void call_begun([[maybe_unused]] std::string_view procedure) noexcept {}
    virtual void call_ended([[maybe_unused]] const CallSeen& seen) noexcept {}
    virtual void request_arrived([[maybe_unused]] std::string_view procedure) noexcept {}
    virtual void request_begun([[maybe_unused]] std::string_view procedure) noexcept {}
    virtual void request_ended([[maybe_unused]] const RequestSeen& seen) noexcept {}
    virtual ~Monitor() = default;
};

// Counts and times, by procedure and, for calls, by peer.
class CINNABAR_API Statistics final : public Monitor {
public:
    void call_ended(const CallSeen& seen) noexcept override;
    void request_ended(const RequestSeen& seen) noexcept override;

    // A snapshot: {"calls": [{"procedure", "peer", "count", "failed", "seconds",
    // "longest_seconds"}], "requests": [{"procedure", "count", "failed", "queued_seconds",
    // "served_seconds", "longest_seconds"}]}.
    std::string json() const;
    // The same in the text format of Prometheus.
    std::string prometheus() const;

private:
    struct Sum {
        std::uint64_t count = 0;
        std::uint64_t failed = 0;
        Clock::duration queued{};
        Clock::duration took{};
        Clock::duration longest{};
    };
    using Key = std::pair<std::string, std::string>;
    static void add(std::map<Key, Sum>& to, Key key, const Sum& one);

    mutable detail::Lock lock_;
    std::map<Key, Sum> calls_;
    std::map<Key, Sum> requests_;
};

}  // namespace v1
}  // namespace cinnabar
