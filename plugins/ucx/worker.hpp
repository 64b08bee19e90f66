// SPDX-License-Identifier: BSD-3-Clause
// A UCX worker, the engine of one context, and endpoints on it. Used inside the context's serial
// only: UCX is told that calls come one at a time.
#pragma once

#include <ucp/api/ucp.h>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "na/base/result.hpp"

namespace cinnabar::ucx {

class Worker {
public:
    Worker() = default;
    ~Worker() { close(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    Status open(ucp_context_h context);
    void close() noexcept;
    bool progress() noexcept { return ucp_worker_progress(worker_) != 0; }
    // False: something is there to be progressed.
    bool arm() noexcept { return ucp_worker_arm(worker_) == UCS_OK; }
    Result<int> event_fd() noexcept;
    Status handle(unsigned id, ucp_am_recv_callback_t callback, void* arg) noexcept;
    ucp_worker_h get() const noexcept { return worker_; }
    std::span<const std::byte> address() const noexcept { return address_; }

private:
    ucp_worker_h worker_ = nullptr;
    std::vector<std::byte> address_;
};

struct EndpointRequest {
    std::span<const std::byte> remote;  // the worker's address
    bool may_share_memory = false;      // with that worker
    bool itself = false;                // it is this worker
    ucp_err_handler_cb_t on_error = nullptr;
    void* arg = nullptr;
};

struct Endpoint {
    ucp_ep_h ep = nullptr;
    // All its lanes are memory: UCX does not notice the end of the peer and does not give back what
    // it holds for one that is gone. Else it does both.
    bool memory = false;
};

Result<Endpoint> create_endpoint(Worker& worker, const EndpointRequest& request);

// Whether UCX's description of an endpoint names lanes over shared memory, and no others. Pure.
bool lanes_are_memory(std::string_view description) noexcept;

}  // namespace cinnabar::ucx
