// SPDX-License-Identifier: BSD-3-Clause
// An opened net as both processes have it: a class, its one context, and the two procedures that
// are called, "sum" (two integers to their sum) and "stop" (ends serve()). One thread uses it.
#pragma once

#include <mercury.h>

#include <cstdint>
#include <string>

#include "hl/tools/perf/spin.hpp"

namespace cinnabar::perf {

struct SumIn {
    std::int32_t a = 0;
    std::int32_t b = 0;
};

struct SumOut {
    std::int32_t sum = 0;
};

class Net {
public:
    // `info` as for HG_Init(). Busy: no descriptor is ever waited on, progress only polls.
    Net(const std::string& info, bool listen, bool busy);
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    ~Net();

    hg_class_t* hg_class() const { return class_; }
    hg_context_t* context() const { return context_; }
    hg_id_t sum() const { return sum_; }
    hg_id_t stop() const { return stop_; }

    // One progress, which waits a moment unless the net is busy, and the callbacks that are due.
    void poll();
    // Polls until a call of "stop" has been answered.
    void serve();
    std::string self();

private:
    static hg_return_t on_stop(hg_handle_t handle);
    static hg_return_t on_stopped(const hg_cb_info* info);

    hg_class_t* class_ = nullptr;
    hg_context_t* context_ = nullptr;
    hg_id_t sum_ = 0;
    hg_id_t stop_ = 0;
    unsigned timeout_ms_;
    bool stopped_ = false;
    Spinner spinner_;
};

}  // namespace cinnabar::perf
