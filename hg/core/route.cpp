// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/route.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "hg/core/route_parts.hpp"
#include "hg/net/status.hpp"
#include "na_sm.h"

namespace cinnabar::hg {
namespace route {
namespace {

constexpr const char* protocol = "route";
// What libna puts in front of this net's addresses, and wants to see there.
constexpr std::string_view prefix = "route+";

const na_host* lent = nullptr;

// What the next open() of this thread is over: a class cannot be named in an info string.
thread_local na_class_t* const* given = nullptr;

bool check_protocol(const char* asked) {
    return std::string_view(asked) == protocol;
}

na_return_t open(void* block, const na_plugin_open*) {
    if (given == nullptr) return NA_PROTONOSUPPORT;
    na_sm_id_t id = 0;
    char text[NA_SM_HOST_ID_LEN];
    if (const na_return_t ret = NA_SM_Host_id_get(&id); ret != NA_SUCCESS) return ret;
    if (const na_return_t ret = NA_SM_Host_id_to_string(id, text); ret != NA_SUCCESS) return ret;
    try {
        new (block) Class{{given[0], given[1]}, text};
    } catch (...) {
        return NA_NOMEM;
    }
    return NA_SUCCESS;
}

void close(void* block) {
    auto* cls = static_cast<Class*>(block);
    for (na_class_t* net : cls->net)
        (void)NA_Finalize(net);
    cls->~Class();
}

void get_limits(void* block, na_limits* limits) {
    const auto* cls = static_cast<Class*>(block);
    const na_class_t* const a = cls->net[0];
    const na_class_t* const b = cls->net[1];
    limits->max_unexpected_size =
        std::min(NA_Msg_get_max_unexpected_size(a), NA_Msg_get_max_unexpected_size(b));
    limits->max_expected_size =
        std::min(NA_Msg_get_max_expected_size(a), NA_Msg_get_max_expected_size(b));
    limits->unexpected_header_size = NA_Msg_get_unexpected_header_size(a);
    limits->expected_header_size = NA_Msg_get_expected_header_size(a);
    limits->max_segments =
        std::min(NA_Mem_handle_get_max_segments(a), NA_Mem_handle_get_max_segments(b));
    limits->max_tag = std::min(NA_Msg_get_max_tag(a), NA_Msg_get_max_tag(b));
}

const na_plugin_class_ops class_ops = {sizeof(na_plugin_class_ops),
                                       check_protocol,
                                       nullptr,
                                       open,
                                       close,
                                       get_limits,
                                       nullptr,
                                       open_context,
                                       close_context,
                                       nullptr,
                                       close_op};

const na_plugin* enter(const na_host* host_functions) {
    static const na_plugin plugin = {sizeof(na_plugin), NA_PLUGIN_ABI_VERSION,
                                     protocol,          protocol,
                                     sizeof(Class),     sizeof(Context),
                                     sizeof(Address),   sizeof(Op),
                                     sizeof(Memory),    &class_ops,
                                     &address_ops,      &message_ops,
                                     &memory_ops,       &rma_ops,
                                     &progress_ops,     nullptr};
    lent = host_functions;
    return &plugin;
}

}  // namespace

const na_host& host() noexcept {
    return *lent;
}

}  // namespace route

na_class_t* open_route(na_class_t* first, na_class_t* second, bool listen) {
    static const na_return_t registered = NA_Plugin_register(route::enter);
    na_class_t* const nets[] = {first, second};
    na_class_t* result = nullptr;
    // A message is written for either net: what one wants in front of it must be what the other
    // wants.
    const bool alike =
        NA_Msg_get_unexpected_header_size(first) == NA_Msg_get_unexpected_header_size(second) &&
        NA_Msg_get_expected_header_size(first) == NA_Msg_get_expected_header_size(second);
    if (!alike) {
        (void)fail(HG_OPNOTSUPPORTED, "hg_cls", "auto_sm: messages of {}+{} have headers",
                   NA_Get_class_name(first), NA_Get_class_protocol(first));
    } else if (registered == NA_SUCCESS || registered == NA_EXIST) {
        route::given = nets;
        const na_init_info options{};
        result = NA_Initialize_opt2("route+route://", listen,
                                    NA_VERSION(NA_VERSION_MAJOR, NA_VERSION_MINOR), &options);
        route::given = nullptr;
    }
    if (result == nullptr)
        for (na_class_t* net : nets)
            (void)NA_Finalize(net);
    return result;
}

const LocalAtomic<int>* route_receives() noexcept {
    return route::opened_receives;
}

na_return_t route_lookup(na_class_t* route, const char* name, na_addr_t** addr) {
    return NA_Addr_lookup(route, (std::string(route::prefix) + name).c_str(), addr);
}

na_return_t route_to_string(na_class_t* route, char* buf, std::size_t* size, na_addr_t* addr) {
    std::size_t needed = 0;
    if (const na_return_t ret = NA_Addr_to_string(route, nullptr, &needed, addr); ret != NA_SUCCESS)
        return ret;
    std::string text(needed, '\0');
    if (const na_return_t ret = NA_Addr_to_string(route, text.data(), &needed, addr);
        ret != NA_SUCCESS)
        return ret;
    needed -= route::prefix.size();
    const std::size_t room = std::exchange(*size, needed);
    if (buf == nullptr) return NA_SUCCESS;
    if (room < needed) return NA_OVERFLOW;
    std::memcpy(buf, text.data() + route::prefix.size(), needed);
    return NA_SUCCESS;
}

}  // namespace cinnabar::hg
