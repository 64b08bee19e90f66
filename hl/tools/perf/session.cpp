// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/session.hpp"

#include <mercury_bulk.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "hl/tools/perf/call_loop.hpp"
#include "hl/tools/perf/caller.hpp"
#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/pattern.hpp"

namespace cinnabar::perf {
namespace {

hg_return_t note_end(const hg_cb_info* info) {
    check(info->ret, "an operation");
    *static_cast<bool*>(info->arg) = true;
    return HG_SUCCESS;
}

}  // namespace

Session::Session(Peer& peer, const std::string& info, bool busy, std::uint32_t number)
    : peer_(peer),
      number_(number),
      server_address_(peer.open_net(info, busy, number)),
      net_(client_info(info), false, busy) {
    check(HG_Addr_lookup2(net_.hg_class(), server_address_.c_str(), &server_), "HG_Addr_lookup2");
}

Session::~Session() {
    drop_regions();
    check(HG_Addr_free(net_.hg_class(), server_), "HG_Addr_free");
    peer_.close_net(number_);
}

Probe Session::calls(std::uint64_t window) {
    return {"calls",
            [this, window](auto warm, auto count) {
                serve();
                const double seconds = CallLoop(net_, server_, window).run(warm, count);
                stop();
                return seconds;
            },
            window};
}

Probe Session::pulls(std::size_t size) {
    return {"pulls", [this, size](auto warm, auto count) {
                serve();
                const double seconds = time_pulls(warm, count, size);
                stop();
                return seconds;
            }};
}

Probe Session::beside_service(const Probe& floor) {
    Probe beside = floor;
    beside.run = [this, run = floor.run](auto warm, auto count) {
        serve();
        const double seconds = run(warm, count);
        stop();
        return seconds;
    };
    return beside;
}

void Session::serve() {
    peer_.control().ask({Task::serve, 0, 0, 0, {}, number_});
}

void Session::stop() {
    bool answered = false;
    hg_handle_t handle = HG_HANDLE_NULL;
    check(HG_Create(net_.context(), server_, net_.stop(), &handle), "HG_Create");
    check(HG_Forward(handle, note_end, &answered, nullptr), "HG_Forward");
    while (!answered)
        net_.poll();
    check(HG_Destroy(handle), "HG_Destroy");
}

double Session::time_pulls(std::uint64_t warm, std::uint64_t count, std::size_t size) {
    std::memset(local_memory(), 0, size);
    for (std::uint64_t i = 0; i < warm; ++i)
        pull(size);
    const double start = now();
    for (std::uint64_t i = 0; i < count; ++i)
        pull(size);
    const double seconds = now() - start;
    if (!has_pattern(local_memory(), size)) fail("a pull brought other bytes");
    return seconds;
}

void Session::pull(std::size_t size) {
    bool done = false;
    check(HG_Bulk_transfer(net_.context(), note_end, &done, HG_BULK_PULL, server_, remote_, 0,
                           local_, 0, size, HG_OP_ID_IGNORE),
          "HG_Bulk_transfer");
    while (!done)
        net_.poll();
}

void Session::describe(Memory memory) {
    const hg_size_t size = largest_pull;
    void* buffer = peer_.buffer();
    const bool from_library = memory == Memory::library;
    drop_regions();
    const Reply reply =
        peer_.control().ask({Task::export_region, from_library, 0, size, {}, number_});
    remote_address_ = reply.value;
    check(HG_Bulk_deserialize(net_.hg_class(), &remote_, reply.bytes.data(), reply.bytes.size()),
          "HG_Bulk_deserialize");
    check(HG_Bulk_create(net_.hg_class(), 1, from_library ? nullptr : &buffer, &size,
                         HG_BULK_READWRITE, &local_),
          "HG_Bulk_create");
}

void Session::drop_regions() {
    if (local_ == HG_BULK_NULL) return;
    check(HG_Bulk_free(std::exchange(local_, HG_BULK_NULL)), "HG_Bulk_free");
    check(HG_Bulk_free(std::exchange(remote_, HG_BULK_NULL)), "HG_Bulk_free");
    peer_.control().ask({Task::drop_region, 0, 0, 0, {}, number_});
}

std::byte* Session::local_memory() {
    void* memory = nullptr;
    hg_size_t size = 0;
    check(HG_Bulk_access(local_, 0, largest_pull, HG_BULK_READWRITE, 1, &memory, &size, nullptr),
          "HG_Bulk_access");
    return static_cast<std::byte*>(memory);
}

}  // namespace cinnabar::perf
