// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/providers.hpp"

namespace cinnabar::ofi {

namespace {

using enum EndpointKind;
using enum AddressForm;

// clang-format off
constexpr Provider table[] = {
    // protocol         alias      library          kind       form  wait   threads deliv probe  cut
    {"tcp",            "tcp_exp", "tcp",           connected, ip,   true,  false, true,  false, true},
    {"tcp;ofi_rxm",    "tcp_rxm", "tcp;ofi_rxm",   datagram,  ip,   true,  false, true,  true,  true},
    {"sockets",        "",        "sockets",       datagram,  ip,   true,  true,  true,  true,  false},
    {"shm",            "sm",      "shm",           datagram,  text, false, false, true,  false, false,
     "libfabric crashes when something is sent to a peer that has gone; na+sm is for within a host"},
    {"verbs;ofi_rxm",  "verbs",   "verbs;ofi_rxm", datagram,  ip,   true,  false, true,  false, true},
    {"psm2",           "",        "psm2",          datagram,  hex,  false, false, true,  false, false},
    {"psm3",           "",        "psm3",          datagram,  hex,  false, false, true,  false, false},
    {"opx",            "",        "opx",           datagram,  hex,  false, false, true,  false, false},
    {"gni",            "",        "gni",           datagram,  hex,  false, false, true,  false, false},
    {"cxi",            "",        "cxi",           datagram,  hex,  true,  false, true,  false, false},
};
// clang-format on

}  // namespace

std::span<const Provider> providers() noexcept {
    return table;
}

const Provider* find_provider(std::string_view protocol) noexcept {
    if (protocol.empty()) return nullptr;
    for (const Provider& provider : table)
        if (protocol == provider.protocol || protocol == provider.alias) return &provider;
    return nullptr;
}

}  // namespace cinnabar::ofi
