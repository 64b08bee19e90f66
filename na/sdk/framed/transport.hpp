// SPDX-License-Identifier: BSD-3-Clause
// What the author of a framed transport writes: a net, the port of each of its contexts, and the
// links between two ports, which carry whole frames in order, both ways. All else that a transport
// owes is done above: who is at the other end, matching, put and get, cancel, peers that die.
//
// A Port and its Links are called by one thread at a time. No call may block. Descriptors stay the
// same for as long as their object lives, and are owned by it.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "na/base/result.hpp"
#include "na_plugin.h"

namespace cinnabar::na::sdk::framed {

class Link {
public:
    virtual ~Link() = default;
    // Readable when receive() would give something or the link has ended, writable when send()
    // would take a frame again.
    virtual int descriptor() const = 0;
    // Sends one frame, its parts one behind the other: all of it, or nothing and an error.
    // NA_AGAIN: later, as there is no room, or as the link is not connected yet. Anything else: it
    // has ended.
    virtual Status send(std::span<const iovec> parts) = 0;
    // Takes the next frame and gives its size. NA_AGAIN: none is here. Anything else: the link has
    // ended and all that came before has been taken.
    virtual Result<std::size_t> receive(std::span<std::byte> room) = 0;
};

class Port {
public:
    virtual ~Port() = default;
    // Readable when accept() would give a link.
    virtual int descriptor() const = 0;
    // The link of somebody who has connected; NA_AGAIN: nobody has.
    virtual Result<std::unique_ptr<Link>> accept() = 0;
    // Begins a link to context `id` of the net called `name`, which is_name() has approved.
    virtual Result<std::unique_ptr<Link>> connect(const std::string& name, std::uint8_t id) = 0;
};

class Net {
public:
    virtual ~Net() = default;
    // Opens the net; called once, before anything else. Errors are logged here.
    virtual Status open(const na_plugin_open& info) = 0;
    // "protocol://...", without a class in front. Nobody else has it while the net is open. Others
    // connect to it if the net listens. Any thread.
    virtual const std::string& name() const = 0;
    // Whether a text, perhaps of a stranger, could be the name of a net. Any thread.
    virtual bool is_name(std::string_view text) const = 0;
    // Bytes that a frame may have, the same for all nets of the transport; 8 KiB at least.
    virtual std::size_t largest_frame() const = 0;
    // The port of a context, where others reach it. Errors are logged here.
    virtual Result<std::unique_ptr<Port>> open_port(std::uint8_t id) = 0;
};

}  // namespace cinnabar::na::sdk::framed
