// SPDX-License-Identifier: BSD-3-Clause
// Stacks of a build whose units are threads. To switch is to let the thread of the other stack go
// on and to wait until somebody does the same for this one: as many threads run as there are
// streams, in the order of the other build, but a unit stays on one OS thread and its own native
// stack from its beginning to its end, which every tool understands.
#include <pthread.h>

#include <algorithm>
#include <climits>
#include <condition_variable>
#include <memory>
#include <new>

#include "hl/ult/stack.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

// A thread of a stack's own, or the mailbox of one that was there before.
struct StackThread {
    // The last that the caller does with it; whoever is called may be gone when this returns.
    void call(const Errand& given) noexcept {
        const std::lock_guard lock(mutex);
        errand = given;
        called = true;
        changed.notify_one();
    }
    // False when it is to end.
    bool wait(Errand& taken) noexcept {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return called || quit; });
        called = false;
        taken = errand;
        return !quit;
    }
    void run() {
        Errand taken;
        while (wait(taken)) {
            const Departure last = entry(taken);
            last.to.thread->call(last.errand);
        }
    }
    // Of one that waits, or is about to.
    void end() noexcept {
        {
            const std::lock_guard lock(mutex);
            quit = true;
            changed.notify_one();
        }
        (void)::pthread_join(own, nullptr);
    }

    std::mutex mutex;
    std::condition_variable changed;
    Errand errand;
    bool called = false;
    bool quit = false;
    Departure (*entry)(Errand) = nullptr;
    pthread_t own{};
};

namespace {

// Fewer than there are stacks without threads: each costs more.
constexpr std::size_t kept_stacks = 64;
// On top of what units may use: thread-local memory lies there too, and frames of the sanitizers.
constexpr std::size_t room = 512 * 1024;

extern "C" void* cinnabar_stack_thread(void* thread) {
    (void)::pthread_setname_np(::pthread_self(), "unit");
    static_cast<StackThread*>(thread)->run();
    return nullptr;
}

bool start(StackThread& thread, std::size_t size) noexcept {
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0) return false;
    const bool started =
        ::pthread_attr_setstacksize(&attributes, size) == 0 &&
        ::pthread_create(&thread.own, &attributes, cinnabar_stack_thread, &thread) == 0;
    (void)::pthread_attr_destroy(&attributes);
    return started;
}

void end(Stack* stack) noexcept {
    stack->thread->end();
    delete stack->thread;
    delete stack;
}

}  // namespace

Errand switch_stack(Stack& from, Stack& to, Errand errand) {
    StackThread& own = *from.thread;
    to.thread->call(errand);
    Errand brought;
    (void)own.wait(brought);
    return brought;
}

void prepare_stack(Stack& stack, Departure (*entry)(Errand)) {
    stack.thread->entry = entry;
}

void adopt_native(Stack& native) noexcept {
    native.thread = new StackThread;
}

void release_native(Stack& native) noexcept {
    delete native.thread;
    native = {};
}

StackCache::~StackCache() {
    for (auto& [size, stacks] : free_)
        std::for_each(stacks.begin(), stacks.end(), end);
}

Stack* StackCache::acquire(std::size_t size) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = free_.find(size); found != free_.end() && !found->second.empty()) {
            Stack* stack = found->second.back();
            found->second.pop_back();
            --count_;
            return stack;
        }
    }
    std::unique_ptr<StackThread> thread(new (std::nothrow) StackThread);
    std::unique_ptr<Stack> stack(new (std::nothrow) Stack);
    constexpr std::size_t page = 4096;
    const std::size_t whole = (size + room + page - 1) / page * page;
    if (thread == nullptr || stack == nullptr || !start(*thread, whole)) return nullptr;
    stack->size = size;
    stack->thread = thread.release();
    return stack.release();
}

void StackCache::release(Stack* stack) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (count_ < kept_stacks) {
            try {
                free_[stack->size].push_back(stack);
                ++count_;
                return;
            } catch (const std::bad_alloc&) {
                // Then it is not kept.
            }
        }
    }
    end(stack);
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
