// SPDX-License-Identifier: BSD-3-Clause
// An in-memory transport, "na+mem://name", for tests: the classes of one process talk through
// queues, with messages, put and get, blocking and busy. By default everything arrives at once; a
// test may hold the network and decide over each message and transfer in flight. Registered with
// libna as any plugin is, and written on na/sdk alone: also an example of how small a plugin can
// be. The functions here may be called from any thread, not from callbacks of a sink context.
#pragma once

#include <cstddef>
#include <string>

#include "na_plugin.h"

namespace cinnabar::test {

// Makes "mem" known to libna. Later calls do nothing.
void register_memory_plugin();
// For those who wrap it instead; one or the other in a process.
na_plugin_entry_t memory_plugin_entry();

namespace memory_net {

// From now on nothing arrives unless the functions below say so. Order is that of posting.
void hold();
// Delivers what is in flight, and everything later at once.
void release();
std::size_t in_flight();
// What happens to the oldest in flight; false if there is none.
bool deliver_one();
bool drop_one();  // lost: the sender sees success, the receiver nothing; a transfer never ends
bool fail_one(na_return_t code);
// The peer with this address string, as its class gives it, is gone from now on: operations with it
// end with NA_HOSTUNREACH. Its class can only be closed afterwards.
void kill(const std::string& address);

}  // namespace memory_net
}  // namespace cinnabar::test
