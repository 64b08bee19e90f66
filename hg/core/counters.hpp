// SPDX-License-Identifier: BSD-3-Clause
// What a context counts, and the sums that HG_Class_get_counters() gives. Arrivals are counted
// where the net reports them, one thread at a time for each context, so counting is a plain
// addition; a plugin that reports from several threads at once may lose counts. All else may be
// counted by any thread, and reading is for any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "mercury_types.h"
#include "na/base/local_atomic.hpp"

namespace cinnabar::hg {

class Count {
public:
    void one_more() noexcept { value_.store(get() + 1, std::memory_order_relaxed); }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

struct Counters {
    Count requests_received;
    Count responses_received;
    LocalAtomic<std::uint64_t> requests_sent{0};
    LocalAtomic<std::uint64_t> responses_sent{0};
    LocalAtomic<std::uint64_t> requests_overflowed{0};
    LocalAtomic<std::uint64_t> responses_overflowed{0};
    LocalAtomic<std::uint64_t> transfers{0};
};

// The contexts of a class and the classes of the process, for sums and dumps. A context leaves its
// counts with its class.
void add_to_counting(hg_class& cls);
void remove_from_counting(hg_class& cls) noexcept;
void add_to_counting(hg_context& context);
void remove_from_counting(hg_context& context) noexcept;

hg_diag_counters sum_counters(const hg_class& cls) noexcept;
// One line to the log, whatever its level: the counters were asked for.
void dump_counters(const hg_class& cls) noexcept;
// The same for each class of the process.
void dump_all_counters() noexcept;

}  // namespace cinnabar::hg
