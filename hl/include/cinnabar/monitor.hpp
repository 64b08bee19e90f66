// SPDX-License-Identifier: BSD-3-Clause
// Looking at calls: a Monitor is told of each step, at the side that calls and at the side that
// serves; Statistics is one that counts. Given to an engine with EngineOptions::monitor; without
// one nothing is measured. Hooks run in the thread in which the step happens, many at once, and
// must neither block nor throw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
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
    std::string_view peer;  // as it was looked up; its address if it has called us
    Clock::duration took;   // until its outcome was read, or decided by somebody else
    // Of that, what was not spent in the peer's queue and handler; of peers with a monitor, which
    // tell.
    std::optional<Clock::duration> network;
    std::size_t sent;      // bytes of the arguments and what goes with them; 0 for a call to
    std::size_t received;  // oneself without bytes; the same of the result
    const Error* error;    // null: success
};

// A request that has been answered, at its target.
struct RequestSeen {
    std::string_view procedure;
    std::string_view peer;   // the address of who called
    Clock::duration queued;  // from its arrival until its unit ran
    Clock::duration served;  // from there until the answer was given to the network
    std::size_t received;    // bytes of the arguments and what goes with them; 0 for a call to
    std::size_t sent;        // oneself without bytes; the same of the result
    bool failed;
};

// A transfer that has ended, at the side that made it.
struct TransferSeen {
    std::string_view peer;  // whose memory it was
    bool pull;
    std::size_t size;  // bytes
    Clock::duration took;
    const Error* error;  // null: success
};

class CINNABAR_API Monitor {
public:
    virtual void call_begun([[maybe_unused]] std::string_view procedure) noexcept {}
    // Its arguments are bytes, and go to the network next.
    virtual void call_sent([[maybe_unused]] std::string_view procedure,
                           [[maybe_unused]] std::size_t size) noexcept {}
    // Its answer has come, and waits for its reader.
    virtual void call_answered([[maybe_unused]] std::string_view procedure) noexcept {}
    virtual void call_ended([[maybe_unused]] const CallSeen& seen) noexcept {}
    virtual void request_arrived([[maybe_unused]] std::string_view procedure) noexcept {}
    virtual void request_begun([[maybe_unused]] std::string_view procedure) noexcept {}
    virtual void request_ended([[maybe_unused]] const RequestSeen& seen) noexcept {}
    virtual void transfer_ended([[maybe_unused]] const TransferSeen& seen) noexcept {}
    virtual ~Monitor() = default;
};

// Counts, times and sizes, by procedure and peer. After `most_peers` pairs of these, further ones
// count as the peer "others".
class CINNABAR_API Statistics final : public Monitor {
public:
    explicit Statistics(std::size_t most_peers = 1000) : most_peers_(most_peers) {}

    void call_ended(const CallSeen& seen) noexcept override;
    void request_ended(const RequestSeen& seen) noexcept override;
    void transfer_ended(const TransferSeen& seen) noexcept override;

    // A snapshot: {"calls": [...], "requests": [...], "transfers": [...]}, each with "procedure"
    // ("pull" or "push" for a transfer), "peer", "count", "failed", "seconds", "longest_seconds",
    // "sent_bytes", "received_bytes". Calls have "network_seconds" and "timed", the count of those
    // that it is the sum of; requests have "queued_seconds", beside "seconds" in the handler.
    std::string json() const;
    // The same in the text format of Prometheus.
    std::string prometheus() const;

    struct Sum {
        std::uint64_t count = 0;
        std::uint64_t failed = 0;
        std::uint64_t timed = 0;
        Clock::duration took{};
        Clock::duration longest{};
        Clock::duration queued{};
        Clock::duration network{};
        std::uint64_t sent = 0;      // bytes
        std::uint64_t received = 0;  // bytes
    };
    using Sums = std::map<std::pair<std::string, std::string>, Sum>;

private:
    void add(Sums& to, std::string_view procedure, std::string_view peer, const Sum& one) noexcept;

    const std::size_t most_peers_;
    mutable detail::Lock lock_;
    Sums calls_;
    Sums requests_;
    Sums transfers_;
};

}  // namespace v1
}  // namespace cinnabar
