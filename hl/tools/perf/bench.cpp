// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/bench.hpp"

#include <algorithm>
#include <thread>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/group.hpp"
#include "hl/tools/perf/measure.hpp"
#include "hl/tools/perf/progress_bar.hpp"
#include "hl/tools/perf/remote_floors.hpp"

namespace cinnabar::perf {
namespace {

constexpr double floor_seconds = 0.02;
constexpr std::uint64_t deepest_ring = 64;
constexpr std::uint64_t largest_batch = 256;

}  // namespace

Bench::Bench(const BenchOptions& options, Table& table, Peer* peer)
    : options_(options), table_(table), peer_(peer) {
    begin_service(false);
    caller_ = std::make_unique<Caller>(options_.endpoint);
    // Connected from here on.
    (void)caller_->usage();
    end_service();
}

Bench::~Bench() {
    caller_.reset();
}

void Bench::begin_service(bool crowded) {
    if (peer_ != nullptr)
        peer_->control().ask({Task::serve, crowded, options_.server_threads, 0, {}});
}

bool Bench::is_crowded(unsigned threads) const {
    const unsigned here = peer_ != nullptr ? options_.server_threads : 0;
    return threads + here > std::thread::hardware_concurrency();
}

void Bench::end_service() {
    if (peer_ != nullptr) caller_->stop_server();
}

void Bench::measure(Row row, const FloorChoice& floor, const std::function<void(Row&)>& run) {
    ProgressBar bar(row.mode);
    const double before = time_floor(floor);
    bar.show(0.1);
    begin_service(is_crowded(row.threads));
    run(row);
    end_service();
    bar.show(0.9);
    if (before > 0) row.floor_seconds = (before + time_floor(floor)) / 2;
    if (before > 0) row.floor = floor_name_;
    bar.clear();
    table_.add(row);
}

double Bench::time_floor(const FloorChoice& floor) {
    if (!floor) return 0;
    const auto time = [&](Floors& floors) {
        const Probe probe = floor(floors);
        floor_name_ = probe.name;
        return seconds_of_step(probe, std::min(floor_seconds, options_.seconds));
    };
    if (peer_ != nullptr) return time(*peer_);
    const std::unique_ptr<RemoteFloors> remote = RemoteFloors::open(*caller_, options_.endpoint);
    const bool needs_memory = kind_of(options_.endpoint.info) == Kind::shared_memory;
    return remote == nullptr || (needs_memory && !remote->shares_memory()) ? 0 : time(*remote);
}

FloorChoice Bench::call_floor(std::uint64_t in_flight) {
    const bool busy = options_.endpoint.busy;
    if (kind_of(options_.endpoint.info) == Kind::sockets) {
        const std::uint64_t batch = busy ? std::min(in_flight, largest_batch) : 1;
        return [=](Floors& floors) { return floors.socket_call(batch, !busy); };
    }
    // Descriptors to sleep on are inherited, which a server that runs somewhere has not done.
    if (!busy && peer_ == nullptr) return {};
    if (!busy) return [](Floors& floors) { return floors.event(); };
    if (in_flight == 1) return [](Floors& floors) { return floors.cache_line(); };
    return [=](Floors& floors) { return floors.ring(std::min(in_flight, deepest_ring)); };
}

FloorChoice Bench::transfer_floor(const Row& row) {
    const std::size_t bytes = row.bytes;
    if (bytes > largest_transfer) return {};
    if (kind_of(options_.endpoint.info) == Kind::sockets)
        return [=](Floors& floors) { return floors.socket_stream(bytes); };
    if (row.memory == "library") return [=](Floors& floors) { return floors.copy(bytes); };
    return [=](Floors& floors) { return floors.process_read(bytes); };
}

}  // namespace cinnabar::perf
