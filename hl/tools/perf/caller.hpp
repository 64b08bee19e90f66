// SPDX-License-Identifier: BSD-3-Clause
// A client of a cinnabar-perf server: a net that calls, the server's address, and the small calls
// that prepare a measurement. One thread.
#pragma once

#include <string>

#include "hl/tools/perf/net.hpp"
#include "hl/tools/perf/service.hpp"

namespace cinnabar::perf {

// The part of an address that opens a net of the same kind: "ofi+tcp" of "ofi+tcp://127.0.0.1:1".
std::string client_info(const std::string& address);

struct Endpoint {
    std::string address;  // of the server
    std::string info;     // that the client opens
    bool busy = true;
};

class Caller {
public:
    explicit Caller(const Endpoint& endpoint, unsigned contexts = 1);
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    ~Caller();

    Net& net() { return net_; }
    hg_addr_t server() const { return server_; }
    const ServiceIds& ids() const { return ids_; }

    // Each waits for the answer; failing ends the program.
    Described describe(const Shape& shape);
    void forget(std::uint64_t number);
    Usage usage();
    // Of a process that the server starts; it does nothing else until that ends.
    FloorPlace floor_place();
    void stop_server();

private:
    // Calls `id`; `out`, unless null, gets the answer.
    void call(hg_id_t id, void* in, void* out);

    Net net_;
    ServiceIds ids_;
    hg_addr_t server_ = HG_ADDR_NULL;
};

}  // namespace cinnabar::perf
