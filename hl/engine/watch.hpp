// SPDX-License-Identifier: BSD-3-Clause
// What tells an engine's monitor of a call, a request or a transfer. Without a monitor it does not
// even look at the clock. Part of what it watches, and used by its threads one after the other, but
// for the size of what is sent.
#pragma once

#include "cinnabar/monitor.hpp"
#include "hl/engine/core.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class CallWatch {
public:
    void begin(const ProcedureCore& procedure, const Address& peer) {
        Monitor* monitor = procedure.engine->options.monitor.get();
        if (monitor == nullptr) return;
        peer_ = name_of(peer);
        begun_ = Clock::now();
        monitor->call_begun(procedure.name);
    }
    // The close may end the call at the same time.
    void sent(const ProcedureCore& procedure, std::size_t size) noexcept {
        if (begun_ == TimePoint{}) return;
        sent_.store(size, std::memory_order_relaxed);
        procedure.engine->options.monitor->call_sent(procedure.name, size);
    }
    void answered(const ProcedureCore& procedure) noexcept {
        if (begun_ != TimePoint{}) procedure.engine->options.monitor->call_answered(procedure.name);
    }
    // The size of the answer, and how long the peer says that it had the request; 0: it does not.
    void read(std::size_t size, std::uint64_t held_ns) noexcept {
        received_ = size;
        held_ns_ = held_ns;
    }
    void ended(const ProcedureCore& procedure, const Error* error) noexcept {
        if (begun_ == TimePoint{}) return;
        const Clock::duration took = Clock::now() - begun_;
        std::optional<Clock::duration> network;
        if (held_ns_ != 0 && held_ns_ <= static_cast<std::uint64_t>(took.count()))
            network = took - Clock::duration(static_cast<Clock::rep>(held_ns_));
        procedure.engine->options.monitor->call_ended({procedure.name, peer_, took, network,
                                                       sent_.load(std::memory_order_relaxed),
                                                       received_, error});
    }

private:
    TimePoint begun_{};
    std::string peer_;
    std::atomic<std::size_t> sent_{0};
    std::size_t received_ = 0;
    std::uint64_t held_ns_ = 0;
};

class RequestWatch {
public:
    RequestWatch(Monitor* monitor, const std::string& procedure)
        : monitor_(monitor), procedure_(procedure) {
        if (monitor_ == nullptr) return;
        arrived_ = Clock::now();
        monitor_->request_arrived(procedure_);
    }
    explicit operator bool() const noexcept { return monitor_ != nullptr; }
    void begin() noexcept {
        if (monitor_ == nullptr) return;
        begun_ = Clock::now();
        monitor_->request_begun(procedure_);
    }
    void received(std::size_t size) noexcept { received_ = size; }
    void sent(std::size_t size) noexcept { sent_ = size; }
    // Nanoseconds since it arrived, for the answer; 0 without a monitor.
    std::uint64_t held_ns() const noexcept {
        if (monitor_ == nullptr) return 0;
        return static_cast<std::uint64_t>(
            std::chrono::nanoseconds(Clock::now() - arrived_).count());
    }
    // Once; a peer that is not known may be null.
    void end(const Address* peer, bool failed) {
        if (monitor_ == nullptr) return;
        const std::string name = peer != nullptr ? name_of(*peer) : std::string();
        std::exchange(monitor_, nullptr)
            ->request_ended({procedure_, name, begun_ - arrived_, Clock::now() - begun_, received_,
                             sent_, failed});
    }

private:
    Monitor* monitor_;
    const std::string& procedure_;  // of the entry
    TimePoint arrived_{};
    TimePoint begun_{};
    std::size_t received_ = 0;
    std::size_t sent_ = 0;
};

// Runs `move()`, which moves `size` bytes from or to that peer.
template <class Move>
Result<void> watch_transfer(const EngineCore& engine, const Address& peer, bool pull,
                            std::size_t size, Move move) {
    Monitor* monitor = engine.options.monitor.get();
    if (monitor == nullptr) return move();
    const std::string name = name_of(peer);
    const TimePoint begun = Clock::now();
    Result<void> outcome = move();
    monitor->transfer_ended(
        {name, pull, size, Clock::now() - begun, outcome.ok() ? nullptr : &outcome.error()});
    return outcome;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
