// SPDX-License-Identifier: BSD-3-Clause
// What a server of cinnabar-perf does for its clients beyond "sum" and "stop" (net.hpp): it sends
// bytes back, describes memory, and says what it uses. The structs are what clients send and
// receive. Clients are checked as if they were hostile. Handlers may run in several threads.
#pragma once

#include <mercury.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "hl/tools/perf/area.hpp"
#include "hl/tools/perf/floor_process.hpp"

namespace cinnabar::perf {

inline constexpr std::uint32_t largest_echo = 1 << 20;

// Bytes there and back. Decoding writes to `bytes`, at most `capacity`.
struct Echo {
    std::uint32_t size = 0;
    std::byte* bytes = nullptr;
    std::uint32_t capacity = 0;
};

// Memory described, by a number that "forget" takes; 0 if the server has none for this.
struct Described {
    std::uint64_t number = 0;
    std::string description;
};

// What a process uses.
struct Usage {
    std::uint64_t descriptors = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t cpu_nanoseconds = 0;
    std::uint64_t bare_bytes = 0;  // resident when note_bare_process() was called
    std::uint64_t sleeps = 0;      // how often a thread gave its processor up to wait
};

// Before a net is opened: what is resident now is not the library's.
void note_bare_process();

Usage usage_of_this_process();

struct ServiceIds {
    hg_id_t echo = 0;
    hg_id_t describe = 0;  // Shape to Described
    hg_id_t forget = 0;    // a number
    hg_id_t usage = 0;     // to Usage
    hg_id_t floors = 0;    // to FloorPlace, and the server does nothing until that process ends
};

// Registers the procedures for calling them.
ServiceIds register_service(hg_class_t* hg_class);

// The server's part: lives from before the first call until after the last.
class Service {
public:
    explicit Service(hg_class_t* hg_class);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

private:
    static hg_return_t on_describe(hg_handle_t handle);
    static hg_return_t on_forget(hg_handle_t handle);
    Described describe(const Shape& shape);

    hg_class_t* class_;
    std::mutex mutex_;
    std::map<std::uint64_t, std::unique_ptr<Area>> areas_;
    std::uint64_t last_number_ = 0;
};

}  // namespace cinnabar::perf
