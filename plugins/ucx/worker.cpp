// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/worker.hpp"

#include <cstdio>
#include <cstring>
#include <vector>

#include "na/base/log.hpp"
#include "plugins/ucx/lanes.hpp"
#include "plugins/ucx/library.hpp"
#include "plugins/ucx/options.hpp"

namespace cinnabar::ucx {

namespace {

Result<ucp_ep_h> create(Worker& worker, const EndpointRequest& request, bool notices_errors) {
    // UCX does not know where the address ends.
    std::vector<std::byte> padded(request.remote.size() + options::unpack_padding);
    std::memcpy(padded.data(), request.remote.data(), request.remote.size());
    ucp_ep_params_t params{};
    params.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE |
                        UCP_EP_PARAM_FIELD_ERR_HANDLER;
    params.address = reinterpret_cast<const ucp_address_t*>(padded.data());
    params.err_mode = notices_errors ? UCP_ERR_HANDLING_MODE_PEER : UCP_ERR_HANDLING_MODE_NONE;
    params.err_handler = {request.on_error, request.arg};
    ucp_ep_h ep = nullptr;
    const ucs_status_t status = ucp_ep_create(worker.get(), &params, &ep);
    if (status != UCS_OK) return code_of(status);
    return ep;
}

}  // namespace

Status Worker::open(ucp_context_h context) {
    ucp_worker_params_t params{};
    params.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE;
    params.thread_mode = UCS_THREAD_MODE_SERIALIZED;
    ucs_status_t status = ucp_worker_create(context, &params, &worker_);
    if (status != UCS_OK) {
        worker_ = nullptr;
        return log_error(code_of(status), log_name, "no UCX worker: {}", ucs_status_string(status));
    }
    ucp_address_t* address = nullptr;
    std::size_t size = 0;
    status = ucp_worker_get_address(worker_, &address, &size);
    if (status != UCS_OK)
        return log_error(code_of(status), log_name, "no address of the UCX worker: {}",
                         ucs_status_string(status));
    const auto* bytes = reinterpret_cast<const std::byte*>(address);
    if (size <= options::max_worker_address) address_.assign(bytes, bytes + size);
    ucp_worker_release_address(worker_, address);
    if (address_.empty())
        return log_error(NA_OVERFLOW, log_name, "the address of the UCX worker has {} bytes", size);
    return NA_SUCCESS;
}

void Worker::close() noexcept {
    if (worker_ != nullptr) ucp_worker_destroy(worker_);
    worker_ = nullptr;
}

Result<int> Worker::event_fd() noexcept {
    int fd = -1;
    const ucs_status_t status = ucp_worker_get_efd(worker_, &fd);
    if (status == UCS_OK) return fd;
    return log_error(code_of(status), log_name, "the UCX worker cannot be waited for: {}",
                     ucs_status_string(status));
}

Status Worker::handle(unsigned id, ucp_am_recv_callback_t callback, void* arg) noexcept {
    ucp_am_handler_param_t params{};
    params.field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_CB |
                        UCP_AM_HANDLER_PARAM_FIELD_ARG | UCP_AM_HANDLER_PARAM_FIELD_FLAGS;
    params.id = id;
    params.cb = callback;
    params.arg = arg;
    params.flags = UCP_AM_FLAG_WHOLE_MSG;
    const ucs_status_t status = ucp_worker_set_am_recv_handler(worker_, &params);
    if (status == UCS_OK) return NA_SUCCESS;
    return log_error(code_of(status), log_name, "UCX's active messages: {}",
                     ucs_status_string(status));
}

Result<Endpoint> create_endpoint(Worker& worker, const EndpointRequest& request) {
    // The way of a worker to itself knows no errors.
    auto ep = create(worker, request, !request.itself);
    if (!ep.ok()) return ep.status();
    const Lanes lanes =
        kind_of_lanes(printed([&](std::FILE* to) { ucp_ep_print_info(*ep, to); }), "lane[");
    return Endpoint{*ep, request.itself || lanes == Lanes::memory, lanes == Lanes::one_sided};
}

}  // namespace cinnabar::ucx
