// SPDX-License-Identifier: BSD-3-Clause
// Stacks and the one place where they are switched. A Stack is memory with a guard page below it,
// or stands for the native stack of an OS thread; while nothing runs on it, it holds the point to
// go on from. Sanitizers are told of every switch here.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace cinnabar {
inline namespace v1 {
namespace detail {

class Unit;

struct Stack {
    void* context = nullptr;      // where to go on; while it runs, stale
    std::byte* bottom = nullptr;  // lowest usable byte
    std::size_t size = 0;         // usable bytes
    void* fake_stack = nullptr;   // of the address sanitizer
    void* fiber = nullptr;        // of the thread sanitizer
};

// What the side that is switched to has to do for the side that left.
struct Errand {
    enum class Kind { none, park, park_alone, yield, recycle };

    Kind kind = Kind::none;
    Unit* unit = nullptr;    // park, park_alone, yield: who left
    Stack* stack = nullptr;  // recycle: what is free now
};

// Leaves `from` for `to`; returns when something switches back, with the errand that it brings.
// `last`: nobody will ever come back to `from`.
Errand switch_stack(Stack& from, Stack& to, Errand errand, bool last);

// Makes `stack` begin with `entry(errand)` when it is switched to; `entry` never returns.
void prepare_stack(Stack& stack, void (*entry)(Errand));

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
