// SPDX-License-Identifier: BSD-3-Clause
// libna's side of its objects: the headers in front of the plugin's parts, and what a plugin is
// once loaded. The C functions in na/capi work on these; nobody outside libna sees them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "na.h"
#include "na/base/local_atomic.hpp"
#include "na/base/mpsc_queue.hpp"
#include "na/core/object.hpp"
#include "na_plugin.h"

namespace cinnabar::na {

// A loaded plugin: its tables copied at full size, absent slots filled (loader/unsupported.cpp), so
// that no caller tests for null. Lives until the process ends.
struct Plugin {
    const na_plugin* table = nullptr;
    std::string name;
    std::string class_name;
    na_plugin_class_ops cls{};
    na_plugin_address_ops address{};
    na_plugin_message_ops message{};
    na_plugin_memory_ops memory{};
    na_plugin_rma_ops rma{};
    na_plugin_progress_ops progress{};
    void (*forked)() = nullptr;
};

// Counts forks: objects made under an older count belong to the parent process.
extern std::atomic<unsigned> fork_count;

}  // namespace cinnabar::na

struct na_class {
    const cinnabar::na::Plugin* plugin;
    std::string protocol;
    bool listen;
    bool no_block;
    na_limits limits;
    unsigned fork_count;  // of the process that opened it
    std::atomic<int> contexts{0};
    cinnabar::LocalAtomic<int> addresses_in_use{
        0};  // addresses with at least one reference of a user
};

struct na_context {
    na_class* cls;
    std::uint8_t id;
    bool sink;
    // Completions that NA_Trigger() will run; unused on a sink context.
    cinnabar::MpscQueue completions{};
    cinnabar::LocalAtomic<unsigned> completion_count{0};
    cinnabar::LocalAtomic<bool> triggering{false};  // the consumer side of `completions` is taken
    cinnabar::LocalAtomic<int> sleepers{
        0};  // threads in NA_Poll_wait() that a completion must wake
    std::atomic<bool> armed{
        false};  // NA_Poll_try_wait() has told a user to sleep on the descriptor
};

struct na_addr {
    na_class* cls;
    // Low half: all references; high half: those held by users. One counter, so that one atomic
    // operation moves both.
    cinnabar::LocalAtomic<std::uint64_t> references;
};

struct na_op_id {
    cinnabar::MpscNode node;
    na_class* cls;
    na_context* context;
    na_cb_t callback;
    na_cb_info info;
    std::atomic<bool> posted{false};
};

struct na_mem_handle {
    na_class* cls;
    unsigned long flags;
};

namespace cinnabar::na {

inline constexpr std::uint64_t one_reference = 1;
inline constexpr std::uint64_t one_user = (std::uint64_t{1} << 32) | 1;

// Turns a reference of the plugin into one of a user.
void addr_lend(na_addr* addr) noexcept;
// Adds and gives back a user's reference.
void addr_acquire(na_addr* addr) noexcept;
void addr_release(na_addr* addr) noexcept;

inline void* part(na_class* object) noexcept {
    return plugin_part(object);
}
inline void* part(na_context* object) noexcept {
    return plugin_part(object);
}
inline void* part(na_addr* object) noexcept {
    return plugin_part(object);
}
inline void* part(na_op_id* object) noexcept {
    return plugin_part(object);
}
inline void* part(na_mem_handle* object) noexcept {
    return plugin_part(object);
}

// The functions lent to plugins.
extern const na_host host_functions;

// Whether the object belongs to a parent process: nothing may be done with it but freeing memory.
inline bool forked(const na_class* cls) noexcept {
    return cls->fork_count != fork_count.load(std::memory_order_relaxed);
}

}  // namespace cinnabar::na
