// SPDX-License-Identifier: BSD-3-Clause
// auto_sm: a net made of two. Peers on this host are reached through the second, shared memory, all
// others through the first. To hg and bulk it is a net like any other, spoken to through na.h; each
// of its addresses, memory handles and operations holds those of the nets below, and what a peer is
// decides which one is used. Registered with libna as a plugin without a file.
//
// An address of oneself is composite, "uid://<host id>#<second>#<first>"; a peer that reads it
// keeps one part.
#pragma once

#include <string>

#include "mercury_types.h"
#include "na.h"
#include "na/base/local_atomic.hpp"

namespace cinnabar::hg {

// A net over the two, which it takes over, also on failure: nullptr after a log line.
na_class_t* open_route(na_class_t* first, na_class_t* second, bool listen);

// How many receives are posted in each net of the context of a routed net that this thread opened
// last: two numbers, which live as long as the context. A net that runs out is not helped by those
// of the other.
const LocalAtomic<int>* route_receives() noexcept;

// Strings as users know them, without the name that libna gives this net.
na_return_t route_lookup(na_class_t* route, const char* name, na_addr_t** addr);
na_return_t route_to_string(na_class_t* route, char* buf, std::size_t* size, na_addr_t* addr);

}  // namespace cinnabar::hg
