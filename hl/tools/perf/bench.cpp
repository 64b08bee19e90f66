// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/bench.hpp"

#include <algorithm>
#include <thread>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/group.hpp"
#include "hl/tools/perf/measure.hpp"
#include "hl/tools/perf/progress_bar.hpp"

namespace cinnabar::perf {
namespace {

constexpr double floor_seconds = 0.02;
constexpr std::uint64_t deepest_ring = 64;
constexpr std::uint64_t largest_batch = 256;

}  // namespace

Bench::Bench(const BenchOptions& options, Table& table, Peer* peer)
    : options_(options), table_(table), peer_(peer) {
    if (peer_ != nullptr)
        remote_address_ = peer_->control().ask({Task::own_memory, 0, 0, 0, {}}).value;
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

void Bench::measure(Row row, const std::optional<Probe>& floor,
                    const std::function<void(Row&)>& run) {
    ProgressBar bar(row.mode);
    const auto take_floor = [&] { return floor ? seconds_of_step(*floor, floor_seconds) : 0; };
    const double before = take_floor();
    bar.show(0.1);
    begin_service(is_crowded(row.threads));
    run(row);
    end_service();
    bar.show(0.9);
    if (floor) {
        row.floor = floor->name;
        row.floor_seconds = (before + take_floor()) / 2;
    }
    bar.clear();
    table_.add(row);
}

std::optional<Probe> Bench::call_floor(std::uint64_t in_flight) {
    if (peer_ == nullptr) return {};
    const bool busy = options_.endpoint.busy;
    if (kind_of(options_.endpoint.info) == Kind::sockets)
        return peer_->socket_call(busy ? std::min(in_flight, largest_batch) : 1, !busy);
    if (!busy) return peer_->event();
    return in_flight == 1 ? peer_->cache_line() : peer_->ring(std::min(in_flight, deepest_ring));
}

std::optional<Probe> Bench::transfer_floor(const Row& row) {
    if (peer_ == nullptr || row.bytes > largest_transfer) return {};
    if (kind_of(options_.endpoint.info) == Kind::sockets) return peer_->socket_stream(row.bytes);
    if (row.memory == "library") return peer_->copy(row.bytes);
    return peer_->process_read(row.bytes, remote_address_);
}

}  // namespace cinnabar::perf
