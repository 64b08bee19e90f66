// SPDX-License-Identifier: BSD-3-Clause
// Waiting for requests over scripted progress and trigger functions: what is called, when it ends,
// and that several threads and nested waits all come home.
#include "mercury_request.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "mercury_hash_string.h"
#include "mercury_util.h"

namespace {

// A queue of callbacks behind a network that delivers one per progress.
struct Script {
    std::mutex mutex;
    std::deque<std::function<void()>> arriving;
    std::deque<std::function<void()>> queued;
    std::vector<unsigned> timeouts;
    std::atomic<int> inside{0};
    std::atomic<int> most_inside{0};

    static int progress(unsigned timeout, void* arg) {
        auto& self = *static_cast<Script*>(arg);
        const int now = ++self.inside;
        if (now > self.most_inside) self.most_inside = now;
        int ret = HG_UTIL_FAIL;
        {
            const std::lock_guard lock(self.mutex);
            self.timeouts.push_back(timeout);
            if (!self.arriving.empty()) {
                self.queued.push_back(std::move(self.arriving.front()));
                self.arriving.pop_front();
                ret = HG_UTIL_SUCCESS;
            }
        }
        --self.inside;
        return ret;
    }

    static int trigger(unsigned, unsigned* flag, void* arg) {
        auto& self = *static_cast<Script*>(arg);
        std::function<void()> callback;
        {
            const std::lock_guard lock(self.mutex);
            *flag = self.queued.empty() ? 0 : 1;
            if (self.queued.empty()) return HG_UTIL_FAIL;
            callback = std::move(self.queued.front());
            self.queued.pop_front();
        }
        callback();
        return HG_UTIL_SUCCESS;
    }
};

}  // namespace

TEST_CASE("a request class gives back its argument, and refuses what is missing") {
    Script script;
    hg_request_class_t* cls = hg_request_init(Script::progress, Script::trigger, &script);
    REQUIRE(cls != nullptr);
    void* arg = nullptr;
    hg_request_finalize(cls, &arg);
    CHECK(arg == &script);
    CHECK(hg_request_init(nullptr, Script::trigger, nullptr) == nullptr);
    CHECK(hg_request_init(Script::progress, nullptr, nullptr) == nullptr);
    CHECK(hg_request_create(nullptr) == nullptr);
    CHECK(hg_request_wait(nullptr, 0, nullptr) == HG_UTIL_FAIL);
    hg_request_destroy(nullptr);
    hg_request_finalize(nullptr, nullptr);
}

TEST_CASE("a wait progresses and triggers until the request is completed") {
    Script script;
    hg_request_class_t* cls = hg_request_init(Script::progress, Script::trigger, &script);
    hg_request_t* request = hg_request_create(cls);
    int other = 0;
    script.arriving = {[&] { ++other; }, [&] { ++other; }, [&] { hg_request_complete(request); },
                       [&] { ++other; }};
    unsigned flag = 2;
    CHECK(hg_request_wait(request, 60000, &flag) == HG_UTIL_SUCCESS);
    CHECK(flag == 1);
    CHECK(other == 2);
    // A long wait is cut, since another thread may complete the request.
    for (const unsigned timeout : script.timeouts)
        CHECK(timeout <= 500);
    // It stays completed, and is not waited for again, until it is reset.
    script.timeouts.clear();
    CHECK(hg_request_wait(request, 0, nullptr) == HG_UTIL_SUCCESS);
    CHECK(script.timeouts.empty());
    hg_request_reset(request);
    CHECK(hg_request_wait(request, 0, &flag) == HG_UTIL_SUCCESS);
    CHECK(flag == 0);
    CHECK(script.timeouts == std::vector<unsigned>{0});
    int data = 0;
    hg_request_set_data(request, &data);
    CHECK(hg_request_get_data(request) == &data);
    hg_request_destroy(request);
    hg_request_finalize(cls, nullptr);
}

TEST_CASE("waiting for all says whether all are completed") {
    Script script;
    hg_request_class_t* cls = hg_request_init(Script::progress, Script::trigger, &script);
    hg_request_t* requests[] = {hg_request_create(cls), hg_request_create(cls),
                                hg_request_create(cls)};
    for (hg_request_t* request : {requests[2], requests[0]})
        script.arriving.push_back([request] { hg_request_complete(request); });
    unsigned flag = 2;
    CHECK(hg_request_waitall(3, requests, 20, &flag) == HG_UTIL_SUCCESS);
    CHECK(flag == 0);
    hg_request_complete(requests[1]);
    CHECK(hg_request_waitall(3, requests, 20, &flag) == HG_UTIL_SUCCESS);
    CHECK(flag == 1);
    for (hg_request_t* request : requests)
        hg_request_destroy(request);
    hg_request_finalize(cls, nullptr);
}

TEST_CASE("a callback may wait for another request") {
    Script script;
    hg_request_class_t* cls = hg_request_init(Script::progress, Script::trigger, &script);
    hg_request_t* outer = hg_request_create(cls);
    hg_request_t* inner = hg_request_create(cls);
    script.arriving = {[&] {
                           unsigned flag = 0;
                           CHECK(hg_request_wait(inner, 60000, &flag) == HG_UTIL_SUCCESS);
                           CHECK(flag == 1);
                           hg_request_complete(outer);
                       },
                       [&] { hg_request_complete(inner); }};
    unsigned flag = 0;
    CHECK(hg_request_wait(outer, 60000, &flag) == HG_UTIL_SUCCESS);
    CHECK(flag == 1);
    hg_request_destroy(outer);
    hg_request_destroy(inner);
    hg_request_finalize(cls, nullptr);
}

TEST_CASE("threads that wait take turns, and all come home") {
    Script script;
    hg_request_class_t* cls = hg_request_init(Script::progress, Script::trigger, &script);
    constexpr int thread_count = 4;
    constexpr int rounds = 200;
    std::atomic<int> completed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < thread_count; ++t)
        threads.emplace_back([&] {
            hg_request_t* request = hg_request_create(cls);
            for (int i = 0; i < rounds; ++i) {
                hg_request_reset(request);
                {
                    const std::lock_guard lock(script.mutex);
                    script.arriving.push_back([request] { hg_request_complete(request); });
                }
                unsigned flag = 0;
                (void)hg_request_wait(request, 60000, &flag);
                completed += static_cast<int>(flag);
            }
            hg_request_destroy(request);
        });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(completed == thread_count * rounds);
    CHECK(script.most_inside == 1);
    hg_request_finalize(cls, nullptr);
}

TEST_CASE("the small utilities say what Mercury's say") {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 9;
    HG_Util_version_get(&major, &minor, &patch);
    CHECK(major == HG_UTIL_VERSION_MAJOR);
    CHECK(minor == HG_UTIL_VERSION_MINOR);
    CHECK(patch == HG_UTIL_VERSION_PATCH);
    HG_Util_version_get(nullptr, nullptr, nullptr);

    CHECK(hg_hash_string("") == 5381);
    CHECK(hg_hash_string("a") == 5381 * 33 + 'a');

    hg_atomic_int32_t word = HG_ATOMIC_VAR_INIT(5);
    CHECK(hg_atomic_incr32(&word) == 6);
    CHECK(hg_atomic_decr32(&word) == 5);
    CHECK(hg_atomic_or32(&word, 2) == 5);
    CHECK(hg_atomic_and32(&word, 6) == 7);
    CHECK(hg_atomic_xor32(&word, 1) == 6);
    CHECK_FALSE(hg_atomic_cas32(&word, 6, 1));
    CHECK(hg_atomic_cas32(&word, 7, 1));
    CHECK(hg_atomic_get32(&word) == 1);
}
