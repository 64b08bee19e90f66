// SPDX-License-Identifier: BSD-3-Clause
#include "hg/core/counters.hpp"

#include <algorithm>
#include <vector>

#include "hg/core/context.hpp"
#include "na/base/log.hpp"
#include "na/base/mutex.hpp"

namespace cinnabar::hg {
namespace {

// Guards the lists below and those in classes; a leaf, off the message path.
struct Counting {
    Mutex mutex;
    std::vector<const hg_class*> classes;
};

// Never destroyed: classes may be finalized from a user's static destructors.
Counting& counting() {
    static auto* instance = new Counting;
    return *instance;
}

void add(hg_diag_counters& sum, const hg_context& context) noexcept {
    const Counters& counters = context.counters;
    sum.rpc_req_sent_count += counters.requests_sent.load(std::memory_order_relaxed);
    sum.rpc_req_recv_count += counters.requests_received.get();
    sum.rpc_resp_sent_count += counters.responses_sent.load(std::memory_order_relaxed);
    sum.rpc_resp_recv_count += counters.responses_received.get();
    sum.rpc_req_extra_count += counters.requests_overflowed.load(std::memory_order_relaxed);
    sum.rpc_resp_extra_count += counters.responses_overflowed.load(std::memory_order_relaxed);
    sum.bulk_count += counters.transfers.load(std::memory_order_relaxed);
}

hg_diag_counters sum_locked(const hg_class& cls) noexcept {
    hg_diag_counters sum = cls.counted;
    for (const hg_context* context : cls.counting) {
        add(sum, *context);
        sum.rpc_req_recv_active_count += static_cast<std::uint64_t>(
            std::max(0, context->targets_in_use.load(std::memory_order_relaxed)));
    }
    return sum;
}

void dump_locked(const hg_class& cls) noexcept {
    const hg_diag_counters c = sum_locked(cls);
    try {
        const std::string text = fmt::format(
            "{}+{}: requests: {} sent, {} received, {} being served, {} overflowed; "
            "responses: {} sent, {} received, {} overflowed; {} bulk transfers",
            NA_Get_class_name(cls.named), NA_Get_class_protocol(cls.named), c.rpc_req_sent_count,
            c.rpc_req_recv_count, c.rpc_req_recv_active_count, c.rpc_req_extra_count,
            c.rpc_resp_sent_count, c.rpc_resp_recv_count, c.rpc_resp_extra_count, c.bulk_count);
        NA_Log_write(static_cast<int>(LogLevel::info), "hg_diag", text.c_str());
    } catch (...) {
        // Out of memory for a line of the log: nothing to be done about it.
    }
}

}  // namespace

void add_to_counting(hg_class& cls) {
    MutexLock lock(counting().mutex);
    counting().classes.push_back(&cls);
}

void remove_from_counting(hg_class& cls) noexcept {
    MutexLock lock(counting().mutex);
    std::erase(counting().classes, &cls);
}

void add_to_counting(hg_context& context) {
    MutexLock lock(counting().mutex);
    context.cls->counting.push_back(&context);
}

void remove_from_counting(hg_context& context) noexcept {
    MutexLock lock(counting().mutex);
    if (std::erase(context.cls->counting, &context) > 0) add(context.cls->counted, context);
}

hg_diag_counters sum_counters(const hg_class& cls) noexcept {
    MutexLock lock(counting().mutex);
    return sum_locked(cls);
}

void dump_counters(const hg_class& cls) noexcept {
    MutexLock lock(counting().mutex);
    dump_locked(cls);
}

void dump_all_counters() noexcept {
    MutexLock lock(counting().mutex);
    for (const hg_class* cls : counting().classes)
        dump_locked(*cls);
}

}  // namespace cinnabar::hg
