// SPDX-License-Identifier: BSD-3-Clause
// What the modes of a client share: its options, the table that they fill, and the floors. The
// server of a local bench serves only while something is measured, so that the floors have both
// processors; one that runs somewhere lends its processor to another process for each floor.
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hl/tools/perf/caller.hpp"
#include "hl/tools/perf/peer.hpp"
#include "hl/tools/perf/table.hpp"

namespace cinnabar::perf {

struct BenchOptions {
    Endpoint endpoint;
    std::vector<std::string> modes;
    double seconds = 0.5;                    // for each line
    std::vector<std::uint64_t> sizes{};      // of calls that carry bytes
    std::vector<std::uint64_t> transfers{};  // sizes of transfers
    std::vector<std::uint64_t> in_flight{};
    std::vector<std::string> memory{};
    std::vector<std::uint32_t> segments{};
    std::vector<unsigned> clients{};
    std::vector<unsigned> threads{};
    unsigned server_threads = 1;
    unsigned repeats = 20;  // of what is done from the beginning each time
};

// Chooses a floor of those that there are.
using FloorChoice = std::function<Probe(Floors&)>;

class Bench {
public:
    // With a peer, the bench is local: the peer's server listens at the endpoint.
    Bench(const BenchOptions& options, Table& table, Peer* peer);
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench();

    const BenchOptions& options() const { return options_; }
    Caller& caller() { return *caller_; }

    // Adds a row that `run` completes; the floor, unless it is empty or cannot be had, is taken
    // before and after it.
    void measure(Row row, const FloorChoice& floor, const std::function<void(Row&)>& run);

    // Whether so many threads here, and those of the server, are more than there are processors.
    bool is_crowded(unsigned threads) const;
    // The processor that the server of a local bench is pinned to, or -1.
    int server_cpu() const { return peer_ == nullptr ? -1 : peer_->server_cpu(); }

    // The floors that fit the net; empty if none does.
    FloorChoice call_floor(std::uint64_t in_flight);
    FloorChoice transfer_floor(const Row& row);

private:
    void begin_service(bool crowded);
    void end_service();
    // Seconds of one step, or 0 if the floor cannot be had.
    double time_floor(const FloorChoice& floor);

    BenchOptions options_;
    Table& table_;
    Peer* peer_;
    std::unique_ptr<Caller> caller_;
    std::string floor_name_;  // of the last one timed
};

// The modes, each of which adds rows.
void measure_latency(Bench& bench);     // calls, one in flight, without and with bytes
void measure_rate(Bench& bench);        // calls, many in flight
void measure_pull(Bench& bench);        // transfers
void measure_push(Bench& bench);        // transfers the other way
void measure_first_call(Bench& bench);  // open, look up, call, close
void measure_storm(Bench& bench);       // clients that all connect at once
void measure_clients(Bench& bench);     // clients that all call
void measure_neighbours(Bench& bench);  // beside a client that is slow, or stopped
void measure_threads(Bench& bench);     // threads of one client
void measure_rest(Bench& bench);        // what a server uses that does nothing

}  // namespace cinnabar::perf
