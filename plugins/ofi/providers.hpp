// SPDX-License-Identifier: BSD-3-Clause
// What is known about each of the library's providers and cannot be asked for: a table of traits,
// one line each, which the flow reads. Nothing else in this plugin tells providers apart. What the
// library does say (memory registration, limits of vectors, ...) is read from its fi_info.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace cinnabar::ofi {

enum class EndpointKind : std::uint8_t {
    connected,  // FI_EP_MSG: one endpoint for each peer, the library tells when a peer is lost
    datagram    // FI_EP_RDM: one endpoint for all peers, losses are found out by asking
};

// How a peer's address is written behind "://".
enum class AddressForm : std::uint8_t {
    ip,    // host:port, for socket addresses
    text,  // the library's own string, without its "fi_<provider>://"
    hex    // the library's bytes
};

struct Provider {
    const char* protocol;  // in info strings and addresses
    const char* alias;     // another name for it, or ""
    const char* library;   // the library's name, in full
    EndpointKind kind;
    AddressForm form;
    bool wait_fd;        // a completion queue has a descriptor that can be slept on
    bool own_threads;    // makes progress by threads of its own, unless told that we poll
    bool delivery_flag;  // a put must be told to complete only when it is visible to its target
    bool probe;       // the address is a TCP listener: a refused connection means nobody is there
    bool errors_cut;  // a refused transfer breaks the connection, whether we see one or not
    const char* refused = "";  // why it is not opened although it is there; "": it is
};

// All of them.
std::span<const Provider> providers() noexcept;
// By protocol or alias; nullptr if there is none.
const Provider* find_provider(std::string_view protocol) noexcept;

}  // namespace cinnabar::ofi
