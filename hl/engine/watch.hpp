// SPDX-License-Identifier: BSD-3-Clause
// What tells an engine's monitor of a call or a request. Without a monitor it does not even look at
// the clock. Part of the call or request that it watches.
#pragma once

#include "cinnabar/monitor.hpp"
#include "hl/engine/core.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class CallWatch {
public:
    void begin(const ProcedureCore& procedure, const std::string& peer) {
        Monitor* monitor = procedure.engine->options.monitor.get();
        if (monitor == nullptr) return;
        peer_ = peer;
        begun_ = Clock::now();
        monitor->call_begun(procedure.name);
    }
    void ended(const ProcedureCore& procedure, const Error* error) noexcept {
        Monitor* monitor = procedure.engine->options.monitor.get();
        if (monitor == nullptr || begun_ == TimePoint{}) return;
        monitor->call_ended({procedure.name, peer_, Clock::now() - begun_, error});
    }

private:
    TimePoint begun_{};
    std::string peer_;
};

class RequestWatch {
public:
    RequestWatch(Monitor* monitor, const std::string& procedure)
        : monitor_(monitor), procedure_(procedure) {
        if (monitor_ == nullptr) return;
        arrived_ = Clock::now();
        monitor_->request_arrived(procedure_);
    }
    void begin() noexcept {
        if (monitor_ == nullptr) return;
        begun_ = Clock::now();
        monitor_->request_begun(procedure_);
    }
    void end(bool failed) noexcept {
        if (monitor_ == nullptr) return;
        monitor_->request_ended({procedure_, begun_ - arrived_, Clock::now() - begun_, failed});
        monitor_ = nullptr;
    }

private:
    Monitor* monitor_;
    const std::string& procedure_;  // of the entry
    TimePoint arrived_{};
    TimePoint begun_{};
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
