// SPDX-License-Identifier: BSD-3-Clause
// An opened net as both processes have it: a class, a context or several, and the two procedures
// that are called, "sum" (two integers to their sum) and "stop" (ends serve()). One thread uses it,
// but for poll() of a context, which each thread may do, and serve().
#pragma once

#include <mercury.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/spin.hpp"

namespace cinnabar::perf {

struct SumIn {
    std::int32_t a = 0;
    std::int32_t b = 0;
};

struct SumOut {
    std::int32_t sum = 0;
};

// Takes the answer to a call of "sum", and fails unless it is this one.
inline void take_sum(hg_handle_t handle, std::int32_t expected) {
    SumOut out;
    check(HG_Get_output(handle, &out), "HG_Get_output");
    if (out.sum != expected) fail("a call gave a wrong sum");
    check(HG_Free_output(handle, &out), "HG_Free_output");
}

class Net {
public:
    // `info` as for HG_Init(). Busy: no descriptor is ever waited on, progress only polls.
    Net(const std::string& info, bool listen, bool busy, unsigned contexts = 1);
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    ~Net();

    hg_class_t* hg_class() const { return class_; }
    hg_context_t* context(std::size_t which = 0) const { return contexts_[which]; }
    hg_id_t sum() const { return sum_; }
    hg_id_t stop() const { return stop_; }

    // One progress, which waits a moment unless the net is busy, and the callbacks that are due.
    void poll() { poll(0, spinner_); }
    // The same for any context; the spinner is the thread's.
    void poll(std::size_t which, Spinner& spinner);
    // Polls the first context, in so many threads, until a call of "stop" has been answered, or
    // end_service(). Crowded: more threads poll than there are processors, here and elsewhere.
    void serve(unsigned threads = 1, bool crowded = false);
    // Any thread, and signal handlers.
    void end_service() { stopped_.store(true, std::memory_order_relaxed); }
    // From handlers: false while the net is lent to a child. Otherwise, once lend_to() names it,
    // serve() sends what is under way and sleeps until that child has ended; 0: there is none.
    bool begin_lending() { return !lending_.exchange(true); }
    void lend_to(pid_t child);
    std::string self();

private:
    static hg_return_t on_stop(hg_handle_t handle);
    static hg_return_t on_stopped(const hg_cb_info* info);
    // Lets what was answered leave: a net may gather what it sends until it is polled again.
    void flush();
    void wait_for_return();

    hg_class_t* class_ = nullptr;
    std::vector<hg_context_t*> contexts_;
    hg_id_t sum_ = 0;
    hg_id_t stop_ = 0;
    unsigned timeout_ms_;
    std::atomic<bool> stopped_{false};
    std::atomic<bool> lending_{false};
    std::atomic<pid_t> lent_to_{0};
    Spinner spinner_;
};

}  // namespace cinnabar::perf
