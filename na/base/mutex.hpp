// SPDX-License-Identifier: BSD-3-Clause
// A mutex for set-up and tear-down paths (never the message path), annotated for clang's
// thread-safety analysis. Lock order is stated in docs/threading.md.
#pragma once

#include <mutex>

#if defined(__clang__)
#define CINNABAR_TS(x) __attribute__((x))
#else
#define CINNABAR_TS(x)
#endif

// For functions that take a lock and leave it to another one to release.
#define CINNABAR_NO_TS_ANALYSIS CINNABAR_TS(no_thread_safety_analysis)

namespace cinnabar {

class CINNABAR_TS(capability("mutex")) Mutex {
public:
    void lock() CINNABAR_TS(acquire_capability()) { mutex_.lock(); }
    bool try_lock() CINNABAR_TS(try_acquire_capability(true)) { return mutex_.try_lock(); }
    void unlock() CINNABAR_TS(release_capability()) { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

class CINNABAR_TS(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) CINNABAR_TS(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    ~MutexLock() CINNABAR_TS(release_capability()) { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

}  // namespace cinnabar
