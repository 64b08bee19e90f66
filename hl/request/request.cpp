// SPDX-License-Identifier: BSD-3-Clause
// Waiting for completions, over whatever progresses and triggers. One thread at a time drives; the
// others sleep until it has been round, since what it triggered may be theirs. A thread that drives
// already, because a callback waits in turn, simply drives on. Nothing is locked while the
// program's functions run.
#include "mercury_request.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

struct hg_request_class {
    hg_request_progress_func_t progress;
    hg_request_trigger_func_t trigger;
    void* arg;
    std::mutex mutex;
    std::condition_variable driven;
    bool driving = false;
    std::thread::id driver{};
};

namespace {

using Clock = std::chrono::steady_clock;

// A driver looks this often whether another thread has completed its request meanwhile.
constexpr std::chrono::milliseconds slice{500};

bool done(const hg_request& request) {
    return hg_atomic_get32(&request.completed) != 0;
}

void trigger_all(hg_request_class& cls, const hg_request& request) {
    unsigned int flag = 0;
    do {
        flag = 0;
        if (cls.trigger(0, &flag, cls.arg) != HG_UTIL_SUCCESS) return;
    } while (flag != 0 && !done(request));
}

void drive_once(hg_request_class& cls, const hg_request& request, Clock::time_point deadline) {
    trigger_all(cls, request);
    if (done(request)) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const auto time = std::clamp(left, std::chrono::milliseconds(0), slice);
    (void)cls.progress(static_cast<unsigned int>(time.count()), cls.arg);
    trigger_all(cls, request);
}

// True if this thread is to drive; then leave_wheel() ends it.
bool take_wheel(hg_request_class& cls, const hg_request& request, Clock::time_point deadline,
                bool* nested) {
    std::unique_lock lock(cls.mutex);
    *nested = cls.driving && cls.driver == std::this_thread::get_id();
    if (*nested) return true;
    if (cls.driving) {
        cls.driven.wait_until(lock, std::min(deadline, Clock::now() + slice));
        if (cls.driving || done(request)) return false;
    }
    cls.driving = true;
    cls.driver = std::this_thread::get_id();
    return true;
}

void leave_wheel(hg_request_class& cls) {
    {
        const std::lock_guard lock(cls.mutex);
        cls.driving = false;
    }
    cls.driven.notify_all();
}

void wait(const hg_request& request, Clock::time_point deadline) {
    hg_request_class& cls = *request.request_class;
    do {
        bool nested = false;
        if (!take_wheel(cls, request, deadline, &nested)) continue;
        drive_once(cls, request, deadline);
        if (!nested) leave_wheel(cls);
    } while (!done(request) && Clock::now() < deadline);
}

}  // namespace

hg_request_class_t* hg_request_init(hg_request_progress_func_t progress,
                                    hg_request_trigger_func_t trigger, void* arg) {
    if (progress == nullptr || trigger == nullptr) return nullptr;
    auto* cls = new (std::nothrow) hg_request_class;
    if (cls == nullptr) return nullptr;
    cls->progress = progress;
    cls->trigger = trigger;
    cls->arg = arg;
    return cls;
}

void hg_request_finalize(hg_request_class_t* request_class, void** arg) {
    if (arg != nullptr) *arg = request_class == nullptr ? nullptr : request_class->arg;
    delete request_class;
}

hg_request_t* hg_request_create(hg_request_class_t* request_class) {
    if (request_class == nullptr) return nullptr;
    auto* request = new (std::nothrow) hg_request{};
    if (request != nullptr) request->request_class = request_class;
    return request;
}

void hg_request_destroy(hg_request_t* request) {
    delete request;
}

int hg_request_wait(hg_request_t* request, unsigned int timeout, unsigned int* flag) {
    if (request == nullptr) return HG_UTIL_FAIL;
    if (!done(*request)) {
        try {
            wait(*request, Clock::now() + std::chrono::milliseconds(timeout));
        } catch (...) {
            return HG_UTIL_FAIL;
        }
    }
    if (flag != nullptr) *flag = done(*request) ? 1 : 0;
    return HG_UTIL_SUCCESS;
}
