// SPDX-License-Identifier: BSD-3-Clause
// The window of transfers in pieces: as many pieces are under way as it says, never more, and the
// memory ahead of the consumer is left alone. Seen from between the two libraries: HG_Bulk_transfer
// of this program stands before that of libmercury.
#include <dlfcn.h>
#include <mercury_bulk.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <numeric>
#include <thread>

#include "cinnabar/cinnabar.hpp"
#include "tests/integration_hl/nets.hpp"
#include "tests/support/process.hpp"

using namespace cinnabar;
using namespace std::chrono_literals;
using cinnabar::test::chosen_net;
using cinnabar::test::Process;

namespace {

// What is asked of libmercury while it lives.
class Watch {
public:
    Watch() { current = this; }
    ~Watch() { current = nullptr; }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void begun(std::size_t offset, std::size_t size) {
        const std::lock_guard lock(mutex_);
        in_order_ = in_order_ && offset == end_;
        end_ = offset + size;
        most_ahead_ = std::max(most_ahead_, end_ - consumed_);
        ++begun_;
        most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
    }
    void ended() {
        const std::lock_guard lock(mutex_);
        --in_flight_;
    }
    void consumed(std::size_t end) {
        const std::lock_guard lock(mutex_);
        consumed_ = end;
    }
    std::size_t begun_so_far() {
        const std::lock_guard lock(mutex_);
        return begun_;
    }
    bool in_order() const { return in_order_; }
    std::size_t most_ahead() const { return most_ahead_; }
    std::size_t most_in_flight() const { return most_in_flight_; }

    static inline std::atomic<Watch*> current{nullptr};

private:
    std::mutex mutex_;
    bool in_order_ = true;
    std::size_t begun_ = 0;
    std::size_t end_ = 0;
    std::size_t consumed_ = 0;
    std::size_t most_ahead_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t most_in_flight_ = 0;
};

struct Watched {
    Watch& watch;
    hg_cb_t callback;
    void* argument;
};

hg_return_t on_end(const hg_cb_info* info) {
    const auto* watched = static_cast<Watched*>(info->arg);
    const Watched kept = *watched;
    delete watched;
    kept.watch.ended();
    hg_cb_info theirs = *info;
    theirs.arg = kept.argument;
    return kept.callback(&theirs);
}

}  // namespace

hg_return_t HG_Bulk_transfer(hg_context_t* context, hg_cb_t callback, void* arg, hg_bulk_op_t op,
                             hg_addr_t origin_addr, hg_bulk_t origin_handle,
                             hg_size_t origin_offset, hg_bulk_t local_handle,
                             hg_size_t local_offset, hg_size_t size, hg_op_id_t* op_id) {
    static const auto real =
        reinterpret_cast<decltype(&HG_Bulk_transfer)>(::dlsym(RTLD_NEXT, "HG_Bulk_transfer"));
    Watch* watch = Watch::current;
    if (watch == nullptr)
        return real(context, callback, arg, op, origin_addr, origin_handle, origin_offset,
                    local_handle, local_offset, size, op_id);
    watch->begun(local_offset, size);
    auto* watched = new Watched{*watch, callback, arg};
    const hg_return_t ret = real(context, on_end, watched, op, origin_addr, origin_handle,
                                 origin_offset, local_handle, local_offset, size, op_id);
    if (ret != HG_SUCCESS) delete watched;
    return ret;
}

CINNABAR_ROLE(window_server) {
    Engine server(arguments.at(0));
    std::vector<char> memory(std::stoul(arguments.at(1)));
    std::iota(memory.begin(), memory.end(), '\0');
    const Region region = server.expose(std::span(memory), Access::read_write).value();
    server.define("region", [&] { return region; }).value();
    cinnabar::test::say(server.address());
    while (cinnabar::test::hear()) {
    }
    return 0;
}

namespace {

struct Case {
    std::size_t size;
    Pieces pieces;
};

// Moves it all, with a consumer that blocks, and looks at each step. By a unit of the engine.
void check_window(const Region& mine, std::span<char> memory, const RemoteRegion& theirs, bool pull,
                  Case asked) {
    constexpr char untouched = '\x7f';
    std::fill(memory.begin(), memory.end(), untouched);
    const std::size_t step = asked.pieces.size;
    const std::size_t count = (asked.size + step - 1) / step;
    const std::size_t window = std::min(asked.pieces.window, count);
    Watch watch;
    std::size_t next = 0;
    int wrong = 0;
    const auto arrived = [&](std::size_t offset, std::size_t size) {
        if (offset != next || size != std::min(step, asked.size - offset)) ++wrong;
        // As many as may be are under way, or have come, before this one is consumed.
        if (watch.begun_so_far() != std::min(offset / step + window, count)) ++wrong;
        const auto ahead = memory.subspan(std::min((offset / step + window) * step, asked.size));
        if (pull && std::count(ahead.begin(), ahead.end(), untouched) != std::ssize(ahead)) ++wrong;
        for (std::size_t i = offset; pull && i < offset + size; ++i)
            if (memory[i] != static_cast<char>(i)) ++wrong;
        sleep_for(100us);
        next = offset + size;
        watch.consumed(next);
    };
    const RemoteRegion part = theirs.select(0, asked.size);
    (pull ? part.pull_pieces(mine, asked.pieces, arrived)
          : part.push_pieces(mine, asked.pieces, arrived))
        .value();
    CHECK(wrong == 0);
    CHECK(next == asked.size);
    CHECK(watch.begun_so_far() == count);
    CHECK(watch.in_order());
    CHECK(watch.most_ahead() == std::min(window * step, asked.size));
    CHECK(watch.most_in_flight() <= window);
}

}  // namespace

TEST_CASE("a transfer in pieces keeps to its window, and uses it") {
    constexpr std::size_t size = 300'000;
    const std::string net = chosen_net();
    Process server("window_server", {net, std::to_string(size)});
    Engine client(net);
    const Endpoint peer = client.lookup(server.listen());
    const RemoteRegion theirs = client.procedure<Region()>("region").on(peer)().value().on(peer);
    std::vector<char> memory(size);
    const Region mine = client.expose(std::span(memory), Access::read_write).value();
    for (const bool pull : {true, false}) {
        for (const Case& asked :
             {Case{size, {1 << 15, 4}}, Case{size, {20'000, 1}}, Case{size, {4096, 16}},
              Case{size, {100'001, 3}}, Case{50'000, {1 << 16, 4}}, Case{1000, {100, 100}}}) {
            CAPTURE(pull, asked.size, asked.pieces.size, asked.pieces.window);
            const auto body = [&] { check_window(mine, memory, theirs, pull, asked); };
            spawn(client.pool(), body)->wait();
            body();
        }
    }
    server.finish();
    CHECK(server.wait() == 0);
}

TEST_CASE("as many pieces as the window says are under way at once") {
    constexpr std::size_t size = 1 << 20;
    Process server("window_server", {"tcp://127.0.0.1:0", std::to_string(size)});
    Engine client("tcp://127.0.0.1:0");
    const Endpoint peer = client.lookup(server.listen());
    const Region region = client.procedure<Region()>("region").on(peer)();
    std::vector<char> memory(size);
    const Region mine = client.expose(std::span(memory), Access::read_write).value();
    Watch watch;
    // None of them ends while the peer stands still.
    server.suspend();
    auto moved = spawn(client.pool(), [&] {
        return region.on(peer).pull_pieces(mine, {size / 16, 5});
    });
    while (watch.begun_so_far() < 5)
        std::this_thread::yield();
    server.resume();
    CHECK(moved->wait().ok());
    CHECK(watch.begun_so_far() == 16);
    CHECK(watch.most_in_flight() == 5);
    CHECK(watch.in_order());
    server.finish();
    CHECK(server.wait() == 0);
}
