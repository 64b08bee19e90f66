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
    bool itself = false;                // it is this worker
    ucp_err_handler_cb_t on_error = nullptr;
    void* arg = nullptr;
};

struct Endpoint {
    ucp_ep_h ep = nullptr;
    bool memory = false;     // all its lanes are
    bool one_sided = false;  // put and get go without the peer's help
};

Result<Endpoint> create_endpoint(Worker& worker, const EndpointRequest& request);

}  // namespace cinnabar::ucx
