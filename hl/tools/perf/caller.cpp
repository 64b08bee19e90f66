// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/caller.hpp"

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

hg_return_t note_end(const hg_cb_info* info) {
    *static_cast<hg_return_t*>(info->arg) = info->ret;
    return HG_SUCCESS;
}

}  // namespace

std::string client_info(const std::string& address) {
    return address.substr(0, address.find("://"));
}

Caller::Caller(const Endpoint& endpoint, unsigned contexts)
    : net_(endpoint.info, false, endpoint.busy, contexts), ids_(register_service(net_.hg_class())) {
    check(HG_Addr_lookup2(net_.hg_class(), endpoint.address.c_str(), &server_),
          "looking up " + endpoint.address);
}

Caller::~Caller() {
    check(HG_Addr_free(net_.hg_class(), server_), "HG_Addr_free");
}

void Caller::call(hg_id_t id, void* in, void* out) {
    hg_return_t ret = HG_RETURN_MAX;
    hg_handle_t handle = HG_HANDLE_NULL;
    check(HG_Create(net_.context(), server_, id, &handle), "HG_Create");
    check(HG_Forward(handle, note_end, &ret, in), "HG_Forward");
    while (ret == HG_RETURN_MAX)
        net_.poll();
    check(ret, "calling the server");
    if (out != nullptr) {
        check(HG_Get_output(handle, out), "HG_Get_output");
        check(HG_Free_output(handle, out), "HG_Free_output");
    }
    check(HG_Destroy(handle), "HG_Destroy");
}

Described Caller::describe(const Shape& shape) {
    Described described;
    Shape in = shape;
    call(ids_.describe, &in, &described);
    if (described.number == 0) fail("the server has no such memory");
    return described;
}

void Caller::forget(std::uint64_t number) {
    call(ids_.forget, &number, nullptr);
}

Usage Caller::usage() {
    Usage usage;
    call(ids_.usage, nullptr, &usage);
    return usage;
}

FloorPlace Caller::floor_place() {
    FloorPlace place;
    call(ids_.floors, nullptr, &place);
    return place;
}

void Caller::stop_server() {
    call(net_.stop(), nullptr, nullptr);
}

}  // namespace cinnabar::perf
