// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/endpoint.hpp"

#include <array>

#include "na/base/log.hpp"
#include "plugins/ofi/error_code.hpp"

namespace cinnabar::ofi {

namespace {

Status check(const Fabric& fabric, int ret, const char* call) {
    if (ret >= 0) return NA_SUCCESS;
    return log_error(code_of_fi(ret), log_name, "{}: {}: {}", fabric.provider().protocol, call,
                     fi_strerror(-ret));
}

}  // namespace

int wait_descriptor(fid* queue) noexcept {
    int fd = -1;
    return fi_control(queue, FI_GETWAIT, &fd) == 0 ? fd : -1;
}

Result<Raw> name_of(fid* endpoint) {
    Raw raw(options::max_raw_size);
    std::size_t size = raw.size();
    const int ret = fi_getname(endpoint, raw.data(), &size);
    if (ret != 0 || size > raw.size())
        return log_error(code_of_fi(ret), log_name, "fi_getname: {}", fi_strerror(-ret));
    raw.resize(size);
    return raw;
}

Status open_event_queue(const Fabric& fabric, bool blocking, Fid<fid_eq>& made) {
    fi_eq_attr attributes{};
    attributes.wait_obj = blocking ? FI_WAIT_FD : FI_WAIT_NONE;
    fid_eq* queue = nullptr;
    CINNABAR_TRY(
        check(fabric, fi_eq_open(fabric.fabric(), &attributes, &queue, nullptr), "fi_eq_open"));
    made.reset(queue);
    return NA_SUCCESS;
}

Status Endpoint::open(const Fabric& fabric, bool blocking, const Raw& source) {
    inject_size_ = fabric.info().tx_attr->inject_size;
    fi_cq_attr attributes{};
    attributes.format = FI_CQ_FORMAT_MSG;
    attributes.size = options::receive_buffers + options::send_buffers + options::pieces_of_context;
    attributes.wait_obj = blocking && fabric.provider().wait_fd ? FI_WAIT_FD : FI_WAIT_NONE;
    fid_cq* queue = nullptr;
    CINNABAR_TRY(
        check(fabric, fi_cq_open(fabric.domain(), &attributes, &queue, nullptr), "fi_cq_open"));
    completions_.reset(queue);
    if (fabric.connected_kind()) {
        CINNABAR_TRY(open_event_queue(fabric, blocking, events_));
        return open_connected(fabric);
    }
    return open_datagram(fabric, source);
}

Status Endpoint::open_connected(const Fabric& fabric) {
    fid_ep* shared_receives = nullptr;
    CINNABAR_TRY(check(
        fabric, fi_srx_context(fabric.domain(), fabric.info().rx_attr, &shared_receives, nullptr),
        "fi_srx_context"));
    receives_.reset(shared_receives);
    return NA_SUCCESS;
}

Status Endpoint::open_datagram(const Fabric& fabric, const Raw& source) {
    fi_av_attr attributes{};
    attributes.type = FI_AV_MAP;
    fid_av* vector = nullptr;
    int ret = fi_av_open(fabric.domain(), &attributes, &vector, nullptr);
    if (ret != 0) {
        attributes.type = FI_AV_TABLE;
        ret = fi_av_open(fabric.domain(), &attributes, &vector, nullptr);
    }
    CINNABAR_TRY(check(fabric, ret, "fi_av_open"));
    peers_.reset(vector);
    const Info info = fabric.bound_to(source);
    if (info == nullptr) return NA_NOMEM;
    fid_ep* endpoint = nullptr;
    CINNABAR_TRY(
        check(fabric, fi_endpoint(fabric.domain(), info.get(), &endpoint, nullptr), "fi_endpoint"));
    shared_.reset(endpoint);
    CINNABAR_TRY(check(fabric, fi_ep_bind(endpoint, &peers_->fid, 0), "fi_ep_bind"));
    CINNABAR_TRY(check(fabric, fi_ep_bind(endpoint, &completions_->fid, FI_TRANSMIT | FI_RECV),
                       "fi_ep_bind"));
    CINNABAR_TRY(check(fabric, fi_enable(endpoint), "fi_enable"));
    auto name = name_of(&endpoint->fid);
    if (!name.ok()) return name.status();
    name_ = *name;
    return NA_SUCCESS;
}

long Endpoint::post_receive(Slot& slot) noexcept {
    fid_ep* endpoint = shared_ != nullptr ? shared_.get() : receives_.get();
    return fi_recv(endpoint, slot.bytes, options::envelope_size, slot.descriptor, FI_ADDR_UNSPEC,
                   &slot.room);
}

long Endpoint::post_send(Channel& channel, Slot& slot) noexcept {
    return fi_send(channel.ep, slot.bytes, slot.used, slot.descriptor, channel.address, &slot.room);
}

Status Endpoint::bind_own(const Fabric& fabric, Channel& channel, fi_info& info) {
    fid_ep* endpoint = nullptr;
    CINNABAR_TRY(
        check(fabric, fi_endpoint(fabric.domain(), &info, &endpoint, nullptr), "fi_endpoint"));
    channel.own.reset(endpoint);
    channel.ep = endpoint;
    CINNABAR_TRY(check(fabric, fi_ep_bind(endpoint, &events_->fid, 0), "fi_ep_bind"));
    CINNABAR_TRY(check(fabric, fi_ep_bind(endpoint, &completions_->fid, FI_TRANSMIT | FI_RECV),
                       "fi_ep_bind"));
    CINNABAR_TRY(check(fabric, fi_ep_bind(endpoint, &receives_->fid, 0), "fi_ep_bind"));
    return check(fabric, fi_enable(endpoint), "fi_enable");
}

Status Endpoint::connect(const Fabric& fabric, Channel& channel, const Raw& to,
                         std::uint8_t target) {
    const Info info = fabric.leading_to(to);
    if (info == nullptr) return NA_NOMEM;
    CINNABAR_TRY(bind_own(fabric, channel, *info));
    std::array<std::byte, request_size> request;
    encode_request({target, channel.token}, request.data());
    return check(fabric, fi_connect(channel.ep, to.data(), request.data(), request.size()),
                 "fi_connect");
}

Status Endpoint::accept(const Fabric& fabric, Channel& channel, fi_info& request) {
    CINNABAR_TRY(bind_own(fabric, channel, request));
    return check(fabric, fi_accept(channel.ep, nullptr, 0), "fi_accept");
}

Status Endpoint::reach(Channel& channel, const Raw& to) {
    channel.ep = shared_.get();
    const int ret = fi_av_insert(peers_.get(), to.data(), 1, &channel.address, 0, nullptr);
    if (ret == 1 && channel.address != FI_ADDR_NOTAVAIL) {
        channel.up = true;
        return NA_SUCCESS;
    }
    return log_error(NA_ADDRNOTAVAIL, log_name, "an address is not taken by the library: {}",
                     ret < 0 ? fi_strerror(-ret) : "unknown");
}

void Endpoint::remove(Channel& channel) noexcept {
    if (channel.own != nullptr) {
        channel.own.reset();
    } else if (channel.address != FI_ADDR_UNSPEC) {
        (void)fi_av_remove(peers_.get(), &channel.address, 1, 0);
    }
    channel.ep = nullptr;
}

}  // namespace cinnabar::ofi
