// SPDX-License-Identifier: BSD-3-Clause
// What the objects of a routed net hold: the parts in libna's blocks. Index 0 is the first net, 1
// the second.
#pragma once

#include <atomic>
#include <string>

#include "na.h"
#include "na/base/file_descriptor.hpp"
#include "na/base/local_atomic.hpp"
#include "na_plugin.h"

namespace cinnabar::hg::route {

constexpr int net_count = 2;

struct Class {
    na_class_t* net[net_count];
    std::string host_id;
};

struct Address {
    Class* cls;
    na_addr_t* part[net_count];  // ourselves: both; a peer: the one it is reached through
};

struct Memory {
    na_mem_handle_t* part[net_count];  // a peer's that has no second net: only the first
};

struct Context {
    Class* cls;
    na_context_t* part[net_count];
    FileDescriptor epoll;  // of the descriptors of both
    // Unexpected receives are spread over the nets: each goes where fewer are posted.
    LocalAtomic<int> receives[net_count];
    // Addresses of peers that sent something lately, so that a request needs no new one. Of the
    // thread that a net's completions are in.
    static constexpr std::size_t kept = 16;
    Address* senders[net_count][kept];
};

struct Op {
    Class* cls;
    na_op_id_t* part[net_count];  // made on first use
    Context* context;
    std::atomic<int> net;  // where it was posted last; a cancel may read it in another thread
};

// Of the context that this thread opened last.
extern thread_local const LocalAtomic<int>* opened_receives;

// libna's functions for plugins; set before anything else is used.
const na_host& host() noexcept;
inline int net_of(const Address& addr) noexcept {
    return addr.part[1] != nullptr ? 1 : 0;
}

extern const na_plugin_address_ops address_ops;
extern const na_plugin_memory_ops memory_ops;
extern const na_plugin_message_ops message_ops;
extern const na_plugin_rma_ops rma_ops;
extern const na_plugin_progress_ops progress_ops;
na_return_t open_context(void* cls, void* ctx, std::uint8_t id);
na_return_t close_context(void* cls, void* ctx);
void close_op(void* cls, void* op);

}  // namespace cinnabar::hg::route
