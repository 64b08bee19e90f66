// SPDX-License-Identifier: BSD-3-Clause
// What UCX says of its transports, which it says in a text for people only (1.13). Any thread.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

namespace cinnabar::ucx {

enum class Lanes {
    memory,    // shared with the peer, and nothing else
    messages,  // a network on which UCX makes messages of put and get
    one_sided  // one that reads and writes a peer's memory by itself is among them
};

// Of the lines that contain `what`: each names a transport, as in " lane[0]:  3:sysv/memory.0 ..."
// or "resource 1  :  md 1  dev 1  flags -- tcp/lo". Without any: messages. Pure.
Lanes kind_of_lanes(std::string_view description, std::string_view what) noexcept;

// The text that `print` writes; empty if there is no memory.
std::string printed(const std::function<void(std::FILE*)>& print);

}  // namespace cinnabar::ucx
