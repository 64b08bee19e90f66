// SPDX-License-Identifier: BSD-3-Clause
// Stacks and the one place where they are switched. A Stack is memory with a guard page below it,
// or stands for the native stack of an OS thread; while nothing runs on it, it holds the point to
// go on from. Sanitizers are told of every switch here. There are two forms: stack.cpp, and for
// builds whose units are threads, stack_thread.cpp, where each stack is that of an OS thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace cinnabar {
inline namespace v1 {
namespace detail {

class StreamCore;
class Unit;
struct StackThread;

struct Stack {
    void* context = nullptr;        // where to go on; while it runs, stale
    std::byte* bottom = nullptr;    // lowest usable byte
    std::size_t size = 0;           // usable bytes
    void* fake_stack = nullptr;     // of the address sanitizer
    void* fiber = nullptr;          // of the thread sanitizer
    StackThread* thread = nullptr;  // where units are threads
};

// What the side that is switched to has to do for the side that left.
struct Errand {
    enum class Kind { none, park, park_alone, yield, recycle };

    Kind kind = Kind::none;
    Unit* unit = nullptr;    // park, park_alone, yield: who left
    Stack* stack = nullptr;  // recycle: what is free now
    // Where units are threads: the stream that goes on, of which the other thread knows nothing.
    StreamCore* stream = nullptr;
};

// What a stack does last: nobody ever comes back to `from`.
struct Departure {
    Stack& from;
    Stack& to;
    Errand errand;
};

// Leaves `from` for `to`; returns when something switches back, with the errand that it brings.
Errand switch_stack(Stack& from, Stack& to, Errand errand);

// Makes `stack` begin with `entry(errand)` when it is switched to, and leave as that says.
void prepare_stack(Stack& stack, Departure (*entry)(Errand));

// Takes over the calling thread's own stack, and gives it back.
void adopt_native(Stack& native) noexcept;
void release_native(Stack& native) noexcept;

// Stacks of any size, kept for re-use up to a bound. Any thread.
class StackCache {
public:
    StackCache() = default;
    StackCache(const StackCache&) = delete;
    StackCache& operator=(const StackCache&) = delete;
    ~StackCache();

    // At least `size` bytes; null when the system has no memory or no mappings left.
    Stack* acquire(std::size_t size) noexcept;
    void release(Stack* stack) noexcept;

private:
    std::mutex mutex_;
    std::unordered_map<std::size_t, std::vector<Stack*>> free_;
    std::size_t count_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
